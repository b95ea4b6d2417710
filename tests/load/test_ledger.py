"""The ledger: what is lost, doubled or disordered is found, and nothing else."""

import json
import tracemalloc

import pytest

from mirant.load.intake import Intake
from mirant.load.ledger import Ledger, Missing
from mirant.load.scenario import Scenario, Share
from mirant.load.schedule import Pace, Schedule, batches
from tests.load.faultless import ALL, PACE, deliveries, ledger_of, play


def test_a_faultless_run() -> None:
    intake = Intake(ledger_of())
    played = list(deliveries())
    play(intake, played)
    ledger = intake.ledger

    assert (ledger.delivered, ledger.outstanding, ledger.missing()) == (len(played), 0, {})
    assert ledger.faults.examples == []
    assert intake.payloads == len(played)


def test_latency_counts_from_when_a_message_was_due_and_the_warm_up_apart() -> None:
    intake = Intake(ledger_of())
    played = list(deliveries())
    play(intake, played, latency=321)
    warming, timed = intake.ledger.collect()

    assert warming.count == sum(due < 4_000 for _, due, _ in played) > 0
    assert timed.count == sum(due >= 4_000 for _, due, _ in played) > 0
    assert timed.minimum == timed.maximum == warming.minimum == warming.maximum == 321
    assert [part.count for part in intake.ledger.collect()] == [0, 0]


def test_what_is_lost_is_named() -> None:
    intake = Intake(ledger_of())
    played = list(deliveries())
    client, _, payload = played.pop(20)
    play(intake, played)
    number = int(json.loads(payload)[0]["data"]["msg_id"].partition("/")[0])
    publisher = json.loads(payload)[0]["data"]["user"]

    assert intake.ledger.missing() == {number: Missing(publisher, 1, [client])}
    assert intake.ledger.outstanding == 1


def test_what_never_came_anywhere_is_missing_everywhere() -> None:
    ledger = ledger_of()
    ledger.advance(PACE.due(0))

    assert ledger.outstanding == sum(missing.clients for missing in ledger.missing().values()) > 0


def test_of_many_clients_that_miss_a_message_a_few_are_named() -> None:
    crowded = Scenario(clients=100, rooms=1, rooms_per_client=1, batch_size=1)
    ledger = Ledger(crowded, ALL, Schedule(crowded, PACE))
    ledger.advance(PACE.due(0))

    assert ledger.missing() == {1: Missing(0, 100, [0, 1, 2, 3])}


@pytest.mark.parametrize("later", [1, 40])
def test_what_comes_twice_is_found_however_late(later: int) -> None:
    intake = Intake(ledger_of())
    played = list(deliveries())
    twice = played[10]
    played.insert(10 + later, twice)
    play(intake, played)

    assert intake.ledger.faults.duplicates == 1
    assert intake.ledger.delivered == len(played) - 1
    assert f"client {twice[0]} got message" in intake.ledger.faults.examples[0]


def test_one_twice_does_not_make_up_for_one_lost() -> None:
    intake = Intake(ledger_of())
    played = list(deliveries())
    same = [entry for entry in played if entry[2] == played[0][2]]
    played.remove(same[1])
    played.insert(1, same[0])
    play(intake, played)

    assert intake.ledger.faults.duplicates == 1
    assert [missing.named for missing in intake.ledger.missing().values()] == [[same[1][0]]]


def test_one_publishers_messages_out_of_order_are_found() -> None:
    intake = Intake(ledger_of())
    played = list(deliveries())
    first = played[0]
    # Those of the same batch, to the same receiver, in another payload.
    second = next(e for e in played if e[0] == first[0] and e[1] == first[1] and e[2] != first[2])
    here, there = played.index(first), played.index(second)
    played[here], played[there] = second, first
    play(intake, played)

    assert intake.ledger.faults.disordered > 0
    assert (intake.ledger.missing(), intake.ledger.faults.duplicates) == ({}, 0)


def test_two_publishers_may_overtake_each_other() -> None:
    intake = Intake(ledger_of())
    played = list(deliveries())
    swapped = [e for e in played if e[1] == PACE.due(1)] + [e for e in played if e[1] == PACE.due(0)]
    play(intake, swapped + [e for e in played if e[1] > PACE.due(1)])

    assert intake.ledger.faults.disordered == 0
    assert intake.ledger.missing() == {}


def test_order_is_watched_over_batches_of_one_publisher() -> None:
    alone = Scenario(clients=2, rooms=1, rooms_per_client=1, batch_size=1)
    ledger = Ledger(alone, ALL, Schedule(alone, PACE))
    first, third = ledger.find(1), ledger.find(3)
    assert first is not None
    assert third is not None
    ledger.arrived(0, [third, first], 10)
    ledger.arrived(1, [first, third], 10)

    assert (first.publisher, third.publisher) == (0, 0)
    assert ledger.faults.disordered == 1


def test_what_it_keeps_does_not_grow_with_clients_times_publishers() -> None:
    crowd = Scenario(clients=2_000, rooms=200, rooms_per_client=1, batch_size=1)
    pace = Pace(start=0, pause=1_000, batches=2_000)
    played = list(batches(crowd, pace))
    assert crowd.members
    tracemalloc.start()
    try:
        ledger = Ledger(crowd, ALL, Schedule(crowd, pace))
        for batch in played:
            if message := ledger.find(batch.first):
                for client in crowd.members[batch.rooms[0]]:
                    ledger.arrived(client, [message], batch.due)
            ledger.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert ledger.delivered > 2_000
    assert kept < 4_000_000  # four bytes for each pair would be 16 MB


def test_workers_each_watch_their_own_clients() -> None:
    shares = [Share(worker, 2) for worker in range(2)]
    intakes = [Intake(ledger_of(share)) for share in shares]
    played = list(deliveries())
    for share, intake in zip(shares, intakes, strict=True):
        play(intake, [entry for entry in played if share.has(entry[0])])

    assert sum(intake.ledger.delivered for intake in intakes) == len(played)
    assert [intake.ledger.missing() for intake in intakes] == [{}, {}]


def test_after_a_halt_nothing_more_becomes_due() -> None:
    ledger = ledger_of()
    ledger.advance(PACE.due(0))
    outstanding = ledger.outstanding
    ledger.halt()
    ledger.advance(PACE.end)

    assert ledger.outstanding == outstanding
