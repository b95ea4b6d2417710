"""The audit log: what was refused to whom, as events one can search, at a rate that nobody can drive up.

Events go to the logger ``mirant.audit``, one line each: a name, then ``key=value``. They never hold what a
message said, nor a token; of a session's id only the beginning, because the whole is a credential.
"""

from __future__ import annotations

import logging

from mirant.bus.clock import Clock
from mirant.bus.contracts import Observer
from mirant.bus.log_lines import LogLines
from mirant.bus.party import Party
from mirant.bus.refusal import Refusal

log = logging.getLogger("mirant.audit")


class Audit(Observer):
    """Writes events, at most some of each kind from each address."""

    __slots__ = ("_clock", "_lines")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines = LogLines(log)

    def refused(self, party: Party, channel: str | None, refusal: Refusal) -> None:
        if refusal.event is not None:
            user = None if party.identity is None else party.identity.name
            facts = {"channel": None, "session": party.label, "user": user, **refusal.facts}
            self.event(self._clock.time(), refusal.event, party.address, **facts)

    def noted(self, event: str, party: Party | None, facts: dict[str, object]) -> None:
        address, label = (None, None) if party is None else (party.address, party.label)
        self.event(self._clock.time(), event, address, **{"session": label, **facts})

    def event(self, now: float, name: str, address: str | None, **facts: object) -> None:
        """Write the event called *name*, caused from *address*, with *facts*; None among them is left out."""
        self._lines.write(now, logging.WARNING, name, {"address": address, **facts}, source=address or "")
