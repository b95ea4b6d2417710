"""Requests to the application: passed on to uvicorn's own protocol, and by it to the application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mirant.hosts.native.lane import Lane
from mirant.hosts.native.requests import HttpRequest


class _Flow(FlowControl):
    """uvicorn's flow control, on a transport whose reading the native protocol may have paused too."""

    def __init__(self, transport: asyncio.Transport, is_read_paused: Callable[[], bool]) -> None:
        super().__init__(transport)
        self._is_read_paused = is_read_paused

    def resume_reading(self) -> None:
        if self._is_read_paused():
            self.read_paused = False
        else:
            super().resume_reading()


class AppAnswer(HttpToolsProtocol):
    """uvicorn's protocol on a connection of the native protocol, which gives it one request at a time.

    Each request is written anew from what our parser understood, so that the two parsers cannot disagree on
    where it ends (request smuggling: RFC 9112, section 11.2). *is_read_paused* says whether the native
    protocol has paused reading. *answered* is called after each request, *left* when the connection has
    become a WebSocket of the application.
    """

    def __init__(
        self,
        lane: Lane,
        transport: asyncio.Transport,
        *,
        is_read_paused: Callable[[], bool],
        answered: Callable[[], None],
        left: Callable[[], None],
    ) -> None:
        super().__init__(lane.config, lane.state, lane.app_state)
        self._answered = answered
        self._left = left
        self._incoming: HttpRequest | None = None
        self._chunked = False
        self._responded = False  # whether the application has sent its whole response
        self.connection_made(transport)
        self.flow = _Flow(transport, is_read_paused)
        self.connections.discard(self)  # the native protocol is there already

    @property
    def reads(self) -> bool:
        """Whether more of the request is to come."""
        return self._incoming is not None

    @property
    def has_responded(self) -> bool:
        """Whether the application has answered, and the rest of the request does not matter."""
        return self._responded

    @property
    def is_held(self) -> bool:
        """Whether nobody can tell how long the answer will take."""
        return True

    def begin(self, incoming: HttpRequest) -> None:
        """Pass on *incoming*, and what has come of its body."""
        self._incoming = incoming
        self._chunked = incoming.chunked
        self._responded = False
        self.data_received(incoming.head())
        protocol = self.transport.get_protocol()
        if incoming.upgrades and incoming.rest and isinstance(protocol, asyncio.Protocol):
            protocol.data_received(incoming.rest)
        if not incoming.upgrades:
            self.proceed()

    def proceed(self) -> None:
        """Pass on what has come of the body since."""
        incoming = self._incoming
        if incoming is None:
            return
        body = incoming.take_body()
        if body:
            self.data_received(b"%x\r\n%b\r\n" % (len(body), body) if self._chunked else body)
        if incoming.complete:
            self._incoming = None
            if self._chunked:
                self.data_received(b"0\r\n\r\n")
            if self._responded:
                self._answered()

    def half_close(self) -> None:
        """Do nothing: the application learns of the end from uvicorn."""

    def hang_up(self) -> None:
        """Do nothing: uvicorn learns of the end from `connection_lost`."""

    def on_response_complete(self) -> None:
        # uvicorn's own method would read the next request and watch the idle time. The native protocol does.
        self.flow.resume_reading()
        self._responded = True
        if self._incoming is None and not self.transport.is_closing():
            self._answered()

    def handle_websocket_upgrade(self) -> None:
        self._left()
        super().handle_websocket_upgrade()
