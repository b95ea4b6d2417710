"""The limits of the native host's connections, and one timer for the deadlines of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

from mirant.bus.clock import Clock
from mirant.bus.deadlines import Deadlines, Entry
from mirant.bus.failures import FailureLog
from mirant.bus.observer import Observers

#: Bytes that a client has to send of a body or a message within `ConnectionLimits.body`, for it to be given
#: the same time again. It is 2 KiB a second: a phone at the edge of a cell has more.
LEAST_SENT: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """How long a connection may wait for its client, in seconds, and how many connections there may be."""

    #: From the beginning of a connection, or of a request, to the end of its head. A phone on a bad network
    #: needs 3. Apache allows 20, which lets a slowloris keep a connection for that long.
    head: float = 10.0
    #: For a body to the bus, or a message on a WebSocket, from its first byte to its last; again for each
    #: `LEAST_SENT` bytes of it. For a body to the application, between two reads, for which nginx allows 60.
    body: float = 30.0
    #: Without a request. Proxies keep connections for 60; they should close first, not while they send.
    idle: float = 75.0
    #: From an upgrade, or the end of a session, to a new session. A client handshakes within a round trip.
    session: float = 10.0
    #: Without a byte from a WebSocket, until a ping is sent. Heartbeats come every 30, so most get no ping.
    silence: float = 40.0
    #: For the answer to that ping.
    pong: float = 20.0
    #: For the peer to take what is still being sent, and to close its side.
    closing: float = 2.0
    #: The same when the server ends: a person or a supervisor waits for that.
    leaving: float = 0.5
    #: Connections at a time: one for each session (100,000), and a tenth for those without a session yet.
    connections: int = 110_000


class Watched(Entry, Protocol):
    """A connection that has a deadline."""

    def overdue(self, now: float) -> None:
        """Act on the deadline, which has passed; set it again if it should have moved meanwhile."""


class TimerLoop(Protocol):
    """The part of an event loop that a `Watch` uses."""

    def time(self) -> float: ...

    def call_at(self, when: float, callback: Any) -> Any: ...


class Watch:
    """Calls connections when their deadlines have passed, with one timer for all."""

    __slots__ = ("_armed_for", "_clock", "_deadlines", "_observers", "_timer")

    def __init__(self, clock: TimerLoop, observers: Observers | None = None) -> None:
        """*observers* learn of connections that fail; without any, the log does."""
        self._clock = clock
        self._observers = observers or Observers(FailureLog(Clock(clock.time)))
        self._deadlines: Deadlines[Watched] = Deadlines()
        self._timer: Any = None
        self._armed_for = 0.0

    def set(self, connection: Watched, deadline: float) -> None:
        """Call *connection* at *deadline*, and no longer at the deadline it had."""
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
            except (
                Exception
            ) as error:  # one connection's failure: the others have their deadlines all the same
                self._observers.fail("connection.failed", error)
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
