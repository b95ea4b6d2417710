"""When each session has to be looked at: its poll, its end, its identity's end, its lazy messages."""

from __future__ import annotations

from math import inf
from typing import Final

from mirant.bus.contracts import Host
from mirant.bus.deadlines import Deadlines
from mirant.bus.session import Session

_NEVER: Final = inf


class Timetable:
    """The times of all sessions. The host is asked to wake the bus for the first of them."""

    __slots__ = ("_deadlines", "_host")

    def __init__(self, host: Host) -> None:
        self._host = host
        self._deadlines: Deadlines[Session] = Deadlines()

    def wait(self, session: Session, until: float) -> None:
        """Look at *session* at *until*: what it holds is answered then, or it ends."""
        session.until = until
        if session.lazy_until is not None or session.identity_until is not _NEVER:
            self._set(session)
        elif self._deadlines.set(session, until):
            self._host.wake_at(until)

    def put_off(self, session: Session, until: float) -> None:
        """Look at *session* at *until*, if that is later than it was to be."""
        if until > session.until:
            self.wait(session, until)

    def wait_lazily(self, session: Session, when: float) -> None:
        """Let what waits for *session* be sent at *when*, unless there is an earlier occasion."""
        if session.lazy_until is None or when < session.lazy_until:
            session.lazy_until = when
            self._set(session)

    def expire(self, session: Session, when: float) -> None:
        """Let the identity of *session* run out at *when*."""
        session.identity_until = when

    def is_lazy_due(self, session: Session, now: float) -> bool:
        """Whether what waits lazily for *session* is to be sent; it is not asked for again then."""
        if session.lazy_until is None or session.lazy_until > now:
            return False
        session.lazy_until = None
        return True

    def resume(self, session: Session) -> None:
        """Look at *session*, which was due, at the next of its times."""
        self._set(session)

    def remove(self, session: Session) -> None:
        """Forget *session*."""
        self._deadlines.remove(session)

    def next(self) -> float | None:
        """Return when `due` has to be called next, or None if there is nothing to wait for."""
        return self._deadlines.next()

    def due(self, now: float) -> list[Session]:
        """Remove and return the sessions that have to be looked at."""
        return self._deadlines.due(now)

    def _set(self, session: Session) -> None:
        when = min(session.until, session.identity_until)
        if session.lazy_until is not None and session.lazy_until < when:
            when = session.lazy_until
        if self._deadlines.set(session, when):
            self._host.wake_at(when)
