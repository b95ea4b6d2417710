"""Carriers that come and go: which link a session has, and what becomes of it without one."""

from __future__ import annotations

from collections.abc import Iterable

from mirant.bus.batch import Batch
from mirant.bus.carrier import Carrier, Link
from mirant.bus.deliveries import Deliveries
from mirant.bus.polls import Polls
from mirant.bus.session import Session
from mirant.bus.traits import LINKED
from mirant.bus.windows import Windows


class Links:
    """Where deliveries for each session can be pushed."""

    __slots__ = ("_deliveries", "_polls", "_windows")

    def __init__(self, deliveries: Deliveries, polls: Polls, windows: Windows) -> None:
        self._deliveries = deliveries
        self._polls = polls
        self._windows = windows

    def attach(self, session: Session, link: Link[Session]) -> None:
        """Let *link* be where deliveries for *session* are pushed. The link it had is closed."""
        self.unlink(session)
        link.session, session.link = session, link
        link.opened = None
        session.mark(LINKED)
        self._windows.leave(session)
        self._deliveries.wake(session)

    def unlink(self, session: Session) -> None:
        """Take *session* off the link it has: its client has moved, whether or not that link knows."""
        link = self.cut(session)
        if link is not None:
            self._take_back(session, link.take_back())
            link.close(1000, "the session moved to another connection")

    def cut(self, session: Session) -> Link[Session] | None:
        """Part *session* and its link, which is returned; the caller closes it."""
        link, session.link = session.link, None
        if link is not None:
            link.session = None
            session.unmark(LINKED)
        return link

    def detach(self, carrier: Carrier[Session], now: float, unsent: Iterable[Batch] = ()) -> None:
        """Take note that *carrier* is gone. The session waits for the next, and so does what was *unsent*."""
        session, carrier.session = carrier.session, None
        if session is None or session.ended:
            return
        if session.link is carrier:
            session.link = None
            session.unmark(LINKED)
            self._take_back(session, unsent)
        self._polls.forget(session, carrier)
        if session.held is None:
            self._polls.expect(session, now, session.record.interval)

    def lose_all(self, sessions: Iterable[Session], now: float) -> None:
        """Take note that the carriers of all *sessions* are gone, with the event loop that ran them.

        Nobody can be told. Each session waits for its client's next carrier, and so do its messages.
        """
        for session in sessions:
            link, held = self.cut(session), session.held
            if link is not None:
                self._put_back(session, link.take_back())
            if held is not None:
                self._polls.forget(session, held.carrier)
            if link is not None or held is not None:
                self._polls.expect(session, now, session.record.interval)

    def resume(self, link: Link[Session]) -> None:
        """Take note that *link* is writable again."""
        if link.session is not None:
            self._deliveries.wake(link.session)

    def _take_back(self, session: Session, unsent: Iterable[Batch]) -> None:
        self._put_back(session, unsent)
        self._deliveries.wake(session)

    def _put_back(self, session: Session, unsent: Iterable[Batch]) -> None:
        self._deliveries.put_back(session, [each for batch in unsent for each in batch.deliveries])
