"""The subject of a report: a run, or a search and its best run."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from datetime import datetime

from mirant.load.outcome import Outcome
from mirant.load.search import Trial
from mirant.load.target import Target


def describe_machine() -> str:
    """Return the machine of the generator in words, such as ``Linux x86_64, 2 cores, Python 3.11.2``."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    system = f"{platform.system()} {platform.machine()}"
    return f"{system}, {cores} core{'s' * (cores != 1)}, Python {platform.python_version()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Everything that reports contain."""

    target: Target
    workers: int
    outcome: Outcome  # of a search: its best run, or the last one if none was good
    began: datetime
    trials: tuple[Trial, ...] = ()
    bound: int | None = None  # the most a search allows the p99 to be, microseconds
    ended_by: str = ""  # why a search ended before it had found its rate
    machine: str = field(default_factory=describe_machine)

    @property
    def found(self) -> float | None:
        """The highest good rate of a search, in messages published per second."""
        return max((trial.rate for trial in self.trials if trial.is_good), default=None)

    @property
    def is_limited_by_generator(self) -> bool:
        """Whether the generator, and not the server, set the limit in the slowest run that was not good."""
        bad = [trial for trial in self.trials if not trial.is_good]
        return bool(bad) and bool(min(bad, key=lambda trial: trial.rate).outcome.doubts)

    @property
    def is_success(self) -> bool:
        """Whether everything arrived once and in order; for a search, at some rate within the bound.

        A search is not a success if the server did not survive it, even if some rate was good.
        """
        if self.bound is not None:
            return self.found is not None and not self.ended_by
        return self.outcome.in_order_once
