"""What one turn of the event loop publishes: one frame for each subscriber, shared where it is the same."""

from __future__ import annotations

import pytest

from mirant.bus.outbox import MAX_FRAME
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
