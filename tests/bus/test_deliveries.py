"""The order in which messages leave, and what happens to messages that could not be sent."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from mirant.bayeux.channels import Channel
from mirant.bayeux.messages import Delivery, Message, Reply
from mirant.bus.batch import Batch
from mirant.bus.contracts import Observer
from mirant.bus.extension import Extension
from mirant.bus.turn import Turn
from mirant.testing import FakeConnection, Json, Poll, PollingClient, SocketClient, World
from mirant.transports.response import Response


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> SocketClient:
    client = world.socket().enter()
    client.subscribe("/a")
    return client


def test_answers_to_many_messages_come_in_frames_of_at_most_32_kib(
    world: World, client: SocketClient
) -> None:
    before = len(client.frames)
    client.send(*[client.message("/" + "x" * 200, data=1) for _ in range(500)])
    replies = client.frames[before:]
    assert sum(map(len, replies)) == 500
    assert len(replies) > 1


def test_all_that_one_turn_publishes_takes_one_flush(world: World, client: SocketClient) -> None:
    polling = world.polling().enter()
    polling.subscribe("/a")
    polling.connect()
    before = world.flushes
    with world.tick():
        for number in range(3):
            world.publish("/a", number)
            world.deliver(client.session, "/b", number)
    assert world.flushes == before + 1
    assert client.data == [0, 0, 1, 1, 2, 2]
    assert polling.data == [0, 1, 2]


class Echo(Extension):
    """Publishes on /echo whenever a reply on /a leaves."""

    def __init__(self, world: World) -> None:
        self._world = world

    def outgoing(self, reply: Reply, message: Message, turn: Turn, now: float) -> None:
        if message.channel == "/a":
            channel = Channel.parse("/echo")
            self._world.core.publish(channel, Delivery.of(channel, message.id))


def test_what_is_published_in_a_flush_is_not_left_behind(world: World, client: SocketClient) -> None:
    world.use(Echo(world))
    client.subscribe("/echo")
    reply = world.polling().enter().publish("/a", 1)
    assert client.data == [1, reply["id"]]


# --- Carriers that do not take it ---


class BrokenPoll(Poll):
    """A request that raises when it is answered."""

    def answer(self, response: Response) -> bool:
        raise OSError("the socket is gone")


def break_poll(client: PollingClient) -> None:
    """Let *client* have a held poll that raises when it is answered."""
    poll = client.connect()
    assert poll.exchange is not None
    broken = BrokenPoll(client)
    poll.exchange._answer = broken.answer


def test_a_carrier_that_fails_costs_nobody_else(
    world: World, client: SocketClient, caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = world.polling().enter(), world.polling().enter()
    for each in (broken, sound):
        each.subscribe("/a")
    break_poll(broken)
    sound.connect()
    with caplog.at_level(logging.ERROR, "mirant"):
        world.publish("/a", 1)
    assert [record.getMessage() for record in caplog.records] == ["carrier.failed transport=long-polling"]
    assert sound.data == client.data == [1]
    assert broken.alive
    assert world.core.statistics().waiting == 0


def data_of(messages: list[Json]) -> list[object]:
    return [message["data"] for message in messages if "data" in message]


def test_what_an_answer_could_not_take_comes_with_the_next_before_what_is_newer(world: World) -> None:
    client = world.polling().enter()
    client.subscribe("/a")
    poll = client.connect()
    poll.is_cut = True
    with world.tick():
        world.publish("/a", 1)
        world.publish("/a", 2)
    assert world.core.statistics().waiting > 0
    world.publish("/a", 3)
    assert data_of(client.connect().messages) == [1, 2, 3]
    assert world.core.statistics().waiting == 0


def test_what_comes_back_for_a_session_that_ended_is_let_go(world: World, client: SocketClient) -> None:
    client.stall()
    for number in range(3):
        world.publish("/a", number)
    world.dismiss(client.session)
    client.drop()
    assert world.core.statistics().waiting == 0
    assert world.is_empty()


def test_what_could_not_leave_with_the_last_answer_of_a_session_is_let_go(world: World) -> None:
    client = world.polling().enter()
    client.subscribe("/a")
    poll = client.connect()
    poll.is_cut = True
    with world.tick():
        world.publish("/a", 1)
        world.dismiss(client.session)
    assert world.core.statistics().waiting == 0
    assert world.is_empty()


def test_a_link_that_has_room_again_gets_what_waits_in_few_frames(world: World, client: SocketClient) -> None:
    client.stall()
    world.publish("/a", 0)
    for number in range(1, 50):
        world.publish("/a", number)
    before = len(client.frames)
    client.read_on()
    assert client.data == list(range(50))
    assert [len(frame) for frame in client.frames[before:]] == [1, 49]


# --- Answers that carry what waits ---


def test_an_answer_carries_what_waits_before_its_reply(world: World) -> None:
    client = world.polling().enter()
    client.subscribe("/a")
    world.publish("/a", 1)
    messages = client.ask(client.message("/b", data=2))
    assert [message["channel"] for message in messages] == ["/a", "/b"]


def test_an_answer_to_a_stranger_carries_nothing(world: World) -> None:
    client, stranger = world.polling().enter(), world.polling()
    client.subscribe("/a")
    world.publish("/a", 1)
    stranger.client_id = client.client_id
    assert data_of(stranger.ask(stranger.message("/b", data=2))) == []
    assert data_of(client.connect().messages) == [1]


def test_an_observer_that_raises_does_not_stop_the_bus() -> None:
    class Broken(Observer):
        def flushed(self, deliveries: int, frames: int, lag: float) -> None:
            raise RuntimeError("an observer failed")

    world = World()
    client = world.socket().enter()
    client.subscribe("/a")
    world.core.observers.add(Broken())
    world.publish("/a", 1)
    world.publish("/a", 2)
    assert client.data == [1, 2]


def test_a_link_that_raises_costs_nobody_else_the_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    first, second = world.socket().enter(), world.socket().enter()
    for client in (first, second):
        client.subscribe("/a")

    push = FakeConnection.push

    def broken(connection: FakeConnection, batches: Sequence[Batch]) -> bool:
        if connection is first.connection:
            raise RuntimeError("the carrier failed")
        return push(connection, batches)

    monkeypatch.setattr(FakeConnection, "push", broken)
    world.publish("/a", 1)
    assert second.data == [1]
