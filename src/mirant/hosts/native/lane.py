"""What all native connections of one server share: the bus and its path, the limits, uvicorn's state."""

from __future__ import annotations

import asyncio
import http
import socket
from typing import Any, Final
from urllib.parse import unquote

import httptools
from uvicorn import Config
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.server import ServerState

from mirant.bus.request import UNIX, Request
from mirant.hosts.addresses import read_address
from mirant.hosts.asgi.scope import is_below
from mirant.hosts.gate import Gate, transport_of
from mirant.hosts.headers import read_headers
from mirant.hosts.loop import Loop
from mirant.hosts.native.deadlines import ConnectionLimits, Watch
from mirant.hosts.native.requests import HttpRequest
from mirant.hosts.rfc6455.handshake import is_handshake
from mirant.hosts.routes import Routes
from mirant.transports.response import Headers, Response

_JSON: Final = Response(200, b"").content_type
_FORWARDED: Final = frozenset({"x-forwarded-for", "x-forwarded-proto"})


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    """An application that does nothing. The middleware in front of it changes the scope, which is wanted."""


def _with_unix(trusted: list[str] | str) -> list[str] | str:
    if trusted == "*" or trusted == ["*"]:
        return trusted  # everybody is trusted, and then uvicorn takes the first address instead of the last
    return [*(trusted.split(",") if isinstance(trusted, str) else trusted), UNIX]


class Lane:
    """What every connection of one server shares. `path` is where the bus is, without a slash at its end."""

    def __init__(
        self,
        loop: Loop,
        path: str,
        routes: Routes,
        limits: ConnectionLimits,
        config: Config,
        state: ServerState,
        app_state: Any,
    ) -> None:
        self.loop = loop
        self.core = loop.core
        self.path = path
        self.routes = routes
        self.limits = limits
        self.config = config
        self.state = state
        self.app_state = app_state
        self.event_loop = loop.bind()
        self.now = self.event_loop.time
        self.watch = Watch(self.event_loop, self.core.observers)
        #: Where connections with much to say wait for their turns.
        self.turns = loop.slices
        # The mode of a Unix socket decides who may open it. A peer that could is trusted as the proxy.
        self._proxies = ProxyHeadersMiddleware(
            _nothing, trusted_hosts=_with_unix(config.forwarded_allow_ips or "")
        )
        self._last_peer: tuple[str | None, bool] = (None, False)
        self._default_headers: object = None
        self._common = b""
        self._json_head = b""

    @property
    def gate(self) -> Gate:
        """What decides which requests are let in. There is a new one when the settings change."""
        return self.loop.gate

    # --- Where a request goes ---

    def path_of(self, incoming: HttpRequest) -> tuple[str, bytes] | None:
        """Return path and query of *incoming* if the bus is at that path; None if it is not."""
        try:
            url = httptools.parse_url(incoming.url)
            path = url.path.decode("ascii")
        except (httptools.HttpParserError, AttributeError, UnicodeDecodeError):
            return None
        if "%" in path:
            path = unquote(path)
        return (path, url.query or b"") if is_below(path, self.path) else None

    def destination(self, incoming: HttpRequest, transport: asyncio.Transport) -> tuple[str, Request] | None:
        """Return the Bayeux transport that *incoming* speaks, and what the bus needs to know of it.

        None if it is not for the native host: another path, one that has a route, a page, an event stream,
        or an upgrade that is refused, which the application answers too.
        """
        place = self.path_of(incoming)
        if place is None or incoming.method not in ("POST", "GET"):
            return None
        path, query = place
        if incoming.method == "GET" and not query and not incoming.upgrades:
            return None
        if not incoming.upgrades and self.routes.has(path.removeprefix(self.path)):
            return None
        request = self.request_of(incoming, query, transport)
        if incoming.upgrades:
            shakes = is_handshake(incoming.method, incoming.version, request.headers)
            admitted = shakes and self.gate.admits_websocket(request)
            return ("websocket", self.gate.seen(request)) if admitted else None
        name = transport_of(incoming.method, request.headers.get("accept"), query)
        if name not in ("long-polling", "callback-polling"):
            return None
        return name, self.gate.seen(request)

    def request_of(self, incoming: HttpRequest, query: bytes, transport: asyncio.Transport) -> Request:
        """Return what the bus needs to know of *incoming*."""
        headers, repeated = read_headers(incoming.headers)
        peer = _peer_of(transport)
        address = None if peer == UNIX else peer
        secure = transport.get_extra_info("sslcontext") is not None
        if self.config.proxy_headers and not _FORWARDED.isdisjoint(headers):
            told, secure = self._forwarded(incoming, peer, secure=secure)
            address = told or address
        if not incoming.url.startswith(b"/"):
            headers = _with_target(headers, incoming.url)
        return Request(
            headers,
            address=address,
            peer=peer,
            repeated=repeated,
            secure=secure,
            version=incoming.version,
            by_proxy=self._trusts(peer),
            query=query.decode("latin-1"),
        )

    def _trusts(self, peer: str | None) -> bool:
        """Whether uvicorn's rules trust *peer* to say what its client sent."""
        if peer != self._last_peer[0]:  # behind a proxy it is always the same
            self._last_peer = peer, bool(self.config.proxy_headers) and peer in self._proxies.trusted_hosts
        return self._last_peer[1]

    def _forwarded(self, incoming: HttpRequest, peer: str | None, *, secure: bool) -> tuple[str | None, bool]:
        """Return address and security as *peer* forwards them, if uvicorn's rules trust that proxy.

        The address is None if what is forwarded is not an IP address.
        """
        headers = [(name.lower(), value) for name, value in incoming.headers]
        protocols = [value for name, value in headers if name == b"x-forwarded-proto"]
        if protocols:
            # Each proxy of a chain may append what it was spoken to; the first is the client's. uvicorn takes
            # the last header of a name, and no list.
            headers.append((b"x-forwarded-proto", protocols[0].partition(b",")[0].strip().lower()))
        scope: Any = {
            "type": "http",
            "headers": headers,
            "client": None if peer is None else (peer, 0),
            "scheme": "https" if secure else "http",
        }
        nothing: Any = None
        try:
            self._proxies(scope, nothing, nothing).send(None)
        except StopIteration:  # it awaits nothing but the application
            pass
        client = scope["client"]
        return (None if client is None else read_address(client[0])), scope["scheme"] in ("https", "wss")

    # --- Responses ---

    def encode(self, response: Response, headers: Headers, *, close: bool) -> bytes:
        """Return the bytes of *response* with further *headers*; with *close*, it is the last response."""
        body = response.body
        self._refresh()
        if response.status == 200 and response.content_type == _JSON:
            head = self._json_head
            if not (close or headers or response.headers):
                return b"%b%d\r\n\r\n%b" % (head, len(body), body)
        else:
            line = b"HTTP/1.1 %d %b\r\n" % (response.status, http.HTTPStatus(response.status).phrase.encode())
            kind = response.content_type.encode("latin-1")
            head = b"%b%bcontent-type: %b\r\ncontent-length: " % (line, self._common, kind)
        more = b""
        for name, value in (*response.headers, *headers):
            more += b"%b: %b\r\n" % (name.encode("latin-1"), value.encode("latin-1"))
        if close and b"connection:" not in more:
            more += b"connection: close\r\n"
        return b"%b%d\r\n%b\r\n%b" % (head, len(body), more, body)

    def encode_poll(self, opening: bytes, reply: bytes) -> bytes:
        """Return the response with a JSON array: *opening*, which lacks its closing bracket, then *reply*."""
        if self.state.default_headers is not self._default_headers:
            self._refresh()
        return b"%b%d\r\n\r\n%b,%b]" % (self._json_head, len(opening) + len(reply) + 2, opening, reply)

    def upgraded(self, lines: bytes) -> bytes:
        """Return the response that accepts an upgrade, with the header *lines*."""
        self._refresh()
        return b"HTTP/1.1 101 Switching Protocols\r\n%b%b\r\n" % (self._common, lines)

    def _refresh(self) -> None:
        """Encode the headers of every response again when uvicorn has made a new list, with a new date."""
        defaults = self.state.default_headers
        if defaults is not self._default_headers:
            self._default_headers = defaults
            self._common = b"".join(b"%b: %b\r\n" % pair for pair in defaults)
            self._json_head = b"HTTP/1.1 200 OK\r\n%bcontent-type: %b\r\ncontent-length: " % (
                self._common,
                _JSON.encode(),
            )


def _with_target(headers: dict[str, str], target: bytes) -> dict[str, str]:
    """Return *headers* with the host in *target*, if it is in absolute form (RFC 9112, section 3.2.2)."""
    authority = target.partition(b"://")[2].partition(b"/")[0].partition(b"?")[0]
    return {**headers, "host": authority.decode("latin-1")} if authority and "host" in headers else headers


def _peer_of(transport: asyncio.Transport) -> str | None:
    """Return the IP address at the other end, or `UNIX`; None if the peer is gone."""
    name = transport.get_extra_info("peername")
    if isinstance(name, tuple):
        return str(name[0])
    connection = transport.get_extra_info("socket")
    return UNIX if connection is not None and connection.family == socket.AF_UNIX else None
