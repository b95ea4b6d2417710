"""The crew: what its workers find gets to the command, however much it is; and when they die, it says so."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator

import pytest

from mirant.load.crew import Crew, RunState, WorkerFailed, crew
from mirant.load.outcome import Outcome
from mirant.load.scenario import Scenario
from mirant.load.target import Target
from tests.hosts.serving import listen

SCENARIO = Scenario(clients=4, rooms=1, rooms_per_client=1, batch_size=1_000)


class Watcher:
    """Looks on, and asks for nothing."""

    interrupts = 0

    def gathering(self, ready: int, clients: int) -> None:
        """Clients get ready."""

    def playing(self, outcome: Outcome, state: RunState) -> None:
        """A run goes on."""


@pytest.fixture
def ours() -> Iterator[Crew]:
    """Make a crew of two workers for a server that is not there."""
    with listen() as taken:
        url = "http://{}:{}/".format(*taken.getsockname())
        with crew(SCENARIO, Target(url=url), 2, Watcher()) as made:
            yield made


def test_findings_that_no_pipe_holds_at_once_arrive(ours: Crew) -> None:
    # Nobody is ready, so nothing of this is sent; each worker lists half of it, which is some 500 KB.
    outcome = ours.play(pause=10, batches=200, warm_up=0, patience=0)

    assert outcome.unsent == 200_000
    assert outcome.lost == 0


def test_a_worker_that_dies_is_reported(ours: Crew) -> None:
    for worker in multiprocessing.active_children():
        worker.kill()

    with pytest.raises(WorkerFailed, match=r"Worker \d has died\."):
        ours.gather(ramp_up=0, patience=5)
