"""What one turn of the event loop publishes leaves in one frame per subscriber. Equal frames are shared."""

from __future__ import annotations

import gc

import pytest

from mirant.bayeux.messages import Delivery
from mirant.bus.batch import MAX_FRAME
from mirant.bus.session import Session
from mirant.bus.tick import Tick
from mirant.testing import SocketClient, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> SocketClient:
    client = world.socket().enter()
    client.subscribe("/a")
    return client


def test_what_one_turn_publishes_comes_in_one_frame(world: World, client: SocketClient) -> None:
    with world.tick():
        for number in range(100):
            world.publish("/a", number)
    assert client.data == list(range(100))
    assert len(client.frames[-1]) == 100


def test_frames_of_several_messages_have_at_most_32_kib(world: World, client: SocketClient) -> None:
    with world.tick():
        for number in range(100):
            world.publish("/a", f"{number:0>1000}")
    assert len(client.data) == 100
    assert all(len(batch.payload) <= MAX_FRAME for batch in client.connection.batches)
    assert len(client.connection.batches) == 4


def test_subscribers_of_the_same_share_one_batch(world: World, client: SocketClient) -> None:
    others = [world.socket().enter() for _ in range(5)]
    for other in others:
        other.subscribe("/a")
    with world.tick():
        world.publish("/a", 1)
        world.publish("/a", 2)
    assert len({id(each.connection.batches[-1]) for each in (client, *others)}) == 1


def test_subscribers_that_get_the_same_share_one_batch_also_when_others_get_more(
    world: World, client: SocketClient
) -> None:
    other, greedy = world.socket().enter(), world.socket().enter()
    other.subscribe("/a")
    greedy.subscribe(["/a", "/b"])
    with world.tick():
        world.publish("/a", 1)
        world.publish("/b", 2)
    assert client.connection.batches[-1] is other.connection.batches[-1]
    assert greedy.frames[-1] == [{"channel": "/a", "data": 1}, {"channel": "/b", "data": 2}]


# --- What is left for others to send ---


def delivery(number: int, *, lazy: float | None = None, latest: bool = False) -> Delivery:
    made = Delivery.of_raw("/a", b"%d" % number)
    made.lazy, made.latest = lazy, latest
    return made


def polling_session(world: World) -> Session:
    return world.polling().enter().session


def test_who_cannot_be_written_is_left_with_all_that_is_for_it(world: World, client: SocketClient) -> None:
    tick, poller = Tick(), polling_session(world)
    subscribers, deliveries = (client.session, poller), [delivery(1), delivery(2)]
    for each in deliveries:
        tick.add(subscribers, each)
    [left] = tick.hand_out()
    assert client.data == [1, 2]
    assert (list(left.sessions), list(left.deliveries)) == ([poller], deliveries)
    assert left.batch is not None
    assert left.batch.payload == b'[{"channel":"/a","data":1},{"channel":"/a","data":2}]'


def test_a_tick_begins_anew_when_it_was_handed_out(world: World) -> None:
    tick, poller = Tick(), polling_session(world)
    tick.add((poller,), delivery(1))
    assert len(tick) == 1
    assert len(tick.hand_out()) == 1
    assert (len(tick), tick.hand_out()) == (0, [])


def test_what_was_written_is_counted_and_what_was_left_is_not(world: World, client: SocketClient) -> None:
    tick, other = Tick(), world.socket().enter()
    other.stall()
    other.connection.say(b"[]")
    tick.add((client.session, other.session, polling_session(world)), delivery(1))
    [left] = tick.hand_out()
    assert tick.pushed == 1
    assert left.sessions[0] is other.session


@pytest.mark.parametrize(
    "deliveries",
    [
        [delivery(1, lazy=5.0)],
        [delivery(1), delivery(2, lazy=5.0)],
        [delivery(1, latest=True), delivery(2)],
        [Delivery.of_raw("/a", b'"%b"' % (b"x" * MAX_FRAME)), delivery(2)],
    ],
    ids=["lazy", "one of them lazy", "latest", "more than a frame"],
)
def test_what_one_answer_cannot_carry_as_it_is_has_no_batch(world: World, deliveries: list[Delivery]) -> None:
    tick, subscribers = Tick(), (polling_session(world),)
    for each in deliveries:
        tick.add(subscribers, each)
    [left] = tick.hand_out()
    assert left.batch is None
    assert list(left.deliveries) == deliveries


def test_a_lazy_delivery_is_not_written_even_where_it_could_be(world: World, client: SocketClient) -> None:
    tick = Tick()
    tick.add((client.session,), delivery(1, lazy=5.0))
    [left] = tick.hand_out()
    assert client.data == []
    assert list(left.sessions) == [client.session]


def test_sessions_with_the_same_deliveries_are_left_together_in_the_order_of_publishing(world: World) -> None:
    tick = Tick()
    one, two, three = (polling_session(world) for _ in range(3))
    first, second, third = (delivery(number) for number in range(3))
    tick.add((one, two), first)
    tick.add((two, three, one), second)
    tick.add((three,), third)
    left = {tuple(each.sessions): list(each.deliveries) for each in tick.hand_out()}
    assert left == {(one, two): [first, second], (three,): [second, third]}


def test_handing_out_leaves_no_work_for_the_garbage_collector(world: World) -> None:
    tick = Tick()
    sessions = tuple(polling_session(world) for _ in range(3))
    deliveries = [delivery(number) for number in range(20)]
    gc.collect()
    gc.disable()
    try:
        for number, each in enumerate(deliveries):
            tick.add(sessions[: 1 + number % 3], each)
        tick.hand_out()
        assert gc.collect() == 0
    finally:
        gc.enable()
