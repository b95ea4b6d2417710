"""A bus as an ASGI application: mountable in any framework, served by any ASGI server."""

from __future__ import annotations

import asyncio

from mirant.bus.request import Request
from mirant.hosts.asgi.ending import ServerEnding
from mirant.hosts.asgi.exchange import BodyLate, Respond, answer_messages, read_body
from mirant.hosts.asgi.mounts import split_path
from mirant.hosts.asgi.scope import (
    Receive,
    Scope,
    Send,
    answer_lifespan,
    request_of,
    send_response,
    watched,
)
from mirant.hosts.asgi.stream import serve_stream
from mirant.hosts.asgi.websocket import serve_websocket
from mirant.hosts.gate import METHODS, Gate, transport_of
from mirant.hosts.loop import Loop
from mirant.hosts.native.deadlines import Watch
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
        self._ending = ServerEnding(loop.depart)
        self._watch: tuple[asyncio.AbstractEventLoop, Watch] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope.

        Cancellation: a held /meta/connect is answered, with advice to come back; then it is raised again.
        """
        self._ending.watch(self._loop.bind(), has_requests=scope["type"] != "lifespan")
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
            watch = self._watch_on(asyncio.get_running_loop())
            await serve_websocket(self._loop, watch, self._loop.gate.seen(request), scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})  # refuses the upgrade with 403

    def _watch_on(self, event_loop: asyncio.AbstractEventLoop) -> Watch:
        """Return what has the deadlines of the WebSockets on *event_loop*."""
        if self._watch is None or self._watch[0] is not event_loop:
            self._watch = event_loop, Watch(event_loop, self._loop.core.observers)
        return self._watch[1]

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        gate, request = self._loop.gate, request_of(scope)
        misdirection = gate.misdirection(request)
        if misdirection is not None:
            await send_response(misdirection, send, omit_body=scope["method"] == "HEAD")
            return
        request = gate.seen(request)
        transport = transport_of(scope["method"], request.headers.get("accept"), scope["query_string"])
        headers = _headers(gate, request, scope["method"])

        async def respond(response: Response) -> None:
            await send_response(response, send, omit_body=scope["method"] == "HEAD", headers=headers)

        try:
            await self._answer(request, transport, headers, scope, receive, send, respond)
        except BodyLate as late:
            await respond(late.response)

    async def _answer(
        self,
        request: Request,
        transport: str | None,
        headers: Headers,
        scope: Scope,
        receive: Receive,
        send: Send,
        respond: Respond,
    ) -> None:
        """Answer *request*, which speaks *transport* if it is Bayeux; a stream has *headers* of its own."""
        response: Response | None
        if self._routes.has(split_path(scope)[1]):
            response = await self._routed(request, scope, receive)
        elif transport is None:
            lost = self._loop.gate.lost_upgrade(scope["method"], request)
            response = self._other(request, scope) if lost is None else lost
        else:
            response = self._loop.gate.refusal(request, transport)
            if response is None and transport != "eventsource":
                await answer_messages(self._loop, transport, request, receive, respond)
            elif response is None:
                response = await serve_stream(self._loop, request, scope["path"], headers, receive, send)
        if response is not None:
            await respond(response)

    async def _routed(self, request: Request, scope: Scope, receive: Receive) -> Response:
        """Answer a request at a path that has a route."""

        async def read(limit: int) -> bytes | None:
            return await read_body(request, receive, limit)

        path = split_path(scope)[1]
        loop, fail = self._loop, self._loop.core.observers.fail
        return await self._routes.answer(scope["method"], path, request, loop.gate, read, loop.run, fail)

    def _other(self, request: Request, scope: Scope) -> Response:
        """Answer a request that is not Bayeux."""
        if scope["method"] in ("GET", "HEAD"):
            base, path = split_path(scope)
            return self._pages.respond(path, base, request.headers.get("if-none-match"))
        if scope["method"] == "OPTIONS":
            return self._loop.gate.preflight(request)
        return refuse(405, "Send Bayeux messages by POST.", ("allow", METHODS))


def _headers(gate: Gate, request: Request, method: str) -> Headers:
    """Return the headers by which pages of other origins can read the response; a preflight has its own."""
    if method == "OPTIONS":
        return ()
    return gate.headers(request) if method == "POST" else gate.page_headers(request)
