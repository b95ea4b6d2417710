"""A bus as an ASGI application: mountable in any framework, served by any ASGI server."""

from __future__ import annotations

import asyncio

from mirant.bus.request import Request
from mirant.hosts.asgi.exchange import answer_messages, read_body
from mirant.hosts.asgi.scope import (
    Receive,
    Scope,
    Send,
    answer_lifespan,
    request_of,
    send_response,
    split_path,
    watched,
)
from mirant.hosts.asgi.stream import serve_stream
from mirant.hosts.asgi.websocket import serve_websocket
from mirant.hosts.gate import METHODS, transport_of
from mirant.hosts.loop import Loop
from mirant.hosts.pages import Pages
from mirant.hosts.routes import Routes
from mirant.transports.response import Headers, Response, refuse


class AsgiHost:
    """Answers requests: those at a route by its handler, and of all others POST as Bayeux and GET as a page.

    Two GETs are Bayeux too: those that want an event stream, and those that want a script. An upgrade is
    Bayeux over a WebSocket at every path.
    """

    def __init__(self, loop: Loop, pages: Pages, routes: Routes) -> None:
        self._loop = loop
        self._pages = pages
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        try:
            await self._serve(scope, receive, send)
        except asyncio.CancelledError:
            if not self._loop.core.closing:
                raise  # else the server ends, and cancels what has not ended in time

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._loop.bind()
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
        if self._loop.gate.admits_websocket(request):
            await serve_websocket(self._loop, request, scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})  # refuses the upgrade with 403

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = request_of(scope)
        transport = transport_of(scope["method"], request.headers.get("accept"), scope["query_string"])
        headers = self._loop.gate.headers(request) if scope["method"] != "OPTIONS" else ()
        response: Response | None
        if self._routes.has(split_path(scope)[1]):
            response = await self._routed(request, scope, receive)
        elif transport is None:
            response = self._other(request, scope)
        else:
            response = self._loop.gate.refusal(request, transport)
            if response is None:
                response = await self._bayeux(transport, request, headers, scope, receive, send)
        if response is not None:
            await send_response(response, send, omit_body=scope["method"] == "HEAD", headers=headers)

    async def _routed(self, request: Request, scope: Scope, receive: Receive) -> Response:
        """Answer a request at a path that has a route."""

        async def read(limit: int) -> bytes | None:
            return await read_body(request, receive, limit)

        path = split_path(scope)[1]
        return await self._routes.answer(scope["method"], path, request, self._loop.gate, read)

    async def _bayeux(
        self, transport: str, request: Request, headers: Headers, scope: Scope, receive: Receive, send: Send
    ) -> Response | None:
        """Return the response to a request that speaks *transport*; None if there is nothing left to send."""
        if transport == "eventsource":
            return await serve_stream(self._loop, request, scope["path"], headers, receive, send)
        return await answer_messages(self._loop, transport, request, receive)

    def _other(self, request: Request, scope: Scope) -> Response:
        """Answer a request that is not Bayeux."""
        if scope["method"] in ("GET", "HEAD"):
            base, path = split_path(scope)
            return self._pages.respond(path, base, request.headers.get("if-none-match"))
        if scope["method"] == "OPTIONS":
            return self._loop.gate.preflight(request)
        return refuse(405, "Send Bayeux messages by POST.", ("allow", METHODS))
