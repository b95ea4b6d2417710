"""What is kept for clients whose sessions the application ended, until they come and are told.

A client that polls is not there between two polls, and neither is one whose connection just broke. Its next
connect names a session that the bus does not know any more. It would be told to handshake, and a client that
was to stay away would return. So for a while the bus keeps what waited for it, and that it was sent away.

It is bounded by time, by number and by bytes. The oldest give way. A client that comes too late is told to
handshake, like that of any session that ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mirant.bayeux.messages import Delivery, Message, Reply
from mirant.bus.carrier import MAX_RESPONSE
from mirant.bus.contracts import Host
from mirant.bus.deadlines import Deadlines
from mirant.bus.session import Session
from mirant.bus.turn import Answer

#: For how many seconds a farewell is kept at most. It is not kept for longer than the session would have
#: lived without being heard of.
KEPT_FOR: Final = 60.0

#: How many are kept at most, and how many bytes of messages in all of them.
MAX_KEPT: Final = 10_000
MAX_BYTES: Final = 8 * 1024 * 1024


#: Told to clients of sessions that the server ends (Bayeux 1.0 has no word for it; the reference does this).
DISMISSAL: Final = Delivery("/meta/disconnect", b'{"channel":"/meta/disconnect","successful":true}')


def farewell_answer() -> Answer:
    """Return the same as an answer, which no message asked for."""
    return Answer(Message(), Reply(channel="/meta/disconnect", successful=True))


class Farewell:
    """What one client is to be told, and what says whose it is: the same as of its session."""

    __slots__ = ("address", "bound_at", "browser", "bucket", "client_id", "deadline", "deliveries", "size")

    def __init__(self, session: Session) -> None:
        self.client_id = session.record.id
        self.browser = session.record.browser
        self.bound_at = session.bound_at
        self.address = session.record.address
        #: The last messages. Empty: the client was given them, or there were none.
        self.deliveries: Sequence[Delivery] = ()
        self.size = 0
        # deadlines.py
        self.deadline = 0.0
        self.bucket: int | None = None


class Farewells:
    """The farewells of clients that are still to come for them, by clientId, the oldest first."""

    __slots__ = ("_deadlines", "_full", "_host", "_kept", "_size")

    def __init__(self, host: Host) -> None:
        self._host = host
        self._kept: dict[str, Farewell] = {}
        self._full: dict[Farewell, None] = {}  # those with messages
        self._deadlines: Deadlines[Farewell] = Deadlines()
        self._size = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def size(self) -> int:
        """How many bytes of messages they have."""
        return self._size

    def keep(self, session: Session, deliveries: Sequence[Delivery], now: float) -> None:
        """Keep for the client of *session*, which ends *now*, that it was sent away, and its *deliveries*."""
        farewell = self._kept[session.record.id] = Farewell(session)
        until = now + min(session.record.max_interval, KEPT_FOR)
        if self._deadlines.set(farewell, until):
            self._host.wake_at(until)
        self._fill(farewell, deliveries)
        while len(self._kept) > MAX_KEPT:
            self._forget(next(iter(self._kept.values())))

    def find(self, client_id: str | None) -> Farewell | None:
        """Return what the client of the session *client_id* is to be told, if it was sent away."""
        return self._kept.get(client_id or "")

    def take(self, farewell: Farewell) -> Sequence[Delivery]:
        """Return the last messages, which leave now. That the client was sent away is kept."""
        deliveries = farewell.deliveries
        self._empty(farewell)
        return deliveries

    def next(self) -> float | None:
        """Return when `advance` has to be called next; None if nothing is kept."""
        return self._deadlines.next()

    def advance(self, now: float) -> None:
        """Forget what was kept for long enough."""
        for farewell in self._deadlines.due(now):
            self._forget(farewell)

    def _fill(self, farewell: Farewell, deliveries: Sequence[Delivery]) -> None:
        """Let *farewell* have *deliveries*, the first ones as far as they fit into one answer."""
        kept: list[Delivery] = []
        for delivery in deliveries:
            size = len(delivery.payload)
            if farewell.size + size > MAX_RESPONSE:
                break
            farewell.size += size
            kept.append(delivery)
        farewell.deliveries = kept
        if kept:
            self._full[farewell] = None
        self._size += farewell.size
        while self._size > MAX_BYTES:
            self._empty(next(iter(self._full)))

    def _empty(self, farewell: Farewell) -> None:
        self._full.pop(farewell, None)
        self._size -= farewell.size
        farewell.deliveries, farewell.size = (), 0

    def _forget(self, farewell: Farewell) -> None:
        self._empty(farewell)
        self._deadlines.remove(farewell)
        del self._kept[farewell.client_id]
