"""A bus as an ASGI application: mountable in any framework, served by any ASGI server."""

from __future__ import annotations

import asyncio
from typing import Final

from mirant.bus.carrier import Request
from mirant.hosts.asgi_exchange import answer_post, answer_script
from mirant.hosts.asgi_scope import (
    Receive,
    Scope,
    Send,
    answer_lifespan,
    request_of,
    send_response,
    split_path,
    watched,
)
from mirant.hosts.asgi_stream import serve_stream
from mirant.hosts.asgi_websocket import serve_websocket
from mirant.hosts.loop import Loop
from mirant.hosts.pages import Pages
from mirant.policy.origin import Origins
from mirant.transports.callback_polling import callback_of
from mirant.transports.long_polling import Response, refuse

#: The transports whose clients speak by POST.
_BY_POST: Final = frozenset({"long-polling", "cross-origin-long-polling", "eventsource"})

_METHODS: Final = ("allow", "GET, HEAD, POST, OPTIONS")


class AsgiHost:
    """Answers requests: POST is Bayeux at any path, an upgrade is Bayeux over a WebSocket, GET is a page.

    Two GETs are Bayeux too: those that want an event stream, and those that want a script.
    """

    def __init__(self, loop: Loop, pages: Pages) -> None:
        self._loop = loop
        self._pages = pages
        self._offered = loop.core.settings.transports
        self._origins = Origins(loop.core.settings.allow_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        try:
            await self._serve(scope, receive, send)
        except asyncio.CancelledError:
            if not self._loop.core.closing:
                raise  # else the server is in a hurry, which is no error

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "lifespan":
            await answer_lifespan(watched(receive, opened=self._loop.open, closed=self._loop.close), send)
        else:
            raise NotImplementedError(f"a bus serves http, websocket and lifespan, not {scope['type']!r}")

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = request_of(scope)
        if "websocket" in self._offered and self._origins.admits(request):
            await serve_websocket(self._loop, request, scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})  # refuses the upgrade with 403

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = request_of(scope)
        transport = _transport_of(request, scope)
        admitted = self._origins.admits(request)
        headers = self._origins.headers(request) if admitted and scope["method"] != "OPTIONS" else ()
        response: Response | None
        if transport is None:
            response = self._other(request, scope)
        elif not admitted:
            response = refuse(403, "Pages of this origin may not use the bus; see its allow_origins.")
        elif not self._offers(transport):
            response = refuse(403, f"This bus does not offer {transport}; its option `transports` says what.")
        elif transport == "eventsource":
            response = await serve_stream(self._loop, request, scope["path"], headers, receive, send)
        elif transport == "callback-polling":
            response = await answer_script(self._loop, request, _query(scope), receive)
        else:
            response = await answer_post(self._loop, request, receive)
        if response is not None:
            await send_response(response, send, omit_body=scope["method"] == "HEAD", headers=headers)

    def _offers(self, transport: str) -> bool:
        # With several transports the client speaks by POST.
        named = _BY_POST if transport == "long-polling" else {transport}
        return not named.isdisjoint(self._offered)

    def _other(self, request: Request, scope: Scope) -> Response:
        """Answer a request that is not Bayeux."""
        if scope["method"] in ("GET", "HEAD"):
            base, path = split_path(scope)
            return self._pages.respond(path, base, request.headers.get("if-none-match"))
        if scope["method"] == "OPTIONS":
            preflight = self._origins.preflight(request) if self._origins.admits(request) else ()
            return Response(204, b"", headers=(_METHODS, *preflight))
        return refuse(405, "Send Bayeux messages by POST.", _METHODS)


def _transport_of(request: Request, scope: Scope) -> str | None:
    """Return the name of the transport that an HTTP request belongs to, None if it is not Bayeux."""
    if scope["method"] == "POST":
        return "long-polling"
    if scope["method"] == "GET" and request.headers.get("accept") == "text/event-stream":
        return "eventsource"
    if scope["method"] == "GET" and callback_of(_query(scope)) is not None:
        return "callback-polling"
    return None


def _query(scope: Scope) -> str:
    query: bytes = scope["query_string"]
    return query.decode("utf-8", "surrogateescape")  # what is not UTF-8 is refused when it is read
