"""The outcome: what several workers saw, reconciled, and judged."""

from dataclasses import replace

import pytest

from mirant.load.histogram import Histogram
from mirant.load.ledger import Faults, Missing
from mirant.load.orders import Findings, WorkerSample
from mirant.load.outcome import Outcome, Timeline
from mirant.load.scenario import Scenario
from mirant.load.schedule import SECOND, Pace

PACE = Pace(start=10 * SECOND, pause=10_000, batches=100)


def outcome() -> Outcome:
    """Make an outcome that nothing was added to."""
    return Outcome(scenario=Scenario(), pace=PACE, timeline=Timeline(PACE.start, 0.5))


def found(worker: int = 0, **fields: object) -> Findings:
    """Make the findings of a worker that published 10 messages to 5 clients each, all of which arrived."""
    whole = Findings(
        worker=worker,
        published=10,
        delivered=50,
        payloads=20,
        halted_at=1_001,
        owed=50,
        unconfirmed={},
        unsent=[],
        refused={},
        missing={},
        faults=Faults(),
    )
    return replace(whole, **fields)  # type: ignore[arg-type]  # fields of Findings, by name


def concluded(*findings: Findings) -> Outcome:
    """Reconcile *findings*."""
    whole = outcome()
    whole.conclude(findings)
    return whole


def test_all_well() -> None:
    whole = concluded(found(0), found(1))

    assert whole.in_order_once
    assert (whole.published, whole.expected, whole.delivered, whole.lost) == (20, 100, 100, 0)


def test_what_one_worker_misses_of_another_is_lost() -> None:
    whole = concluded(
        found(0), found(1, delivered=47, missing={4: Missing(0, 2, [1, 3]), 7: Missing(2, 1, [5])})
    )

    assert not whole.in_order_once
    assert (whole.expected, whole.delivered, whole.lost) == (100, 97, 3)
    assert "message 4 of client 0 never reached clients 1, 3" in whole.faults.examples


def test_a_message_that_many_miss_is_reported_with_a_few_of_them() -> None:
    whole = concluded(found(delivered=0, missing={4: Missing(0, 50, [1, 3, 5, 7])}))

    assert whole.lost == 50
    assert whole.faults.examples == ["message 4 of client 0 never reached clients 1, 3, 5, 7 and 46 more"]


@pytest.mark.parametrize("field", ["duplicates", "disordered", "altered", "strays"])
def test_each_fault_spoils_it(field: str) -> None:
    faults = Faults()
    setattr(faults, field, 1)
    assert not concluded(found(0), found(1, faults=faults)).in_order_once


def test_nobody_waits_for_what_was_refused() -> None:
    whole = concluded(
        found(0, owed=45, refused={3: "403::publish_denied"}),
        found(1, delivered=45, missing={3: Missing(0, 5, [1, 3, 5, 7, 9])}),
    )

    assert (whole.lost, whole.refused, whole.expected) == (0, 1, 95)
    assert whole.failures == {"publish refused: 403::publish_denied": 1}
    assert not whole.in_order_once


def test_nobody_waits_for_what_was_not_sent() -> None:
    whole = concluded(
        found(0, published=9, owed=45, delivered=45, unsent=[3], missing={3: Missing(0, 2, [0, 1])})
    )

    assert (whole.lost, whole.unsent) == (0, 1)
    assert not whole.in_order_once


def test_nobody_waits_for_what_came_after_the_halt_of_its_publishers_worker() -> None:
    missing = {5: Missing(0, 1, [1]), 6: Missing(1, 1, [1])}
    whole = concluded(found(0, halted_at=5), found(1, halted_at=7, delivered=49, missing=missing))

    assert whole.lost == 1
    assert whole.faults.examples == ["message 6 of client 1 never reached client 1"]


def test_a_publish_without_a_reply_is_no_fault_if_it_arrived() -> None:
    assert concluded(found(0, owed=45, unconfirmed={3: 5})).in_order_once


def test_a_publish_without_a_reply_that_did_not_arrive_is_not_called_lost() -> None:
    whole = concluded(found(0, owed=45, delivered=48, unconfirmed={3: 5}, missing={3: Missing(0, 2, [1, 2])}))

    assert (whole.lost, whole.unconfirmed, whole.expected, whole.delivered) == (0, 1, 48, 48)
    assert not whole.in_order_once


def test_accounts_that_differ_are_no_success() -> None:
    assert not concluded(found(0, delivered=49)).in_order_once


def test_nothing_published_is_no_success() -> None:
    assert not concluded(found(0, published=0, owed=0, delivered=0)).in_order_once


def test_a_late_generator_is_named() -> None:
    whole = outcome()
    whole.lateness = Histogram.of([(100, 980), (7_000, 20)])

    assert len(whole.doubts) == 1
    assert "7.0 ms late" in whole.doubts[0]


def test_a_busy_generator_is_named() -> None:
    whole = outcome()
    whole.busy = [0.4, 0.97]

    assert "97 %" in whole.doubts[0]
    assert "--workers" in whole.doubts[0]


def test_a_generator_that_kept_up_is_not_doubted() -> None:
    whole = outcome()
    whole.lateness, whole.busy = Histogram.of([(300, 1_000)]), [0.6]

    assert whole.doubts == []


def sample(at: float, published: int, latencies: int, worker: int = 0) -> WorkerSample:
    """Make a sample *at* seconds after the start."""
    latency = Histogram.of([(round(at * 1_000), latencies)] if latencies else [])
    return WorkerSample(
        worker=worker,
        run=1,
        at=PACE.start + round(at * SECOND),
        ready=1,
        published=published,
        latency=latency,
    )


def test_samples_are_spread_over_the_slices_that_they_span() -> None:
    timeline = Timeline(PACE.start, 0.5)
    for each in (sample(0.4, 40, 80), sample(0.8, 80, 80), sample(0.9, 30, 0, worker=1)):
        timeline.add(each)
    (first, early), (second, late) = timeline.slices

    assert (first, second) == (0, 0.5)
    assert early.published + late.published == pytest.approx(110)
    assert early.delivered == pytest.approx(80 + 80 * 0.25)
    assert late.delivered == pytest.approx(80 * 0.75)


def test_a_quiet_time_is_a_gap_in_latency_not_in_slices() -> None:
    timeline = Timeline(PACE.start, 0.5)
    for each in (sample(0.25, 5, 5), sample(2.0, 5, 0), sample(2.2, 5, 5)):
        timeline.add(each)

    assert [part.latency.count for _, part in timeline.slices] == [5, 0, 0, 0, 5]


def test_the_run_lasts_until_the_last_delivery() -> None:
    whole = outcome()
    for each in (sample(0.5, 10, 10), sample(1.5, 10, 5), sample(4.0, 10, 0)):
        whole.add_sample(each)
    whole.delivered = 15

    assert whole.seconds == 1.5
    assert whole.delivery_rate == 10
