"""The engine of one process: order, positions, a past that says what is missing, members and records."""

from __future__ import annotations

import pytest

from mirant.bayeux.channels import Channel, Pattern
from mirant.bayeux.messages import Delivery
from mirant.bus.contracts import Position, Published
from mirant.bus.record import SessionRecord
from mirant.engines.memory import MemoryEngine
from mirant.options.settings import Settings
from mirant.testing import World

CHANNEL = Channel.parse("/a")


class Process:
    """A node that takes note of what arrives."""

    def __init__(self) -> None:
        self.arrivals: list[tuple[Position, Published]] = []

    def arrived(self, position: Position, item: Published) -> int:
        self.arrivals.append((position, item))
        return 3

    def local_members(self, pattern: Pattern) -> int:
        return {"/a": 2}.get(pattern.name, 0)

    def local_record(self, session_id: str) -> SessionRecord | None:
        return None


def item(data: object, history: int = 0) -> Published:
    return Published(CHANNEL, Delivery.of(CHANNEL, data), history)


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
def engine(process: Process) -> MemoryEngine:
    engine = MemoryEngine(Settings())
    engine.join(process)
    return engine


def kept(engine: MemoryEngine, since: Position = 0, last: int = 100) -> list[Position]:
    return [position for position, _ in engine.history(CHANNEL, since=since, last=last).items]


def test_what_is_appended_has_arrived_when_append_returns(engine: MemoryEngine, process: Process) -> None:
    first, second = item(1), item(2)
    assert engine.append(first) == 3
    engine.append(second)
    assert process.arrivals == [(1, first), (2, second)]


def test_positions_grow_over_all_channels(engine: MemoryEngine) -> None:
    for number in range(3):
        engine.append(item(number, history=5))
        other = Channel.parse(f"/other/{number}")
        engine.append(Published(other, Delivery.of(other, number)))
    assert kept(engine) == [1, 3, 5]


def test_the_past_begins_after_a_position(engine: MemoryEngine) -> None:
    for number in range(5):
        engine.append(item(number, history=5))
    page = engine.history(CHANNEL, since=3, last=100)
    assert ([position for position, _ in page.items], page.top, page.complete) == ([4, 5], 5, True)


def test_the_past_says_when_something_is_missing(engine: MemoryEngine) -> None:
    for number in range(5):
        engine.append(item(number, history=3))
    assert engine.history(CHANNEL, since=2, last=100).complete
    assert not engine.history(CHANNEL, since=1, last=100).complete
    assert not engine.history(CHANNEL, last=100).complete


def test_the_past_of_a_channel_without_any_is_empty_and_complete(engine: MemoryEngine) -> None:
    page = engine.history(CHANNEL, last=10)
    assert (page.items, page.top, page.complete, page.epoch) == ([], 0, True, engine.epoch)


def test_the_last_messages_are_the_newest(engine: MemoryEngine) -> None:
    for number in range(5):
        engine.append(item(number, history=5))
    assert kept(engine, last=2) == [4, 5]
    assert kept(engine, last=0) == []


def test_a_channel_that_made_room_for_others_is_not_complete_any_more() -> None:
    engine = MemoryEngine(Settings(max_history=2_500))
    engine.join(Process())
    engine.append(item("x" * 500, history=5))
    other = Channel.parse("/other")
    engine.append(Published(other, Delivery.of(other, "x" * 500), 5))
    page = engine.history(CHANNEL, last=10)
    assert (page.items, page.complete) == ([], False)
    engine.append(item("y", history=5))
    assert not engine.history(CHANNEL, last=10).complete


def test_what_rules_do_not_keep_any_more_is_forgotten(engine: MemoryEngine) -> None:
    for number in range(5):
        engine.append(item(number, history=5))
    engine.forget(lambda channel: 2)
    assert kept(engine) == [4, 5]
    engine.forget(lambda channel: 0)
    assert kept(engine) == []
    assert not engine.history(CHANNEL, last=10).complete


def test_a_smaller_limit_holds_at_once(engine: MemoryEngine) -> None:
    engine.append(item("x" * 500, history=5))
    engine.configure(Settings(max_history=1))
    assert kept(engine) == []


def test_each_life_has_an_epoch_of_its_own(engine: MemoryEngine) -> None:
    assert engine.epoch != MemoryEngine(Settings()).epoch


def test_members_and_records_are_those_of_the_process() -> None:
    world = World()
    client = world.polling().enter()
    client.subscribe("/a")
    engine = world.core._engine
    assert (engine.members(Pattern.parse("/a")), engine.members(Pattern.parse("/b"))) == (1, 0)
    assert engine.record(client.session.id) is client.session.record
    assert engine.record("nobody") is None
