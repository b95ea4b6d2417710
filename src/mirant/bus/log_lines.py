"""Lines of the log that clients can cause: at a rate that nobody can drive up, and each of them one line.

Everything in this package that a client can bring about is written this way. What is not written is counted,
and the next line says how many were left out.
"""

from __future__ import annotations

import json
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from math import inf
from typing import Final

# So many lines of one kind from one source may follow each other, and then one per pause, in seconds. An
# attacker fills neither the disk nor the page on which somebody looks for other attackers.
_BURST: Final = 10
_PAUSE: Final = 5.0

# Most sources that are counted apart; the one not heard of for longest gives way.
_MAX_SOURCES: Final = 4_096

# Longest name of a source that is told apart from others. IP addresses are shorter; other names may not be.
_MAX_SOURCE: Final = 64

# And so many lines a second of all sources together, because sources can be many.
_MAX_PER_SECOND: Final = 100

# Longest value written: an identity's name is somebody else's text.
_MAX_VALUE: Final = 256

_PLAIN: Final = re.compile(r"[\w./:*@+\-\[\]{}]+", re.ASCII)


class LogLines:
    """Writes events to one logger, and counts those it does not write."""

    __slots__ = ("_logger", "_second", "_sources", "_suppressed", "_written")

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._sources: OrderedDict[tuple[str, str], float] = OrderedDict()  # when the next is expected
        self._second = 0
        self._written = 0  # in that second
        self._suppressed = 0

    def write(
        self,
        now: float,
        level: int,
        event: str,
        facts: Mapping[str, object],
        *,
        source: str | None = None,
        places: Callable[[], str] | None = None,
    ) -> None:
        """Write *event* and its *facts*, without those that are None.

        Args:
            now: the time in seconds.
            level: one of `logging`.
            source: who or what causes such events; None: only the rate of all sources is limited.
            places: gives lines that follow, as those of an exception do; called if the event is written.
        """
        if not self._logger.isEnabledFor(level):
            return
        admitted = self._has_room(now) if source is None else self._admit(now, (event, source[:_MAX_SOURCE]))
        if not admitted:
            self._suppressed += 1
            return
        pairs = [*facts.items()]
        if self._suppressed:
            pairs.append(("suppressed", self._suppressed))
            self._suppressed = 0
        words = [event, *(f"{key}={one_word(value)}" for key, value in pairs if value is not None)]
        entry = self._logger.makeRecord(
            self._logger.name, level, __file__, 0, "%s", (" ".join(words),), exc_info=None, func=None
        )
        if places is not None:
            entry.exc_text = places()  # what a formatter makes of an exception, which would quote its text
        self._logger.handle(entry)

    def _admit(self, now: float, source: tuple[str, str]) -> bool:
        following = max(self._sources.pop(source, -inf), now - _BURST * _PAUSE) + _PAUSE
        allowed = following <= now
        self._sources[source] = following if allowed else following - _PAUSE
        if len(self._sources) > _MAX_SOURCES:
            self._sources.popitem(last=False)
        return allowed and self._has_room(now)

    def _has_room(self, now: float) -> bool:
        second = int(now)
        if second != self._second:
            self._second, self._written = second, 0
        self._written += 1
        return self._written <= _MAX_PER_SECOND


def one_line(value: object) -> str:
    """Return *value* so that it ends no line and controls no terminal, whatever it is made of."""
    text = str(value)[:_MAX_VALUE]
    return text if text.isprintable() else json.dumps(text)[1:-1]


def one_word(value: object) -> str:
    """Return *value* so that it is one word of a line, whatever it is made of."""
    text = str(value)[:_MAX_VALUE]
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
