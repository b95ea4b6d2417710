"""Logging the exceptions of an application's filter: their place but not their text, at a limited rate."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from mirant.bus.failures import write_failure
from mirant.bus.log_lines import LogLines

log = logging.getLogger("mirant")


class Failures:
    """The failures of one filter. A client that may publish can cause one with each message."""

    __slots__ = ("_clock", "_lines")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Count by *clock*, in seconds."""
        self._clock = clock
        self._lines = LogLines(log)

    def write(self, name: str, error: BaseException) -> None:
        """Log that the filter called *name* raised *error*, or count it for the next line."""
        event = f"filter.failed filter={name} error={type(error).__name__}"
        write_failure(self._lines, self._clock(), event, error, {})
