"""How long and how many: the limits of the native host's connections, and one timer for all of them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Protocol

from mirant.bus.deadlines import Deadlines, Entry

log = logging.getLogger("mirant")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one connection may take. Durations are seconds."""

    #: From a connection's beginning, or a request's first byte, to the end of its head. A phone on a bad
    #: network needs 3; Apache allows 20, and a slowloris lives on every second.
    head: float = 10.0
    #: Between two reads of a body. nginx allows 60; a body is at most a MiB.
    body: float = 30.0
    #: Without a request. Longer than the 60 of the usual proxies, which should be the ones to hang up.
    idle: float = 75.0
    #: From an upgrade, or the end of a session, to a session. A client handshakes within a round trip.
    session: float = 10.0
    #: Of a WebSocket, until it is sent a ping. Longer than the 30 between heartbeats: most never get one.
    silence: float = 40.0
    #: For the answer to that ping.
    pong: float = 20.0
    #: For the peer to take what is still being sent to it, and to close its side.
    closing: float = 2.0
    #: The same when the server ends: somebody waits for it.
    leaving: float = 0.5
    #: Connections at a time: as many as sessions, and a tenth for those that have none yet.
    connections: int = 110_000


class Watched(Entry, Protocol):
    """A connection that has a deadline."""

    def overdue(self, now: float) -> None:
        """Act: the deadline has passed. If it has moved meanwhile, set it anew."""


class Clock(Protocol):
    """What is needed of an event loop."""

    def time(self) -> float: ...

    def call_at(self, when: float, callback: Any) -> Any: ...


class Watch:
    """Calls connections when their deadlines have passed, with one timer for all."""

    __slots__ = ("_armed_for", "_clock", "_deadlines", "_timer")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._deadlines: Deadlines[Watched] = Deadlines()
        self._timer: Any = None
        self._armed_for = 0.0

    def set(self, connection: Watched, deadline: float) -> None:
        """Let *connection* be called at *deadline*, and not at the one it had."""
        if self._deadlines.set(connection, deadline):
            self._arm()

    def remove(self, connection: Watched) -> None:
        """Forget *connection*."""
        self._deadlines.remove(connection)

    def check(self) -> None:
        """Call those whose deadlines have passed."""
        self._timer = None
        now = self._clock.time()
        for connection in self._deadlines.due(now):
            try:
                connection.overdue(now)
            except Exception:  # one connection's failure must not keep the others from their deadlines
                log.exception("connection.failed")
        self._arm()

    def _arm(self) -> None:
        upcoming = self._deadlines.next()
        if upcoming is None:
            return
        if self._timer is not None:
            if self._armed_for <= upcoming:
                return
            self._timer.cancel()
        self._armed_for = upcoming
        self._timer = self._clock.call_at(upcoming, self.check)
