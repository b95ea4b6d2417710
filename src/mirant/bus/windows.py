"""Multi-window detection: how many windows of a browser may hold a poll."""

from __future__ import annotations

from itertools import islice

from mirant.bus.session import Session
from mirant.bus.traits import CROWDED, UNPLACED


class Windows:
    """Which sessions of a browser may hold a poll.

    A browser opens few connections to one host (six, over HTTP/1.1). Windows that each hold a poll use them
    up, and then nothing loads any more. So the oldest windows that poll keep their long poll, and the others
    are told to poll at an interval.
    """

    __slots__ = ("_polling", "limit")

    def __init__(self, limit: int) -> None:
        """Let *limit* windows of each browser hold a poll."""
        self.limit = limit
        self._polling: dict[str, dict[Session, None]] = {}  # in the order of their first poll

    def admits(self, session: Session) -> bool:
        """Whether *session*, which polls, may be held; it takes its place among its browser's windows."""
        if not session.traits & UNPLACED:
            return True
        if session.browser is not None:
            polling = self._polling.setdefault(session.browser, {})
            polling[session] = None
            if session not in islice(polling, self.limit):
                return False
        session.unmark(UNPLACED)
        return True

    def settles(self, session: Session) -> bool:
        """Whether *session* is unusual only because nobody has given it a place yet, and it gets one now."""
        return session.traits == UNPLACED and self.admits(session)

    def leave(self, session: Session) -> None:
        """Let *session* give up its place: it ended, needs no poll any more, or its poll broke.

        One that is bound to no browser has no place, and stays as usual as it is.
        """
        if session.browser is None:
            return
        session.mark(UNPLACED)
        polling = self._polling.get(session.browser)
        if polling is not None:
            polling.pop(session, None)
            if not polling:
                del self._polling[session.browser]

    def crowd(self, session: Session) -> None:
        """Take note that the client of *session* is told that its browser has other windows."""
        session.mark(CROWDED)

    def relieve(self, session: Session) -> None:
        """Take note that the client of *session* is told that it has room again."""
        session.unmark(CROWDED)

    def restrict(self, limit: int) -> None:
        """Let *limit* windows of each browser hold a poll, from now on."""
        if limit != self.limit:
            self.limit = limit
            for polling in self._polling.values():
                for session in polling:
                    session.mark(UNPLACED)
