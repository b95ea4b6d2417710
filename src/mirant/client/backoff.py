"""How long a client waits after a failure: longer after each in a row."""

from __future__ import annotations

from collections.abc import Callable


class Backoff:
    """Grows by *step* seconds with each failure in a row, up to *limit*; CometD's clients do the same.

    *jitter* returns a factor for each wait, so that the clients of a server that restarts do not all come
    back in the same moment. Without it waits are exact.
    """

    def __init__(self, step: float, limit: float, jitter: Callable[[], float] | None = None) -> None:
        self._step = step
        self._limit = limit
        self._jitter = jitter
        self.failures = 0

    def next(self) -> float:
        """Count a failure and return how many seconds to wait."""
        self.failures += 1
        delay = min(self.failures * self._step, self._limit)
        return delay if self._jitter is None else delay * self._jitter()

    def reset(self) -> None:
        """Begin anew: something succeeded."""
        self.failures = 0
