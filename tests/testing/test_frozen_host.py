"""Running a core by hand: turns end when they are told to, and time passes when it is told to."""

from __future__ import annotations

import pytest

from mirant.bus.hooks import Pipeline
from mirant.testing import START, FrozenHost, Later, World


def test_time_stands_still_until_it_is_told_to_pass() -> None:
    host = FrozenHost()
    assert host.now == host.time() == START
    host.advance(2.5)
    assert host.now == host.time() == START + 2.5


def test_all_that_falls_due_happens_at_its_time() -> None:
    world, times = World(timeout=20, max_interval=10), list[float]()
    world.services.on_leave(lambda session: times.append(world.now - START))
    first = world.polling().enter()
    world.advance(5)
    second = world.polling().enter()
    second.connect()
    world.advance(100)
    assert not first.alive
    assert times == [pytest.approx(10, abs=0.1), pytest.approx(35, abs=0.2)]


def test_in_a_tick_nothing_is_sent_before_its_end() -> None:
    world = World()
    client = world.socket().enter()
    client.subscribe("/a")
    before = world.flushes
    with world.tick():
        world.publish("/a", 1)
        world.publish("/a", 2)
        assert client.data == []
    assert client.data == [1, 2]
    assert world.flushes == before + 1


def waiting_for(later: Later, seen: list[object]) -> Pipeline:
    seen.append((yield later))


def test_a_pipeline_waits_for_its_later() -> None:
    host, later, seen = FrozenHost(), Later(), list[object]()
    host.run(waiting_for(later, seen), lambda: seen.append("ended"))
    assert seen == []
    later.resolve(7)
    assert seen == [7, "ended"]


def test_a_pipeline_that_waits_for_nothing_ends_at_once() -> None:
    host, later, seen = FrozenHost(), Later(), list[object]()
    later.resolve(7)
    host.run(waiting_for(later, seen), lambda: seen.append("ended"))
    assert seen == [7, "ended"]


def test_what_fails_in_the_background_is_kept_until_it_is_taken() -> None:
    host, later = FrozenHost(), Later()
    host.background(waiting_for(later, []))
    later.fail(RuntimeError("on purpose"))
    assert [str(error) for error in host.take_failures()] == ["on purpose"]
    assert host.failures == []


class Elsewhere:
    """Something that only an event loop could wait for."""

    def __await__(self) -> Pipeline:
        yield self


def waiting_elsewhere() -> Pipeline:
    yield Elsewhere()


def test_nothing_but_a_later_can_be_awaited() -> None:
    with pytest.raises(AssertionError, match="await a Later"):
        FrozenHost().run(waiting_elsewhere())
