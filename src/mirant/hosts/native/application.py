"""Requests that are not the bus's: passed on, byte by byte, to uvicorn's own protocol and the application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mirant.hosts.native.lane import Lane
from mirant.hosts.native.requests import Incoming


class _Flow(FlowControl):
    """uvicorn's, on a transport that somebody else may have stopped reading from too."""

    def __init__(self, transport: asyncio.Transport, holds: Callable[[], bool]) -> None:
        super().__init__(transport)
        self._holds = holds

    def resume_reading(self) -> None:
        if self._holds():
            self.read_paused = False
        else:
            super().resume_reading()


class AppAnswer(HttpToolsProtocol):
    """uvicorn's protocol on a connection that is not its own: it is given one request at a time.

    Each is written anew from what our parser understood, so that the two cannot disagree on where a request
    ends (request smuggling). *holds* tells whether nothing is to be read from the transport for now.
    *answered* is called after each request, *left* when the connection has become a WebSocket of the
    application's.
    """

    def __init__(
        self,
        lane: Lane,
        transport: asyncio.Transport,
        *,
        holds: Callable[[], bool],
        answered: Callable[[], None],
        left: Callable[[], None],
    ) -> None:
        super().__init__(lane.config, lane.state, lane.app_state)
        self._answered = answered
        self._left = left
        self._incoming: Incoming | None = None
        self._chunked = False
        self._responded = False  # whether the application has said all it has to say
        self.connection_made(transport)
        self.flow = _Flow(transport, holds)
        self.connections.discard(self)  # the native protocol is there already

    @property
    def reads(self) -> bool:
        """Whether more of the request is to come."""
        return self._incoming is not None

    @property
    def has_responded(self) -> bool:
        """Whether what is still to come of the request is of no interest."""
        return self._responded

    @property
    def is_held(self) -> bool:
        """Whether there is no telling how long the answer will take."""
        return True

    def begin(self, incoming: Incoming) -> None:
        """Pass on *incoming*, as far as it has come."""
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
        """Pass on what has come since."""
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

    def spare(self) -> None:
        """Take note that the client sends no more: that is for the application to find out."""

    def hang_up(self) -> None:
        """Take note that nobody waits for the answer: uvicorn learns it from `connection_lost`."""

    def on_response_complete(self) -> None:
        # Not uvicorn's own: the next request comes from us, and the idle time is watched by us.
        self.flow.resume_reading()
        self._responded = True
        if self._incoming is None and not self.transport.is_closing():
            self._answered()

    def handle_websocket_upgrade(self) -> None:
        self._left()
        super().handle_websocket_upgrade()
