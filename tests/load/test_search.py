"""The search, over a simulated server whose p99 climbs with the rate."""

import pytest

from mirant.load.histogram import Histogram
from mirant.load.outcome import Outcome, Timeline
from mirant.load.scenario import Scenario
from mirant.load.schedule import Pace
from mirant.load.search import Search, fault_of


def run(first: float, limit: float) -> tuple[float | None, list[float]]:
    """Search with a server that is good up to *limit*; return what was found, and all that was tried."""
    search, tried = Search(first), []
    while (rate := search.next_rate()) is not None:
        tried.append(rate)
        search.record(rate, is_good=rate <= limit)
    return search.best, tried


@pytest.mark.parametrize("first", [10, 1_000, 30_000])
@pytest.mark.parametrize("limit", [37, 999, 1_000, 1_001, 12_345])
def test_it_finds_the_limit_within_five_percent(first: float, limit: float) -> None:
    best, tried = run(first, limit)

    assert best is not None
    assert limit / 1.05 <= best <= limit
    assert len(tried) <= 20


def test_it_doubles_then_halves() -> None:
    assert run(100, 500)[1][:6] == [100, 200, 400, 800, 600, 500]


def test_it_gives_up_on_a_server_that_is_never_good() -> None:
    best, tried = run(64, 0)

    assert best is None
    assert tried[-1] == 1


def test_it_ends_with_a_server_that_is_always_good() -> None:
    best, tried = run(1, float("inf"))

    assert best == tried[-1]
    assert len(tried) < 30


def outcome(latency: int, **fields: int) -> Outcome:
    """Make the outcome of a run in which each of 100 deliveries took *latency*."""
    made = Outcome(
        scenario=Scenario(),
        pace=Pace(start=0, pause=1, batches=1),
        timeline=Timeline(0, 1),
        latency=Histogram.of([(latency, 100)]),
        published=1,
        expected=100,
        delivered=100 - fields.get("lost", 0),
    )
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_a_run_within_the_bound_is_good() -> None:
    assert fault_of(outcome(50_000), 50_000) == ""


def test_a_slow_run_is_not_good() -> None:
    assert fault_of(outcome(50_001), 50_000) == "p99 50.0 ms"


def test_a_fast_run_that_loses_is_not_good() -> None:
    assert fault_of(outcome(10, lost=7), 50_000) == "7 deliveries lost"


def test_whatever_went_wrong_is_named() -> None:
    assert fault_of(outcome(10, lost=7, refused=1), 50_000) == "7 deliveries lost; 1 publish refused"
    assert fault_of(outcome(10, unsent=20), 50_000) == "20 publishes not sent: their clients were away"
    assert fault_of(outcome(10, unconfirmed=2), 50_000) == "2 publishes neither confirmed nor delivered"
    assert fault_of(outcome(10, published=0), 50_000) == "nothing was published"


def test_a_run_in_which_nothing_was_timed_is_not_good() -> None:
    untimed = outcome(10)
    untimed.latency = Histogram()

    assert fault_of(untimed, 50_000) == "no delivery was timed"


def test_a_slow_run_of_a_slow_generator_says_so() -> None:
    slow = outcome(90_000)
    slow.busy = [0.99]

    assert fault_of(slow, 50_000) == "p99 90.0 ms; the generator could not keep up"
