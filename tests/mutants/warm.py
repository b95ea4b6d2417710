"""Pytest with everything imported and collected: it forks for each change, and the fork runs the tests.

A fork takes 20 ms where a new interpreter takes two seconds until its first test. Tests that never call the
changed function are not run; of the others the first that fails ends the fork.
"""

from __future__ import annotations

import importlib
import os
import pickle
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from pathlib import Path

import pytest

from tests.mutants.changes import Change, import_name_of
from tests.mutants.children import Outcome, Task, run_children
from tests.mutants.coverage import Call, calls, reaches
from tests.mutants.swapping import Caches, Functions

#: What every session of pytest is told: the order stays, and nothing is written beside the tests' own files.
PYTEST: Sequence[str] = (
    "-q",
    "-p",
    "no:randomly",
    "-p",
    "no:cacheprovider",
    "--capture=sys",
    "--hypothesis-seed=0",
    "--timeout=10",
)

Told = Callable[[Change, Outcome], None]


class Warm:
    """A pytest plugin that tries *changes* instead of running the tests once."""

    def __init__(self, changes: Sequence[Change], told: Told, jobs: int, most: int | None) -> None:
        """*most* is how many tests are asked about a change at most; None: all that reach it."""
        self._changes = changes
        self._most = most
        self._told = told
        self._jobs = jobs
        #: Changes whose whole effect a fork does not show: it came at import, or the code cannot be swapped.
        self.stale: set[Change] = set()
        self._failed = False
        self._early: set[Call] = set()
        self._caches = Caches()  # found again when all is imported

    def pytest_sessionstart(self) -> None:
        """Note which functions are called until the tests begin."""
        self._watching = calls()
        self._early = self._watching.__enter__()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests once as they are, then once for each change."""
        self._watching.__exit__(None, None, None)
        for change in self._changes:
            importlib.import_module(import_name_of(change.module))  # some are imported when they are needed
        functions, self._caches = Functions(), Caches()
        known = [change for change in self._changes if functions.can_swap(change)]
        unknown = set(self._changes).difference(known)
        self.stale = unknown | {change for change in known if reaches(self._early, change)}
        items = _Items(session.items, self)
        items.measure(self._jobs)
        began = time.monotonic()
        tasks = (self._task(items, functions, change) for change in known)
        for index, outcome in run_children(tasks, self._jobs):
            self._told(known[index], outcome)
        print(f"{len(known)} changes in {time.monotonic() - began:.0f} s", flush=True)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note that a test failed."""
        self._failed = self._failed or report.failed

    def all_pass(self, items: Sequence[pytest.Item]) -> bool:
        """Run *items* up to the first that fails; where there are none, none fails."""
        self._failed = False
        self._caches.empty()  # or only the first test that calls a cached function would seem to reach it
        for item, following in zip_longest(items, items[1:]):
            try:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            except (Exception, pytest.fail.Exception):
                return False  # the time limit of a test may strike while pytest reports it
            if self._failed:
                return False
        return True

    def _task(self, items: _Items, functions: Functions, change: Change) -> Task:
        chosen, seconds = items.reaching(change, self._most)

        def attempt() -> bool:
            functions.swap(change)
            return self.all_pass(chosen)

        return Task(attempt, 20 + 3 * seconds)


class _Items:
    """The tests of a session: how long each takes, and which functions it calls."""

    def __init__(self, items: Sequence[pytest.Item], plugin: Warm) -> None:
        self._items = list(items)
        self._plugin = plugin
        self._calls: list[set[Call]] = []
        self._seconds: list[float] = []

    def measure(self, jobs: int) -> None:
        """Run all tests in a fork. Those that fail as they are say nothing and are left out."""
        descriptor, name = tempfile.mkstemp(prefix="mutants-")
        os.close(descriptor)
        result = Path(name)

        def work() -> bool:
            found = []
            for item in self._items:
                began = time.perf_counter()
                with calls() as made:
                    passes = self._plugin.all_pass([item])
                found.append((passes, made, time.perf_counter() - began))
            result.write_bytes(pickle.dumps(found))
            return True

        [(_, outcome)] = run_children([Task(work, 3_600)], jobs)
        if outcome is not Outcome.SURVIVED:
            raise RuntimeError(f"the tests as they are could not be run: {outcome.value}")
        found = pickle.loads(result.read_bytes())
        result.unlink()
        for item, (passes, _, _) in zip(self._items, found, strict=True):
            if not passes:
                print(f"left out, it fails as it is: {item.nodeid}", flush=True)
        self._items = [item for item, (passes, _, _) in zip(self._items, found, strict=True) if passes]
        self._calls = [made for passes, made, _ in found if passes]
        self._seconds = [seconds for passes, _, seconds in found if passes]

    def reaching(self, change: Change, most: int | None) -> tuple[list[pytest.Item], float]:
        """Return the tests that call the function of *change*, and their time in seconds.

        Those that are named after its module come first, then the fastest.
        """
        found = [index for index, made in enumerate(self._calls) if reaches(made, change)]
        stem = change.module.rpartition("/")[2]
        found.sort(key=lambda index: (stem not in self._items[index].path.stem, self._seconds[index]))
        chosen = found[:most]
        return [self._items[index] for index in chosen], sum(self._seconds[index] for index in chosen)


def run_warm(
    changes: Sequence[Change], tests: Iterable[str], told: Told, jobs: int, *, most: int | None
) -> set[Change]:
    """Try *changes* against *tests*, at most so many for each, and tell of each outcome.

    Return those that need a cold run.
    """
    if not changes:
        return set()
    plugin = Warm(changes, told, jobs, most)
    code = pytest.main([*PYTEST, *tests], plugins=[plugin])
    if code != 0:
        raise RuntimeError(f"pytest ended with {code!r}")
    return plugin.stale
