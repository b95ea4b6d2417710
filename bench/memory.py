"""What a session takes: its share of the core's memory, while it is idle and subscribed."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from bench.measuring import Benchmark, Effort, Result
from bench.stage import Stage

_SESSIONS = 10_000
# Names and caches of the first sessions are no session's share.
_BEFORE = 100


def run(effort: Effort) -> Iterator[Result]:
    """Let sessions come over WebSockets, subscribe and hold a connect."""
    count = min(_SESSIONS, effort.most)
    cases = (("all subscribed to one channel", _together), ("each subscribed to one of its own", _apart))
    for case, patterns in cases:
        bytes_each = _allocated(patterns, count)
        yield _result(f"{count:,} sessions, {case}: allocated by Python", bytes_each, count)
    # In a process of its own: memory that was used before and is free would be used again unseen.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        bytes_each = process.submit(_resident, count).result()
    yield _result(f"{count:,} sessions, all subscribed to one channel: resident", bytes_each, count)


def _together(number: int) -> tuple[str, ...]:
    return ("/chat/room",)


def _apart(number: int) -> tuple[str, ...]:
    return (f"/users/{number}",)


def _allocated(patterns: Callable[[int], tuple[str, ...]], count: int) -> float:
    stage = Stage()
    _populate(stage, patterns, range(_BEFORE))
    tracemalloc.start()
    try:
        before = _settled(lambda: tracemalloc.get_traced_memory()[0])
        _populate(stage, patterns, range(_BEFORE, _BEFORE + count))
        return (_settled(lambda: tracemalloc.get_traced_memory()[0]) - before) / count
    finally:
        tracemalloc.stop()


def _resident(count: int) -> float:
    stage = Stage()
    _populate(stage, _together, range(_BEFORE))
    before = _settled(_resident_bytes)
    _populate(stage, _together, range(_BEFORE, _BEFORE + count))
    return (_settled(_resident_bytes) - before) / count


def _populate(stage: Stage, patterns: Callable[[int], tuple[str, ...]], numbers: range) -> None:
    for number in numbers:
        stage.hold(stage.enter(*patterns(number)))


def _settled(measure: Callable[[], int]) -> int:
    gc.collect()
    return measure()


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def _result(case: str, bytes_each: float, count: int) -> Result:
    return Result("memory", case, "bytes per session", bytes_each, bytes_each, 1, count)


MEMORY = Benchmark("memory", "a session's share of memory", run)
