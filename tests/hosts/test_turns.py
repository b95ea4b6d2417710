"""Turns of the event loop: who waits, for how long, and who goes first."""

from __future__ import annotations

import asyncio

import pytest

from mirant.hosts.turns import PROMPT, STEPS, Turns, take_turn


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Flooding:
    """A connection that has something to say for so many *turns*, each of which takes *seconds*."""

    def __init__(self, clock: Clock, turns: int, seconds: float = 0.0, log: list[str] | None = None) -> None:
        self.left = turns
        self.taken = 0
        self.name = ""
        self._clock = clock
        self._seconds = seconds
        self._log = log

    def take_turn(self) -> bool:
        self._clock.now += self._seconds
        self.taken += 1
        self.left -= 1
        if self._log is not None:
            self._log.append(self.name)
        return self.left > 0


async def _pass_turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_connection_has_a_turn_after_two_that_are_for_others() -> None:
    clock = Clock()
    turns, flooding = Turns(clock), Flooding(clock, 3)
    turns.add(flooding)
    taken = []
    for _ in range(10):
        await asyncio.sleep(0)
        taken.append(flooding.taken)

    assert taken == [0, 0, 1, 1, 1, 2, 2, 2, 3, 3]
    assert len(turns) == 0


async def test_all_have_their_turn_before_one_has_another() -> None:
    clock = Clock()
    log: list[str] = []
    turns = Turns(clock)
    for name in "abc":
        flooding = Flooding(clock, 3, 0.0021, log)
        flooding.name = name
        turns.add(flooding)
    await _pass_turns(60)

    assert "".join(log) == "abcabcabc"


async def test_a_slice_ends_when_its_time_is_over() -> None:
    """However many connections flood, another one waits for one slice."""
    clock = Clock()
    turns = Turns(clock)
    flooding = [Flooding(clock, 5, 0.0005) for _ in range(100)]
    for each in flooding:
        turns.add(each)
    await _pass_turns(3)

    assert sum(each.taken for each in flooding) == 4


async def test_under_load_the_queue_keeps_a_third_of_the_time() -> None:
    clock = Clock()
    turns = Turns(clock)
    flooding = [Flooding(clock, 5, 0.0005) for _ in range(100)]
    for each in flooding:
        turns.add(each)
    await asyncio.sleep(0)
    clock.now += 0.008  # the others took as long as that
    await _pass_turns(2)

    assert sum(each.taken for each in flooding) == 8


async def test_but_never_more_than_ten_milliseconds() -> None:
    clock = Clock()
    turns = Turns(clock)
    flooding = [Flooding(clock, 5, 0.0005) for _ in range(100)]
    for each in flooding:
        turns.add(each)
    clock.now += 60.0
    await _pass_turns(3)

    assert sum(each.taken for each in flooding) in (20, 21)  # the clock counts in binary fractions


async def test_one_that_fails_keeps_no_other_from_its_turn(caplog: pytest.LogCaptureFixture) -> None:
    class Failing:
        def take_turn(self) -> bool:
            raise ValueError("on purpose")

    clock = Clock()
    turns, sound = Turns(clock), Flooding(clock, 2)
    turns.add(Failing())
    turns.add(sound)
    await _pass_turns(6)

    assert sound.taken == 2
    assert [record.message for record in caplog.records] == ["connection.failed"]


async def test_a_coroutine_waits_for_its_turn() -> None:
    clock = Clock()
    turns = Turns(clock, most=1)
    tasks = [asyncio.create_task(take_turn(turns)) for _ in range(2)]
    await _pass_turns(5)
    assert [task.done() for task in tasks] == [True, False]
    await _pass_turns(3)
    assert [task.done() for task in tasks] == [True, True]


async def test_a_coroutine_that_is_cancelled_gives_its_turn_up() -> None:
    clock = Clock()
    turns, other = Turns(clock), Flooding(clock, 1)
    task = asyncio.create_task(take_turn(turns))
    await asyncio.sleep(0)
    turns.add(other)
    task.cancel()
    await _pass_turns(5)

    assert task.cancelled()
    assert other.taken == 1
    assert len(turns) == 0


async def test_what_waited_on_an_event_loop_that_ended_is_forgotten() -> None:
    clock = Clock()
    turns, former, later = Turns(clock), Flooding(clock, 1), Flooding(clock, 1)
    turns.add(former)
    turns.clear()
    turns.add(later)
    await _pass_turns(6)

    assert (former.taken, later.taken) == (0, 1)


async def test_who_comes_when_the_queue_was_empty_for_a_while_has_its_turn() -> None:
    clock = Clock()
    turns, former, later = Turns(clock), Flooding(clock, 1), Flooding(clock, 1)
    turns.add(former)
    await _pass_turns(6)
    turns.add(later)
    await _pass_turns(6)

    assert (former.taken, later.taken) == (1, 1)


def test_another_event_loop_goes_on_where_one_ended() -> None:
    clock = Clock()
    turns, former, later = Turns(clock), Flooding(clock, 1), Flooding(clock, 1)

    async def leave() -> None:
        turns.add(former)

    async def go_on() -> None:
        turns.clear()
        turns.add(later)
        await _pass_turns(6)

    for work in (leave, go_on):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(work())
        loop.close()
    assert (former.taken, later.taken) == (0, 1)


async def test_a_slice_is_over_at_its_end() -> None:
    clock = Clock()
    clock.now = 0.0
    turns = Turns(clock)
    flooding = [Flooding(clock, 5, 0.001) for _ in range(10)]
    for each in flooding:
        turns.add(each)
    await _pass_turns(3)

    assert sum(each.taken for each in flooding) == 2


async def test_a_slice_is_for_a_thousand_at_most_however_fast_they_are() -> None:
    clock = Clock()
    turns = Turns(clock)
    flooding = [Flooding(clock, 1) for _ in range(1_001)]
    for each in flooding:
        turns.add(each)
    await _pass_turns(3)

    assert sum(each.taken for each in flooding) == 1_000


async def test_who_wants_to_know_is_told_of_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    class Failing:
        def take_turn(self) -> bool:
            raise ValueError("on purpose")

    told: list[str] = []
    turns = Turns(Clock(), fail=lambda event, error: told.append(f"{event} {error}"))
    turns.add(Failing())
    await _pass_turns(6)

    assert told == ["connection.failed on purpose"]
    assert not caplog.records


class Adding(Flooding):
    """A connection that brings another one into the queue when it has its turn."""

    def __init__(self, clock: Clock, turns: Turns, other: Flooding) -> None:
        super().__init__(clock, 3)
        self._turns, self._other = turns, other

    def take_turn(self) -> bool:
        self._turns.add(self._other)
        return super().take_turn()


async def test_who_is_added_in_a_slice_brings_no_second_one() -> None:
    clock = Clock()
    turns = Turns(clock)
    adding = Adding(clock, turns, Flooding(clock, 100))
    turns.add(adding)
    taken = []
    for _ in range(8):
        await asyncio.sleep(0)
        taken.append(adding.taken)

    assert taken == [0, 0, 1, 1, 1, 2, 2, 2]


async def test_a_turn_in_which_many_took_much_is_crowded_and_the_next_one_is_not() -> None:
    turns = Turns(Clock())
    for _ in range(10):
        turns.spend(STEPS)
    at_most = turns.prompt, turns.steps
    turns.spend(STEPS)
    crowded = turns.prompt, turns.steps
    await asyncio.sleep(0)

    assert at_most == (turns.prompt, turns.steps) == (PROMPT, STEPS)
    assert crowded == (256, 4)
