"""Telling the application of sessions that ended, one after the other.

Theory: a function for `on_leave` may end further sessions, and those have functions to be told too. If each
were told inside the call for the one before, a chain of them would run out of stack. And a session that is
ended in the middle of a flush would lose what that flush was about to hand out. So sessions that ended wait
in a queue, in flushes until their end.
"""

from __future__ import annotations

from collections import deque

from mirant.bus.contracts import Host
from mirant.bus.hooks import Hooks, tell
from mirant.bus.observer import Observers
from mirant.bus.session import Session


class Leaving:
    """The sessions that ended and of which the application is still to be told."""

    __slots__ = ("_busy", "_ended", "_hooks", "_host", "_observers")

    def __init__(self, host: Host, hooks: Hooks, observers: Observers) -> None:
        self._observers = observers
        self._host = host
        self._hooks = hooks
        self._ended: deque[Session] = deque()
        self._busy = False

    def left(self, session: Session) -> None:
        """Tell of the end of *session*: now, or when what goes on has ended."""
        if self._hooks.leave:
            self._ended.append(session)
            if not self._busy:
                self._tell()

    def hold(self) -> None:
        """Tell nothing until `release`: a flush begins."""
        self._busy = True

    def release(self) -> None:
        """Tell what was held back."""
        self._busy = False
        if self._ended:
            self._tell()

    def _tell(self) -> None:
        self._busy = True
        try:
            while self._ended:
                session = self._ended.popleft()
                self._host.background(tell("on_leave", self._hooks.leave, session, self._observers.fail))
        finally:
            self._busy = False
