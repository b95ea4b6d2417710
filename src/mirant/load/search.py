"""The search for the highest rate at which a server still keeps a promise.

The rate doubles until a run is bad. Then the middle between good and bad is tried until they are within 5 %
of each other, because two runs at one rate differ by about that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mirant.load.outcome import Outcome
from mirant.load.wording import milliseconds, particulars

_CLOSE: Final = 1.05
_LOWEST: Final = 1.0  # messages per second
_MOST_TRIALS: Final = 24


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of a search. *fault* says why it is not good, and is empty if it is."""

    rate: float
    outcome: Outcome
    fault: str

    @property
    def is_good(self) -> bool:
        """Whether the server kept the promise."""
        return not self.fault


class Search:
    """Chooses the next rate, in messages published per second, by how the rates before went."""

    def __init__(self, first: float) -> None:
        self.best: float | None = None  # the highest good rate
        self.worst: float | None = None  # the lowest bad one
        self._first = first
        self._trials = 0

    def next_rate(self) -> float | None:
        """Return the next rate to try; None when the search has ended."""
        if self._trials >= _MOST_TRIALS:
            return None
        if self.best is None and self.worst is None:
            return self._first
        if self.worst is None and self.best is not None:
            return self.best * 2
        assert self.worst is not None
        if self.best is None:
            return self.worst / 2 if self.worst / 2 >= _LOWEST else None
        return (self.best + self.worst) / 2 if self.worst / self.best > _CLOSE else None

    def record(self, rate: float, *, is_good: bool) -> None:
        """Note how the trial of *rate*, which `next_rate` returned, went."""
        self._trials += 1
        if is_good:
            self.best = rate
        else:
            self.worst = rate


def fault_of(outcome: Outcome, bound: int) -> str:
    """Say why *outcome* is not good: what went wrong, or a p99 above *bound* µs. Empty if it is good."""
    if not outcome.in_order_once:
        return "; ".join(particulars(outcome))
    if not outcome.latency.count:
        return "no delivery was timed"
    p99 = outcome.latency.percentile(99)
    if p99 > bound:
        what = f"p99 {milliseconds(p99)}"
        return f"{what}; the generator could not keep up" if outcome.doubts else what
    return ""
