"""A connection over TLS until its handshake is done.

uvicorn and asyncio know nothing of a connection before that: it would not count, and have 60 seconds.
"""

from __future__ import annotations

import asyncio
import ssl

from mirant.hosts.native.connection import HttpConnection
from mirant.hosts.native.lane import Lane


class TlsDoor(asyncio.Protocol):
    """The protocol of a connection that is to speak TLS; *connection* takes over when it does."""

    __slots__ = ("_connection", "_context", "_early", "_lane", "_shaking", "_transport", "bucket", "deadline")

    def __init__(self, lane: Lane, context: ssl.SSLContext, connection: HttpConnection) -> None:
        self._lane = lane
        self._context = context
        self._connection = connection
        self._early: list[bytes] = []  # what came right behind the handshake
        self._transport: asyncio.Transport | None = None
        self._shaking: asyncio.Task[None] | None = None
        self.deadline = 0.0
        self.bucket: int | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # it is one
        self._transport = transport
        lane = self._lane
        if len(lane.state.connections) >= lane.limits.connections:
            transport.abort()  # without TLS there are no words that the client would understand
            return
        transport.pause_reading()  # what comes is for TLS
        lane.state.connections.add(self)  # type: ignore[arg-type]  # all it needs is `shutdown`
        lane.watch.set(self, lane.now() + lane.limits.head)
        self._shaking = lane.event_loop.create_task(self._shake_hands(transport))

    def data_received(self, data: bytes) -> None:
        self._early.append(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()

    def overdue(self, now: float) -> None:
        """End the connection: its client has not shaken hands in time."""
        self.shutdown()

    def shutdown(self) -> None:
        """End the connection: uvicorn calls this when the server ends."""
        if self._transport is not None:
            self._transport.abort()
        if self._shaking is not None:
            self._shaking.cancel()

    async def _shake_hands(self, transport: asyncio.Transport) -> None:
        try:
            secure = await self._lane.event_loop.start_tls(
                transport, self, self._context, server_side=True, ssl_handshake_timeout=self._lane.limits.head
            )
        except OSError:
            return  # it does not speak TLS, or not with us, or it has gone
        finally:
            self._forget()
        if secure is not None and not secure.is_closing():
            self._hand_over(secure)

    def _hand_over(self, secure: asyncio.Transport) -> None:
        early, self._early = self._early, []
        secure.set_protocol(self._connection)
        self._connection.connection_made(secure)
        for data in early:
            self._connection.data_received(data)

    def _forget(self) -> None:
        self._lane.watch.remove(self)
        self._lane.state.connections.discard(self)
