"""How deliveries leave in a pause, behind a full outbox, and where a carrier takes nothing."""

from __future__ import annotations

import json

import pytest

from mirant.bayeux.channels import Channel
from mirant.bayeux.messages import Delivery
from mirant.bus.batch import Batch
from mirant.bus.beat import LONGEST
from mirant.bus.carrier import Link, Outgoing
from mirant.bus.contracts import Observer
from mirant.bus.extension import Extension
from mirant.bus.request import Request
from mirant.bus.session import Session
from mirant.testing import PollingClient, World
from tests.bus.slow_world import SlowWorld


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def busy() -> SlowWorld:
    """Return a world in a pause: answering a poll has just taken time."""
    world = SlowWorld()
    client = entered(world)
    client.connect()
    world.slow = True
    world.publish("/a", 0)
    world.slow = False
    client.disconnect()
    return world


def entered(world: World) -> PollingClient:
    client = world.polling(cookies=False).enter()
    client.subscribe("/a")
    return client


def size_of(*data: int) -> int:
    return sum(len(json.dumps({"channel": "/a", "data": each}, separators=(",", ":"))) for each in data)


# --- In the pause of a busy bus ---


def test_in_the_pause_connections_get_messages_at_once_and_polls_at_its_end(busy: SlowWorld) -> None:
    socket, client = busy.socket().enter(), entered(busy)
    socket.subscribe("/a")
    poll = client.connect()
    busy.publish("/a", 1)
    assert socket.data == [1]
    assert poll.held
    assert busy.alarms[-1] == busy.core.next_deadline()
    busy.advance(LONGEST)
    assert [message.get("data") for message in poll.messages] == [1, None]
    assert socket.data == [1]


def test_in_the_pause_a_connection_that_has_room_again_is_written(busy: SlowWorld) -> None:
    socket = busy.socket().enter()
    socket.subscribe("/a")
    socket.stall()
    busy.publish("/a", 1)
    busy.publish("/a", 2)
    socket.read_on()
    assert socket.data == [1, 2]


def test_in_the_pause_an_extension_changes_what_its_session_gets(busy: SlowWorld) -> None:
    client = entered(busy)
    client.session.extensions = (Loud(),)
    client.connect()
    busy.publish("/a", 1)
    busy.advance(LONGEST)
    assert client.deliveries == [{"channel": "/a", "data": 1, "loud": True}]


class Loud(Extension):
    def delivering(self, delivery: Delivery, session: Session, now: float) -> Delivery | None:
        return delivery.with_fields(b'"loud":true')


def test_in_the_pause_a_full_outbox_ends_its_session_and_leaves_nothing(busy: SlowWorld) -> None:
    client, other = entered(busy), entered(busy)
    client.session.outbox.limit = size_of(1, 2)
    with busy.tick():
        busy.publish("/a", 1)
        busy.publish("/a", 2)
    assert client.client_id in busy.core.sessions
    with busy.tick():
        busy.publish("/a", 3)
        busy.publish("/a", 4)
    assert not client.alive
    assert busy.core.statistics().waiting == size_of(1, 2, 3, 4)
    assert other.session.outbox.size == size_of(1, 2, 3, 4)


def test_what_there_is_to_send_is_counted_until_it_is_sent(busy: SlowWorld) -> None:
    deliveries, client = busy.core._deliveries, entered(busy)
    with busy.tick():
        busy.core.publish(*message(1))
        assert len(deliveries) == 1
        client.send(client.message("/b", data=1))
        assert len(deliveries) == 2
    assert len(deliveries) == 1
    poll = client.connect()
    for _ in range(2):
        busy.publish("/a", 2)
        assert len(deliveries) == 1
    busy.advance(LONGEST)
    assert not poll.held
    assert len(deliveries) == 0


def message(number: int) -> tuple[Channel, Delivery]:
    channel = Channel.parse("/a")
    return channel, Delivery.of(channel, number)


def test_a_session_is_marked_once(world: World) -> None:
    client, deliveries = entered(world), world.core._deliveries
    with world.tick():
        deliveries.hurry(client.session)
        deliveries.hurry(client.session)
        assert len(deliveries) == 1


# --- Outboxes ---


def test_what_waited_for_a_session_that_ended_because_of_it_does_not_count(world: World) -> None:
    client = entered(world)
    client.session.outbox.limit = size_of(1, 2)
    for number in range(3):
        world.publish("/a", number)
    assert not client.alive
    assert world.core.statistics().waiting == 0


def test_what_an_extension_ends_a_session_with_does_not_wait_for_it(world: World) -> None:
    class Ending(Extension):
        def delivering(self, delivery: Delivery, session: Session, now: float) -> Delivery | None:
            world.core.dismiss(session)
            return delivery

    client = entered(world)
    client.session.extensions = (Ending(),)
    world.publish("/a", 1)
    assert not client.alive
    assert world.core.statistics().waiting == 0


def test_what_comes_back_counts_beside_what_waits_already(world: World) -> None:
    socket = world.socket().enter()
    socket.subscribe("/a")
    socket.stall()
    world.publish("/a", 1)
    world.publish("/a", 2)
    socket.drop()
    assert world.core.statistics().waiting == size_of(1, 2)


class Deaf(Link[Session]):
    """A link that says it can be written, and takes nothing."""

    transport = "websocket"

    def __init__(self) -> None:
        self.request, self.browser, self.session = Request({}), None, None

    @property
    def writable(self) -> bool:
        return True

    def room(self, session: Session) -> int:
        return 0

    def send(self, out: Outgoing) -> bool:
        return False

    def take_back(self) -> list[Batch]:
        return []

    def close(self, code: int, reason: str) -> None:
        """Nothing to do."""


def test_what_a_link_did_not_take_waits_for_the_next(world: World) -> None:
    client = entered(world)
    world.core.attach(client.session, Deaf())
    world.publish("/a", 1)
    world.publish("/a", 2)
    assert world.core.statistics().waiting == size_of(1, 2)
    assert [each.get("data") for each in client.connect().messages] == [1, 2, None]


# --- Flushes ---


class Flushes(Observer):
    def __init__(self) -> None:
        self.seen: list[tuple[int, int, float]] = []

    def flushed(self, deliveries: int, frames: int, lag: float) -> None:
        self.seen.append((deliveries, frames, lag))


def test_each_flush_is_told_with_what_it_sent_and_how_late_it_was(world: World) -> None:
    socket, flushes = world.socket().enter(), Flushes()
    socket.subscribe("/a")
    world.core.observers.add(flushes)
    with world.tick():
        world.publish("/a", 1)
        world.now += 0.25
    world.publish("/a", 2)
    assert flushes.seen == [(1, 1, 0.25), (2, 2, 0.0)]
    numbers = world.core.statistics()
    assert (numbers.lag, numbers.worst_lag) == (0.0, 0.25)


@pytest.mark.parametrize("what", ["published", "answered", "waiting"])
def test_a_flush_that_the_host_lost_is_asked_for_anew(world: World, what: str) -> None:
    client = entered(world)
    if what == "waiting":
        world.publish("/a", 1)
    with world.tick():
        if what == "published":
            world.publish("/a", 1)
        elif what == "answered":
            poll = client.send(client.message("/b", data=1))
        else:
            poll = client.connect()
        world._flush_wanted = False
        world.core.reopen()
    assert world.flushes > 0
    if what == "published":
        assert world.core.statistics().waiting == size_of(1)
    else:
        assert not poll.held
