"""Logging the exceptions of an application's filter: their place but not their text, at a limited rate."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from typing import Final

from mirant.policy.limits import Rate

# The rate of the audit log: ten in a row, and then one in five seconds.
_RATE: Final = Rate(10, 50.0)

log = logging.getLogger("mirant")


class Failures:
    """The failures of one filter. A client that may publish can cause one with each message."""

    __slots__ = ("_clock", "_following", "_suppressed")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Count by *clock*, in seconds."""
        self._clock = clock
        self._following = 0.0
        self._suppressed = 0

    def write(self, name: str, error: Exception) -> None:
        """Log that the filter called *name* raised *error*, or count it for the next line.

        The exception's text is not logged. It often quotes the data, which may be a password.
        """
        following = _RATE.admits(self._following, self._clock())
        if following is None:
            self._suppressed += 1
            return
        self._following = following
        more = f" suppressed={self._suppressed}" if self._suppressed else ""
        self._suppressed = 0
        places = "".join(traceback.format_tb(error.__traceback__)).rstrip()
        log.error("filter.failed filter=%s error=%s%s\n%s", name, type(error).__name__, more, places)
