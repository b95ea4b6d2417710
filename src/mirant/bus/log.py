"""The log of sessions, as events one can search: ``session.expired session=…``."""

from __future__ import annotations

import logging

from mirant.bus.clock import Clock
from mirant.bus.contracts import Observer
from mirant.bus.log_lines import LogLines
from mirant.bus.session import Ending, Session

log = logging.getLogger("mirant")


class SessionLog(Observer):
    """Writes when sessions begin and end."""

    __slots__ = ("_clock", "_lines")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines = LogLines(log)

    def opened(self, session: Session) -> None:
        self._lines.write(self._clock.time(), logging.DEBUG, "session.opened", {"session": session.label})

    def ended(self, session: Session, ending: Ending) -> None:
        self._lines.write(
            self._clock.time(), logging.INFO, f"session.{ending.value}", {"session": session.label}
        )
