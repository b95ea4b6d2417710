"""The structure in which all sessions wait for their deadlines."""

import itertools
import math

import pytest

from mirant.bus.deadlines import GRANULARITY, Deadlines


class Entry:
    def __init__(self, name: str = "") -> None:
        self.name = name
        self.deadline = 0.0
        self.bucket: int | None = None


@pytest.fixture
def deadlines() -> Deadlines[Entry]:
    return Deadlines()


def is_empty(deadlines: Deadlines[Entry]) -> bool:
    return deadlines.next() is None and not deadlines._buckets and not deadlines._order


def test_without_entries_there_is_nothing_to_wait_for(deadlines: Deadlines[Entry]) -> None:
    assert deadlines.next() is None
    assert deadlines.due(1e9) == []


@pytest.mark.parametrize("deadline", [0.0, 0.01, 0.05, 1.0, 10.333, 86_400.049, 1_000_000.7])
def test_an_entry_is_found_when_its_time_has_come_and_not_before(
    deadlines: Deadlines[Entry], deadline: float
) -> None:
    entry = Entry()
    deadlines.set(entry, deadline)
    assert deadlines.due(deadline - 0.001) == []
    assert deadlines.due(deadline + GRANULARITY) == [entry]
    assert is_empty(deadlines)


def test_to_call_at_next_until_there_is_none_finds_every_entry_at_most_one_granule_late(
    deadlines: Deadlines[Entry],
) -> None:
    for number in range(2_000):
        deadlines.set(Entry(), 100 + number * 0.0173)
    found = 0
    while (when := deadlines.next()) is not None:
        for entry in deadlines.due(when):
            found += 1
            assert entry.deadline <= when <= entry.deadline + GRANULARITY + 1e-9
    assert found == 2_000


@pytest.mark.parametrize("ulps", [-1, 0, 1])
def test_rounding_neither_loses_an_entry_nor_loops(deadlines: Deadlines[Entry], ulps: int) -> None:
    """Rounding may put the time of a bucket a little before a deadline in it."""
    for number in range(1, 3_000):
        entry, exact = Entry(), number * GRANULARITY
        deadlines.set(entry, exact + ulps * exact * 2**-52)
        for _ in range(3):
            when = deadlines.next()
            if when is None:
                break
            for found in deadlines.due(when):
                assert found.deadline <= when
        assert is_empty(deadlines)


def test_a_deadline_that_moves_later_is_found_later(deadlines: Deadlines[Entry]) -> None:
    entry = Entry()
    deadlines.set(entry, 1.0)
    deadlines.set(entry, 2.0)
    assert deadlines.due(1.5) == []
    assert deadlines.due(2.05) == [entry]


def test_a_deadline_that_moves_earlier_is_found_earlier_and_once(deadlines: Deadlines[Entry]) -> None:
    entry = Entry()
    deadlines.set(entry, 2.0)
    deadlines.set(entry, 1.0)
    assert deadlines.due(1.05) == [entry]
    assert deadlines.due(9.0) == []


def test_moving_later_touches_no_structure(deadlines: Deadlines[Entry]) -> None:
    """Every message moves its session's deadline, so moving it must change a number only."""
    entry = Entry()
    deadlines.set(entry, 1.0)
    for later in range(2, 10_000):
        assert not deadlines.set(entry, float(later))
    assert len(deadlines._buckets) == len(deadlines._order) == 1


def test_entries_of_one_granule_share_a_bucket(deadlines: Deadlines[Entry]) -> None:
    for number in range(10_000):
        deadlines.set(Entry(), 7.001 + number * 1e-6)
    assert len(deadlines._buckets) == 1


def test_set_tells_when_the_next_deadline_came_nearer(deadlines: Deadlines[Entry]) -> None:
    first, second, third = Entry(), Entry(), Entry()
    assert deadlines.set(first, 5.0)
    assert not deadlines.set(second, 6.0)
    assert deadlines.set(third, 4.0)
    assert deadlines.set(second, 1.0)


def test_a_removed_entry_is_never_found(deadlines: Deadlines[Entry]) -> None:
    entry, other = Entry(), Entry()
    deadlines.set(entry, 1.0)
    deadlines.set(other, 1.0)
    deadlines.remove(entry)
    deadlines.remove(entry)
    assert deadlines.due(5.0) == [other]


def test_next_skips_what_was_removed(deadlines: Deadlines[Entry]) -> None:
    entry, other = Entry(), Entry()
    deadlines.set(entry, 1.0)
    deadlines.set(other, 3.0)
    deadlines.remove(entry)
    assert deadlines.next() == pytest.approx(3.0)
    deadlines.remove(other)
    assert is_empty(deadlines)


def test_an_entry_can_be_set_again_after_it_was_found(deadlines: Deadlines[Entry]) -> None:
    entry = Entry()
    for lap in itertools.islice(itertools.count(1), 5):
        deadlines.set(entry, float(lap))
        assert deadlines.due(lap + GRANULARITY) == [entry]
    assert is_empty(deadlines)


def test_a_move_to_the_same_bucket_touches_no_structure(deadlines: Deadlines[Entry]) -> None:
    """1.01 and 1.04 are both found at 1.05."""
    entry = Entry()
    deadlines.set(entry, 1.04)
    [bucket] = deadlines._buckets.values()
    assert not deadlines.set(entry, 1.01)
    other = Entry()
    deadlines.set(other, 1.03)
    assert not deadlines.set(entry, 1.02)
    assert [*bucket] == [entry, other], "it was not taken out and put in again"


def test_a_second_entry_of_a_bucket_brings_nothing_nearer(deadlines: Deadlines[Entry]) -> None:
    assert deadlines.set(Entry(), 5.0)
    assert not deadlines.set(Entry(), 4.99)
    assert deadlines.set(Entry(), 4.94)


def test_an_entry_is_found_at_its_very_deadline(deadlines: Deadlines[Entry]) -> None:
    entry = Entry()
    deadlines.set(entry, 2.0)
    assert deadlines.due(2.0) == [entry]


@pytest.mark.parametrize("later", [0.1, 1.0, 100.0])
def test_an_entry_that_moved_later_waits_in_the_bucket_of_its_new_deadline(
    deadlines: Deadlines[Entry], later: float
) -> None:
    entry = Entry()
    deadlines.set(entry, 1.0)
    deadlines.set(entry, 1.0 + later)
    assert deadlines.due(1.0) == []
    assert deadlines.next() == pytest.approx(1.0 + later, abs=GRANULARITY)


@pytest.mark.parametrize("number", [9, 18, 35, 36, 65, 67])
def test_an_entry_that_was_found_too_early_moves_to_the_next_bucket_at_least(
    deadlines: Deadlines[Entry], number: int
) -> None:
    """Rounding puts these into a bucket whose time is a hair before their deadline."""
    entry = Entry()
    deadlines.set(entry, math.nextafter(number * GRANULARITY, math.inf))
    assert entry.bucket == number
    assert deadlines.due(number * GRANULARITY) == []
    assert deadlines.next() == (number + 1) * GRANULARITY
    assert deadlines.due((number + 1) * GRANULARITY) == [entry]
