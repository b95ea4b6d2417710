"""The crew: starts the workers, gives them their orders and puts their reports together."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Final, Protocol

from mirant.load.clock import now_us
from mirant.load.orders import (
    Assignment,
    Findings,
    Finish,
    Gather,
    Gone,
    Halt,
    Order,
    Play,
    Report,
    Settle,
    WorkerSample,
)
from mirant.load.outcome import Outcome, Timeline
from mirant.load.scenario import Scenario, Share
from mirant.load.schedule import SECOND, Pace
from mirant.load.target import Target
from mirant.load.worker import run_worker

_TICK: Final = 0.1  # seconds between two checks whether to go on
_LEAD: Final = SECOND // 4  # before a run starts: the order must have arrived everywhere
_SLICES: Final = 240  # of a timeline, at most
_FINEST: Final = 0.5  # seconds: twice what lies between two samples of a worker
_LEAVE_LIMIT: Final = 5.0  # seconds
_GRACE: Final = SECOND // 2  # after the last delivery: a duplicate may follow
_INTERRUPTED_LIMIT: Final = 2.0  # seconds that an interrupted run waits for messages under way


class WorkerFailed(RuntimeError):
    """A worker ended too early. The text has its traceback."""


class ClientsMissing(RuntimeError):
    """Not all clients got ready. The text says how many did, and why the others did not."""


class Interrupted(RuntimeError):
    """The user asked to stop before there was anything to report."""


class Watcher(Protocol):
    """Follows a run, and may end it."""

    @property
    def interrupts(self) -> int:
        """How often the user asked to stop: once ends a run, twice also the wait for its messages."""

    def gathering(self, ready: int, clients: int) -> None:
        """Clients get ready."""

    def playing(self, outcome: Outcome, state: RunState) -> None:
        """A run goes on; *outcome* grows."""


@dataclass(frozen=True, slots=True)
class RunState:
    """The sums of the last samples of all workers."""

    ready: int
    published: int
    delivered: int
    outstanding: int
    is_done: bool
    busy: float  # share of a core that the busiest worker used since the run began


class Crew:
    """Workers that share the clients of a scenario. Make one with `crew`."""

    def __init__(self, scenario: Scenario, target: Target, workers: int, watcher: Watcher) -> None:
        self.scenario = scenario
        self._watcher = watcher
        self._count = workers
        self._connections: dict[Connection, int] = {}
        self._processes: list[BaseProcess] = []
        self._samples: dict[int, WorkerSample] = {}
        self._findings: list[Findings] = []
        self._outcome: Outcome | None = None
        self._first: dict[int, WorkerSample] = {}  # of the run, per worker
        self._busy: dict[int, float] = {}
        self._next_number = 1
        # Each worker gets a fresh interpreter, because a fork would share the state of the calling program.
        context = multiprocessing.get_context("spawn")
        for number in range(workers):
            ours, theirs = context.Pipe()
            assignment = Assignment(scenario, target, Share(number, workers))
            process = context.Process(target=run_worker, args=(assignment, theirs), daemon=True)
            process.start()
            theirs.close()
            self._processes.append(process)
            self._connections[ours] = number
        while len(self._samples) < workers:
            self._listen()

    def gather(self, ramp_up: float, patience: float) -> None:
        """Bring all clients to the server, over *ramp_up* seconds.

        Raises:
            ClientsMissing: nothing moved for *patience* seconds, and some are not ready.
            Interrupted: the user asked to stop.
            WorkerFailed: a worker has ended.
        """
        self._samples.clear()
        self._order(Gather(ramp_up))
        ready, since = -1, now_us()
        while True:
            self._listen()
            now = sum(sample.ready for sample in self._samples.values())
            if now != ready:
                ready, since = now, now_us()
            self._watcher.gathering(ready, self.scenario.clients)
            if ready == self.scenario.clients:
                return
            if self._watcher.interrupts:
                raise Interrupted
            if now_us() - since > (patience + ramp_up) * SECOND:
                raise ClientsMissing(self._explain_missing(ready))

    def play(self, *, pause: float, batches: int, warm_up: float, patience: float) -> Outcome:
        """Publish *batches*, one each *pause* µs, and return what became of them.

        Messages due in the first *warm_up* seconds are not timed. The run ends half a second after everything
        has arrived, because the last delivery may come twice; or when nothing came for *patience* seconds.
        """
        pace = Pace(
            start=now_us() + _LEAD,
            pause=pause,
            batches=batches,
            warm_up=round(warm_up * SECOND),
            first=self._next_number,
        )
        self._next_number += batches * self.scenario.batch_size
        width = max(_FINEST, round((pace.end - pace.start) / SECOND / _SLICES * 2) / 2)
        outcome = self._outcome = Outcome(
            scenario=self.scenario, pace=pace, timeline=Timeline(pace.start, width)
        )
        failures = self._failures()
        self._samples.clear()
        self._first.clear()
        self._busy.clear()
        self._order(Play(pace))
        self._watch(outcome, patience)
        self._linger()
        self._conclude(outcome, failures)
        return outcome

    def _watch(self, outcome: Outcome, patience: float) -> None:
        moved, since = (-1, -1), now_us()
        while True:
            self._listen()
            state = self._state()
            self._watcher.playing(outcome, state)
            if self._watcher.interrupts and not outcome.interrupted:
                outcome.interrupted = True
                self._order(Halt())
            if (state.published, state.delivered) != moved:
                moved, since = (state.published, state.delivered), now_us()
            limit = min(patience, _INTERRUPTED_LIMIT) if outcome.interrupted else patience
            is_stuck = now_us() - since > limit * SECOND
            if state.is_done and (state.outstanding == 0 or is_stuck or self._watcher.interrupts > 1):
                return

    def _linger(self) -> None:
        until = now_us() + _GRACE
        while now_us() < until and self._watcher.interrupts < 2:
            self._listen()

    def _conclude(self, outcome: Outcome, failures_before: dict[str, int]) -> None:
        self._findings.clear()
        self._order(Settle())
        while len(self._findings) < self._count:
            self._listen()
        outcome.busy = [self._busy.get(worker, 0.0) for worker in range(self._count)]
        for failure, count in self._failures().items():
            if count > failures_before.get(failure, 0):
                outcome.failures[failure] = count - failures_before.get(failure, 0)
        outcome.conclude(self._findings)
        self._outcome = None

    def end(self) -> None:
        """Say goodbye to the server and end the workers."""
        for connection in self._connections:
            try:
                connection.send(Finish())
            except OSError:  # it has left already
                pass
        until = now_us() + _LEAVE_LIMIT * SECOND
        for process in self._processes:
            process.join(max(0.0, (until - now_us()) / SECOND))
            if process.is_alive():
                process.kill()
                process.join()
        for connection in self._connections:
            connection.close()

    # --- reports ---

    def _listen(self) -> None:
        ready = wait(list(self._connections), timeout=_TICK)
        for connection in ready:
            if not isinstance(connection, Connection):
                continue
            try:
                self._take(connection.recv())
            except (EOFError, OSError):  # OSError: it died in the middle of a report
                raise WorkerFailed(f"Worker {self._connections[connection]} has died.") from None

    def _take(self, report: Report) -> None:
        match report:
            case WorkerSample():
                self._take_sample(report)
            case Findings():
                self._findings.append(report)
            case Gone(worker, error):
                raise WorkerFailed(f"Worker {worker} has ended. {error}".rstrip())

    def _take_sample(self, sample: WorkerSample) -> None:
        outcome = self._outcome
        if outcome is None:
            self._samples[sample.worker] = sample
        elif sample.run == outcome.pace.first:
            self._samples[sample.worker] = sample
            outcome.add_sample(sample)
            first = self._first.setdefault(sample.worker, sample)
            outcome.cpu[sample.worker] = sample.cpu - first.cpu
            if sample.at > first.at and not sample.is_done:
                self._busy[sample.worker] = (sample.cpu - first.cpu) * SECOND / (sample.at - first.at)

    def _state(self) -> RunState:
        samples = self._samples.values()
        return RunState(
            ready=sum(sample.ready for sample in samples),
            published=sum(sample.published for sample in samples),
            delivered=sum(sample.delivered for sample in samples),
            outstanding=sum(sample.outstanding for sample in samples),
            is_done=len(samples) == self._count and all(sample.is_done for sample in samples),
            busy=max(self._busy.values(), default=0.0),
        )

    def _failures(self) -> dict[str, int]:
        failures: dict[str, int] = {}
        for sample in self._samples.values():
            for failure, count in sample.failures.items():
                failures[failure] = failures.get(failure, 0) + count
        return failures

    def _explain_missing(self, ready: int) -> str:
        failures = sorted(self._failures().items(), key=lambda item: -item[1])
        what = "".join(f"\n  {count:,} times: {failure}" for failure, count in failures[:5])
        missing = f"Only {ready:,} of {self.scenario.clients:,} clients are ready."
        return missing + (what or " The server is silent.")

    def _order(self, order: Order) -> None:
        for connection, number in self._connections.items():
            try:
                connection.send(order)
            except OSError:
                raise WorkerFailed(f"Worker {number} has died.") from None


@contextmanager
def crew(scenario: Scenario, target: Target, workers: int, watcher: Watcher) -> Iterator[Crew]:
    """Give a crew; its workers end with the context."""
    made = Crew(scenario, target, workers, watcher)
    try:
        yield made
    finally:
        made.end()
