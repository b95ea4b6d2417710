"""How deliveries leave in a pause, behind a full outbox, and where a carrier takes nothing."""

from __future__ import annotations

import json

import pytest

from mirant.bayeux.channels import Channel
from mirant.bayeux.messages import Delivery
from mirant.bus.batch import Batch
from mirant.bus.beat import LONGEST
from mirant.bus.carrier import MAX_RESPONSE, Link, Outgoing
from mirant.bus.contracts import Observer
from mirant.bus.extension import Extension
from mirant.bus.request import Request
from mirant.bus.session import Session
from mirant.testing import Poll, PollingClient, World
from mirant.transports.long_polling import Exchange
from mirant.transports.response import Response


class SlowWorld(World):
    """A world in which each look at the clock takes a millisecond while it is slow. It keeps its alarms."""

    slow = False

    def time(self) -> float:
        if self.slow:
            self.now += 0.001
        return self.now

    def wake_at(self, when: float) -> None:
        self.alarms = [*getattr(self, "alarms", []), when]


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


# --- Answers ---


def test_an_answer_that_may_not_be_read_carries_nothing(world: World) -> None:
    client = entered(world)
    world.publish("/a", 1)
    bodies: list[bytes] = []

    def answer(response: Response) -> bool:
        bodies.append(response.body)
        return True

    exchange = Exchange(world.core, Request({}), answer)
    exchange.replies_only = True
    messages = exchange.read(json.dumps([client.message("/b", data=1)]).encode())
    assert messages is not None
    world.run(world.core.receive(messages, exchange, world.now))
    assert [each["channel"] for each in json.loads(bodies[0])] == ["/b"]
    assert world.core.statistics().waiting == size_of(1)


def test_where_nothing_follows_a_handshake_no_count_is_given() -> None:
    assert "x-messages" not in World(with_handshake=True).polling().handshake()


def test_a_connection_that_is_not_the_link_of_its_session_carries_nothing(world: World) -> None:
    client = entered(world)
    world.publish("/a", 1)
    socket = world.socket(client)
    [reply] = socket.ask({"clientId": client.client_id, "id": "1"})
    assert reply["successful"] is False
    assert world.core.statistics().waiting == size_of(1)


def test_an_answer_to_a_stranger_who_is_gone_harms_nobody(world: World) -> None:
    stranger = world.polling()
    with world.tick():
        poll = stranger.send(stranger.message("/a", data=1))
        poll.is_cut = True
    assert poll.held


def test_what_waits_at_a_dismissal_arrives_though_the_client_says_something_more(world: World) -> None:
    socket = world.socket().enter()
    socket.subscribe("/a")
    socket.connect()
    socket.stall()
    world.publish("/a", 1)
    world.publish("/a", 2)
    with world.tick():
        world.dismiss(socket.session)
        socket.send(socket.message("/b", data=1))
    socket.read_on()
    assert socket.data == [1, 2]


class Eager(Poll):
    """A request whose client sends the next one in the moment of the answer."""

    def answer(self, response: Response) -> bool:
        taken = super().answer(response)
        self._client.connect()
        return taken


def test_a_client_that_polls_in_the_moment_of_an_answer_gets_the_rest(world: World) -> None:
    client = entered(world)
    for number in range(2):
        world.publish("/a", [number, "x" * (MAX_RESPONSE // 2)])
    with world.tick():
        poll = client.connect()
        assert poll.exchange is not None
        poll.exchange._answer = Eager(client).answer
    assert [number for number, _ in client.data] == [0, 1]


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
