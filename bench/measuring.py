"""Measuring: many short rounds in CPU time, and what is told of them."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Final


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    rounds: int
    seconds: float  # the least that a round takes
    most: int  # the largest number of channels, sessions or subscribers to set up


THOROUGH: Final = Effort(rounds=41, seconds=0.02, most=1_000_000)
#: Shows that everything runs; its numbers mean little.
QUICK: Final = Effort(rounds=3, seconds=0.0002, most=1_000)


@dataclass(frozen=True)
class Result:
    """What one item costs: the median of the rounds, and what nine of ten rounds stayed below."""

    benchmark: str
    case: str
    unit: str
    median: float
    p90: float
    rounds: int
    items: int  # in each round


@dataclass(frozen=True)
class Benchmark:
    """Some measurements of one part, which `run` makes one by one."""

    name: str
    about: str
    run: Callable[[Effort], Iterator[Result]]


def timed(
    benchmark: str, case: str, per: str, work: Callable[[], object], items: int, effort: Effort
) -> Result:
    """Return what one of the *items* costs that each call of *work* does, in CPU microseconds.

    CPU time, because neighbours on the same machine should not count. The garbage collector runs as it does
    in a server.
    """
    work()  # fills the caches
    gc.collect()
    calls = _calls_per_round(work, effort.seconds)
    costs = [_round(work, calls) / (calls * items) / 1_000 for _ in range(effort.rounds)]
    tenths = quantiles(costs, n=10, method="inclusive")
    return Result(benchmark, case, f"µs per {per}", median(costs), tenths[-1], len(costs), calls * items)


def _calls_per_round(work: Callable[[], object], seconds: float) -> int:
    calls = 1
    while (took := _round(work, calls)) < seconds * 1e9:
        calls = max(calls * 2, int(calls * seconds * 1e9 / max(took, 1)))
    return calls


def _round(work: Callable[[], object], calls: int) -> int:
    """Return the nanoseconds of CPU time that *calls* of *work* take."""
    repeat = range(calls)
    began = time.process_time_ns()
    for _ in repeat:
        work()
    return time.process_time_ns() - began
