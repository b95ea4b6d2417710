"""One WebSocket of an ASGI server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from mirant.bus.carrier import Request
from mirant.bus.outbox import Batch
from mirant.bus.receive import receive as receive_messages
from mirant.hosts.asgi_outgoing import Item, Outgoing, until_either
from mirant.hosts.asgi_scope import Receive, Scope, Send
from mirant.hosts.loop import Loop
from mirant.transports.websocket import UNSUPPORTED_DATA, Connection


class AsgiConnection(Connection):
    """A connection that is written by awaiting the server's ``send``."""

    __slots__ = ("outgoing",)

    def __init__(self, loop: Loop, request: Request) -> None:
        super().__init__(loop.core, request)
        self.outgoing = Outgoing()

    @property
    def writable(self) -> bool:
        return self.outgoing.empty

    def write(self, batches: Sequence[Batch]) -> None:
        self.outgoing.put(batches)

    def send(self, text: bytes) -> None:
        self.outgoing.put([text])

    def take_back(self) -> list[Batch]:
        return self.outgoing.take_back()

    def close(self, code: int, reason: str) -> None:
        self.outgoing.close(code, reason)


async def serve_websocket(loop: Loop, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
    """Accept the WebSocket of *scope* and run it until either side closes it."""
    await receive()  # websocket.connect
    offered = scope.get("subprotocols") or [None]
    # A browser that asks for a subprotocol aborts unless one is chosen; Bayeux has none of its own.
    await send({"type": "websocket.accept", "subprotocol": offered[0]})
    connection = AsgiConnection(loop, request)
    try:
        await until_either(_read(loop, connection, receive), _write(connection, send))
    except OSError:
        pass  # the peer went away while we sent: ASGI servers say so with some OSError
    finally:
        connection.outgoing.end()
        loop.core.detach(connection, loop.now(), connection.take_back())


async def _read(loop: Loop, connection: AsgiConnection, receive: Receive) -> None:
    while True:
        event = await receive()
        if event["type"] != "websocket.receive":
            return
        text = event.get("text")
        messages = None
        if text is None:
            connection.refuse(UNSUPPORTED_DATA, "Bayeux messages travel in text frames")
        else:
            messages = connection.read(text.encode())
        if messages is None:
            await asyncio.Event().wait()  # until the close has been sent, which cancels this
            return
        await loop.run(receive_messages(loop.core, messages, connection, loop.now()))
        await connection.outgoing.drained()


async def _write(connection: AsgiConnection, send: Send) -> None:
    async def send_text(item: Item) -> None:
        await send({"type": "websocket.send", "text": _text_of(item)})

    await connection.outgoing.run(send_text, lambda: connection.core.resume(connection))
    if connection.outgoing.closing is not None:
        code, reason = connection.outgoing.closing
        await send({"type": "websocket.close", "code": code, "reason": reason})


def _text_of(item: Item) -> str:
    if isinstance(item, bytes):
        return item.decode()
    if item.wire is None:
        item.wire = item.payload.decode()
    text: str = item.wire
    return text
