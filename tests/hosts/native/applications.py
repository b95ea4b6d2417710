"""Applications that stand beside a bus in tests of the native host."""

from __future__ import annotations

from mirant.hosts.asgi.scope import AsgiApplication, Receive, Scope, Send, answer_lifespan


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Say what was asked, or send a WebSocket's message back."""
    if scope["type"] == "lifespan":
        await answer_lifespan(receive, send)
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": (await receive())["text"]})
        await send({"type": "websocket.close", "code": 1000})
    else:
        body, more = b"", True
        while more:
            event = await receive()
            body, more = body + event.get("body", b""), event.get("more_body", False)
        answer = f"{scope['method']} {scope['path']} ".encode() + body
        headers = [(b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 404 at once, whatever is still to come."""
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def sending(size: int, *headers: tuple[bytes, bytes]) -> AsgiApplication:
    """Return an application that answers with *size* bytes at once."""

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
        await send({"type": "http.response.body", "body": b"x" * size})

    return large
