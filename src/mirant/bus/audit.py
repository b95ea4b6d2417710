"""The audit log: what was refused to whom, as events one can search, at a rate that nobody can drive up.

Events go to the logger ``mirant.audit``, one line each: a name, then ``key=value``. They never hold what a
message said, nor a token; of a session's id only the beginning, because the whole is a credential.
"""

from __future__ import annotations

import json
import logging
import re
from collections import OrderedDict
from math import inf
from typing import Final

from mirant.bus.clock import Clock
from mirant.bus.contracts import Observer
from mirant.bus.party import Party
from mirant.bus.refusal import Refusal

# So many events of one kind from one address may follow each other, and then one per pause, in seconds. An
# attacker fills neither the disk nor the page on which somebody looks for other attackers.
_BURST: Final = 10
_PAUSE: Final = 5.0

# Most addresses that are counted apart; the one not heard of for longest gives way.
_MAX_SOURCES: Final = 4_096

# Longest address that is told apart from others. The hosts give IP addresses; other callers may not.
_MAX_ADDRESS: Final = 64

# And so many events a second of all sources together, because addresses can be many.
_MAX_PER_SECOND: Final = 100

# Longest value written: an identity's name is somebody else's text.
_MAX_VALUE: Final = 256

_PLAIN: Final = re.compile(r"[\w./:*@+\-\[\]{}]+", re.ASCII)

log = logging.getLogger("mirant.audit")


class Audit(Observer):
    """Writes events, and counts those it does not write."""

    __slots__ = ("_clock", "_second", "_sources", "_suppressed", "_written")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sources: OrderedDict[tuple[str, str], float] = OrderedDict()  # when the next is expected
        self._second = 0
        self._written = 0  # in that second
        self._suppressed = 0

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
        if not self._admit(now, (name, (address or "")[:_MAX_ADDRESS])):
            self._suppressed += 1
            return
        pairs = [("address", address), *facts.items()]
        if self._suppressed:
            pairs.append(("suppressed", self._suppressed))
            self._suppressed = 0
        text = " ".join(f"{key}={_plain(value)}" for key, value in pairs if value is not None)
        log.warning("%s %s", name, text)

    def _admit(self, now: float, source: tuple[str, str]) -> bool:
        following = max(self._sources.pop(source, -inf), now - _BURST * _PAUSE) + _PAUSE
        allowed = following <= now
        self._sources[source] = following if allowed else following - _PAUSE
        if len(self._sources) > _MAX_SOURCES:
            self._sources.popitem(last=False)
        return allowed and self._has_room(int(now))

    def _has_room(self, second: int) -> bool:
        if second != self._second:
            self._second, self._written = second, 0
        self._written += 1
        return self._written <= _MAX_PER_SECOND


def _plain(value: object) -> str:
    """Return *value* so that it is one word of a line, whatever it is made of."""
    text = str(value)[:_MAX_VALUE]
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
