"""The log of sessions, as events one can search: ``session.expired session=…``."""

from __future__ import annotations

import logging

from mirant.bus.contracts import Observer
from mirant.bus.session import Ending, Session

log = logging.getLogger("mirant")


class SessionLog(Observer):
    """Writes when sessions begin and end."""

    def opened(self, session: Session) -> None:
        log.debug("session.opened session=%s", session.label)

    def ended(self, session: Session, ending: Ending) -> None:
        log.info("session.%s session=%s", ending.value, session.label)
