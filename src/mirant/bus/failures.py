"""Exceptions in the log: their type and their places, but not their text.

The text of an exception often quotes the data that caused it, and the data may be a client's password. The
places show the cause. The text is written too if the logger ``mirant`` is at DEBUG.
"""

from __future__ import annotations

import logging
import traceback
from types import TracebackType
from typing import Final

from mirant.bus.clock import Clock
from mirant.bus.contracts import Observer
from mirant.bus.log_lines import LogLines

# Most places of one exception that are written, the innermost. A recursion has a thousand.
_MAX_PLACES: Final = 20

# Most exceptions of a chain ("raise … from …") that are written, the outermost.
_MAX_CHAIN: Final = 3

log = logging.getLogger("mirant")


class FailureLog(Observer):
    """Writes exceptions of the application's code, of extensions, and of this package."""

    __slots__ = ("_clock", "_lines")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines = LogLines(log)

    def failed(self, event: str, error: BaseException, facts: dict[str, object]) -> None:
        write_failure(self._lines, self._clock.time(), event, error, facts)


def write_failure(
    lines: LogLines, now: float, event: str, error: BaseException, facts: dict[str, object]
) -> None:
    """Write *event* to *lines*, with *facts*, and the type and the places of *error*.

    Failures at one place are one source: a function that always fails hides no other.
    """
    told = {**facts, "text": error} if log.isEnabledFor(logging.DEBUG) else facts
    source = f"{type(error).__name__} {_innermost(error.__traceback__)}"
    lines.write(now, logging.ERROR, event, told, source=source, places=lambda: places_of(error))


def places_of(error: BaseException) -> str:
    """Return the places that *error* came through, and those of its causes: lines of code, without values."""
    lines: list[str] = []
    cause: BaseException | None = error
    for number in range(_MAX_CHAIN):
        if cause is None:
            break
        lines.append(f"{'  because of ' if number else ''}{type(cause).__name__} at\n")
        lines += traceback.format_list(traceback.extract_tb(cause.__traceback__, limit=-_MAX_PLACES))
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "".join(lines).rstrip()


def _innermost(trace: TracebackType | None) -> str:
    """Return the place at which *trace* ends. The end of it, because names of folders may be long."""
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"[-40:]
