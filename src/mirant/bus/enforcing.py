"""Putting rules in force: who a session is, and what of its subscriptions that still allows."""

from __future__ import annotations

from typing import Final

import msgspec

from mirant.bayeux.messages import Delivery
from mirant.bus.clock import Clock
from mirant.bus.contracts import Guard
from mirant.bus.hub import Hub
from mirant.bus.identity import Identity
from mirant.bus.in_force import InForce
from mirant.bus.observer import Observers
from mirant.bus.party import Visitor
from mirant.bus.session import Session
from mirant.bus.sessions import Sessions

#: Where a client is told that it lost subscriptions: ``{"subscriptions": ["/a", …]}``.
REVOKED: Final = "/service/mirant/revoked"


class Enforcing:
    """Applies the guard to sessions that were let in before it, or as somebody else."""

    __slots__ = ("_clock", "_hub", "_in_force", "_observers", "_sessions")

    def __init__(
        self,
        sessions: Sessions,
        hub: Hub,
        in_force: InForce,
        observers: Observers,
        clock: Clock,
    ) -> None:
        self._sessions = sessions
        self._hub = hub
        self._in_force = in_force
        self._observers = observers
        self._clock = clock

    def install(self, guard: Guard | None, sessions: list[Session]) -> int:
        """Let *guard* judge from now on, all at once; *sessions* lose what it would not grant them.

        Returns how many subscriptions were revoked.
        """
        former, self._in_force.guard = self._in_force.guard, guard
        self._hub.follow(former, guard)
        return sum(map(self.review, sessions))

    def admit(self, identity: Identity | None, address: str | None, now: float) -> None:
        """Check whether a client may sign in as *identity*. Raises `Refusal` if not."""
        if self._in_force.guard is not None:
            self._in_force.guard.enter(Visitor(identity, address), now)

    def identify(self, session: Session, identity: Identity | None, now: float) -> None:
        """Let *session* be that of *identity*, and have what it may as such."""
        if self._sessions.identify(session, identity, now):
            self.review(session)

    def review(self, session: Session) -> int:
        """Revoke what *session* subscribed to and may not any more, and tell its client; return how many."""
        guard = self._in_force.guard
        if guard is None:
            return 0
        revoked = list(guard.revoked(session, session.record.subscriptions))
        for pattern in revoked:
            self._hub.unsubscribe(session, pattern)
        if revoked:
            names = sorted(pattern.name for pattern in revoked)
            # Without an address: it is not the client that caused this.
            self._observers.note("subscriptions.revoked", Visitor(label=session.label), count=len(names))
            told = msgspec.json.encode({"subscriptions": names})
            try:
                self._hub.deliver(session, Delivery.of_raw(REVOKED, told))
            except (
                Exception
            ) as error:  # a fault of an extension: others lose what they may not have all the same
                self._observers.fail("extension.failed", error, session=session.label, channel=REVOKED)
        return len(revoked)
