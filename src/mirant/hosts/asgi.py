"""A bus as an ASGI application: mountable in any framework, served by any ASGI server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from mirant.bus.carrier import Request
from mirant.bus.receive import receive as receive_messages
from mirant.hosts.asgi_websocket import serve_websocket
from mirant.hosts.loop import Loop
from mirant.hosts.pages import CONTENT_SECURITY_POLICY, Pages, etag
from mirant.transports.long_polling import Exchange, Response, refuse

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]

_METHODS: Final = ("allow", "GET, HEAD, POST, OPTIONS")


class AsgiHost:
    """Answers requests: POST is Bayeux at any path, GET is a page, an upgrade is Bayeux over a WebSocket."""

    def __init__(self, loop: Loop, pages: Pages) -> None:
        self._loop = loop
        self._core = loop.core
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await serve_websocket(self._loop, request_of(scope), scope, receive, send)
        elif scope["type"] == "lifespan":
            await answer_lifespan(receive, send)
            await self._loop.close()
        else:
            raise NotImplementedError(f"a bus serves http, websocket and lifespan, not {scope['type']!r}")

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        if method == "POST":
            response = await self._bayeux(scope, receive)
            if response is None:
                return  # the client is gone
        elif method in ("GET", "HEAD"):
            response = self._page(scope)
        elif method == "OPTIONS":
            response = Response(204, b"", headers=(_METHODS,))
        else:
            response = refuse(405, "Send Bayeux messages by POST.", _METHODS)
        await send_response(response, send, omit_body=method == "HEAD")

    async def _bayeux(self, scope: Scope, receive: Receive) -> Response | None:
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        exchange = Exchange(self._core, request_of(scope), lambda response: settle(answer, response))
        limit = self._core.settings.max_body
        body = await read_body(exchange.request, receive, limit)
        if body is None:
            return refuse(413, f"The body is larger than {limit} bytes.", ("connection", "close"))
        messages = exchange.read(body)
        try:
            if messages is not None:
                await self._loop.run(receive_messages(self._core, messages, exchange, self._loop.now()))
                await asyncio.sleep(0)  # the flush was called for: after this turn most answers are there
            if not answer.done():
                await until_gone_or(answer, receive)
        finally:
            if not answer.done():
                self._core.detach(exchange, self._loop.now())
        return answer.result() if answer.done() else None

    def _page(self, scope: Scope) -> Response:
        base, path = split_path(scope)
        page = self._pages.find(path)
        if page is None:
            return refuse(404, f"There is no page {path}. Bayeux messages are sent to {base or '/'} by POST.")
        content = page.rendered(base)
        headers = (
            ("cache-control", "no-cache"),
            ("content-security-policy", CONTENT_SECURITY_POLICY),
            ("etag", etag(content)),
            ("referrer-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
        )
        if request_of(scope).headers.get("if-none-match") == etag(content):
            return Response(304, b"", page.content_type, headers)
        return Response(200, content, page.content_type, headers)


def settle(answer: asyncio.Future[Response], response: Response) -> None:
    """Give *answer* its result, unless nobody waits for it any more."""
    if not answer.done():
        answer.set_result(response)


def request_of(scope: Scope) -> Request:
    """Return what the bus needs to know of the request in *scope*."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        separator = "; " if name == "cookie" else ", "  # RFC 9113, section 8.2.3, and RFC 9110, section 5.3
        headers[name] = f"{headers[name]}{separator}{value}" if name in headers else value
    client = scope.get("client")
    return Request(headers, client[0] if client else None, scope.get("scheme") in ("https", "wss"))


def split_path(scope: Scope) -> tuple[str, str]:
    """Return where the bus is mounted, and the path below that."""
    base, path = scope.get("root_path", ""), scope["path"]
    # Since version 2.3 of its HTTP part ASGI has the mount in both; older servers have it in one.
    return base, path.removeprefix(base) if path.startswith(base) else path


async def read_body(request: Request, receive: Receive, limit: int) -> bytes | None:
    """Return the whole body, or None as soon as it is known to be larger than *limit*."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced[:20]) > limit:
        return None
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return b""
        part = event.get("body", b"")
        size += len(part)
        if size > limit:
            return None
        parts.append(part)
        if not event.get("more_body", False):
            return b"".join(parts)


async def until_gone_or(answer: asyncio.Future[Response], receive: Receive) -> None:
    """Wait until *answer* has a result or the client has closed its connection."""
    gone = asyncio.ensure_future(receive())
    try:
        waiting: set[asyncio.Future[Any]] = {answer, gone}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()


async def send_response(response: Response, send: Send, *, omit_body: bool) -> None:
    """Send *response*, without its body for a HEAD request."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    if response.status not in (204, 304):
        headers.append((b"content-type", response.content_type.encode("latin-1")))
        headers.append((b"content-length", str(len(response.body)).encode("latin-1")))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if omit_body else response.body})


async def answer_lifespan(receive: Receive, send: Send) -> None:
    """Answer the lifespan events of an ASGI server until it shuts down."""
    while True:
        event = await receive()
        await send({"type": f"{event['type']}.complete"})
        if event["type"] == "lifespan.shutdown":
            return
