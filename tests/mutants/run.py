"""A run: near tests first, then wide ones for what survives them; cold where a fork comes too late."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence

from tests.mutants.changes import Change
from tests.mutants.children import Outcome
from tests.mutants.choosing import NEAR, WIDE, about, group_of
from tests.mutants.cold import TestsOf, run_cold
from tests.mutants.report import Outcomes, print_progress
from tests.mutants.warm import Told, run_warm

#: Most tests that are asked at first; those named after the module are the first among them.
_NEAR_TESTS = 200
#: Most time of a cold attempt with near and with wide tests, in seconds.
_NEAR_SECONDS = 120.0
_WIDE_SECONDS = 900.0

#: Tries changes, tells of the outcomes and returns those that need a cold run.
_Session = Callable[[Told], set[Change]]


class Run:
    """Tries *changes*, *jobs* at a time."""

    def __init__(self, changes: Sequence[Change], jobs: int) -> None:
        self._changes = changes
        self._jobs = jobs
        self._told = 0
        #: What became of each change.
        self.outcomes: Outcomes = {}

    def near(self) -> None:
        """Ask the tests whose subject the changed modules are."""
        for group in dict.fromkeys(group_of(change.module) for change in self._changes):
            changes = [change for change in self._changes if group_of(change.module) == group]
            cold = self._warm(changes, NEAR[group], _NEAR_TESTS)
            self._cold(cold, _near, _NEAR_SECONDS)

    def wide(self) -> None:
        """Ask all tests about what survived the near ones."""
        cold = self._warm(self._survivors(self._changes), WIDE, None)
        self._cold(cold, lambda _: WIDE, _WIDE_SECONDS)

    def _warm(self, changes: Sequence[Change], tests: Sequence[str], most: int | None) -> list[Change]:
        """Try *changes* in forks; return those that survive only because a fork does not show all they do."""

        def session(told: Told) -> set[Change]:
            return run_warm(changes, tests, told, self._jobs, most=most)

        stale = self._in_a_process(session, changes)
        return self._survivors([change for change in changes if change in stale])

    def _cold(self, changes: Sequence[Change], tests_of: TestsOf, seconds: float) -> None:
        def session(told: Told) -> set[Change]:
            run_cold(changes, tests_of, told, self._jobs, seconds)
            return set()

        self._in_a_process(session, changes)

    def _survivors(self, changes: Iterable[Change]) -> list[Change]:
        """Return those of *changes* that no test has noticed so far."""
        noticed = (Outcome.KILLED, Outcome.TIMEOUT)
        return [change for change in changes if self.outcomes.get(change) not in noticed]

    def _in_a_process(self, session: _Session, changes: Sequence[Change]) -> set[Change]:
        """Run *session* in a fork of this process, which must not import Mirant itself."""
        if not changes:
            return set()
        context = multiprocessing.get_context("fork")
        reader, writer = context.Pipe(duplex=False)

        def work() -> None:
            index_of = {change: index for index, change in enumerate(changes)}
            stale = session(lambda change, outcome: writer.send((index_of[change], outcome)))
            writer.send([index_of[change] for change in stale])

        process = context.Process(target=work)
        process.start()
        writer.close()
        try:
            while not isinstance(message := reader.recv(), list):
                index, outcome = message
                self.outcomes[changes[index]] = outcome
                self._told += 1
                print_progress(self._told, len(self._changes))
        except EOFError:
            raise RuntimeError("a session ended before its time; its output says why") from None
        finally:
            process.join()
        return {changes[index] for index in message}


def _near(change: Change) -> Sequence[str]:
    return about(change.module, NEAR[group_of(change.module)])


def default_jobs() -> int:
    """Return how many changes are tried at a time: one for each processor."""
    return os.cpu_count() or 1
