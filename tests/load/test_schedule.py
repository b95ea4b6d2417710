"""The schedule: what is due when, by the time it is told."""

from mirant.load.scenario import Scenario
from mirant.load.schedule import Pace, Schedule, batches

SCENARIO = Scenario(clients=3, rooms=5, rooms_per_client=2, batch_size=4)
PACE = Pace(start=1_000_000, pause=250.5, batches=6, first=101)


def test_batches_are_due_at_their_times_whatever_happens() -> None:
    assert [batch.due for batch in batches(SCENARIO, PACE)] == [
        1_000_250,
        1_000_501,
        1_000_752,
        1_001_002,
        1_001_252,
        1_001_503,
    ]


def test_clients_publish_in_turn_to_rooms_that_somebody_is_in() -> None:
    played = list(batches(SCENARIO, PACE))

    assert [batch.publisher for batch in played] == [0, 1, 2, 0, 1, 2]
    assert [batch.first for batch in played] == [101, 105, 109, 113, 117, 121]
    assert all(len(batch.rooms) == 4 and set(batch.rooms) <= set(SCENARIO.filled) for batch in played)


def test_clients_publish_at_random_if_asked_to() -> None:
    scenario = Scenario(clients=50, random_publishers=True)
    publishers = [batch.publisher for batch in batches(scenario, Pace(start=0, pause=1, batches=500))]

    assert publishers != [index % 50 for index in range(500)]
    assert len(set(publishers)) > 40


def test_every_process_plays_the_same_and_every_run_something_else() -> None:
    later = Pace(start=5, pause=1, batches=6, first=125)

    assert list(batches(SCENARIO, PACE)) == list(batches(SCENARIO, PACE))
    assert [b.rooms for b in batches(SCENARIO, PACE)] != [b.rooms for b in batches(SCENARIO, later)]


def test_what_is_due_is_handed_out_once() -> None:
    schedule = Schedule(SCENARIO, PACE)

    assert schedule.take(1_000_249) == []
    assert [batch.first for batch in schedule.take(1_000_501)] == [101, 105]
    assert schedule.take(1_000_501) == []
    assert schedule.next_due == 1_000_752
    assert schedule.next_number == 109


def test_a_late_look_hands_out_all_that_was_missed_with_the_times_it_was_due() -> None:
    taken = Schedule(SCENARIO, PACE).take(9_000_000)

    assert [batch.due for batch in taken] == [PACE.due(index) for index in range(6)]


def test_after_the_last_batch_nothing_is_due() -> None:
    schedule = Schedule(SCENARIO, PACE)
    schedule.take(PACE.end)

    assert schedule.next_due is None
    assert schedule.next_number == schedule.end == 125


def test_it_looks_ahead_as_far_as_a_message_that_came_early() -> None:
    schedule = Schedule(SCENARIO, PACE)

    assert [batch.first for batch in schedule.take_through(106)] == [101, 105]
    assert [batch.first for batch in schedule.take(1_000_752)] == [109]


def test_a_stopped_schedule_says_where_it_stopped() -> None:
    schedule = Schedule(SCENARIO, PACE)
    schedule.take(1_000_501)
    schedule.stop()

    assert schedule.take(9_000_000) == []
    assert schedule.next_due is None
    assert schedule.next_number == 109
