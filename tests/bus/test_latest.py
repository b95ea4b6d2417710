"""Channels where a newer message replaces one that waits."""

from typing import Any

import pytest

from mirant.testing import PollingClient, World


@pytest.fixture
def world() -> World:
    return World().channel("/price/*", latest=True)


@pytest.fixture
def client(world: World) -> PollingClient:
    client = world.polling().enter()
    client.subscribe(["/price/*", "/news"])
    return client


def fetched(client: PollingClient) -> list[tuple[str, Any]]:
    """Return channel and data of what waits for *client*."""
    messages = client.connect(advice={"timeout": 0}).messages
    return [(message["channel"], message["data"]) for message in messages if "data" in message]


def test_only_the_newest_of_a_channel_waits(world: World, client: PollingClient) -> None:
    for price in (1, 2, 3):
        world.publish("/price/a", price)
    assert fetched(client) == [("/price/a", 3)]


def test_each_channel_has_its_own_newest_at_the_place_of_the_first(
    world: World, client: PollingClient
) -> None:
    for price in (1, 2):
        world.publish("/price/a", price)
        world.publish("/price/b", price)
    assert fetched(client) == [("/price/a", 2), ("/price/b", 2)]


def test_other_messages_are_all_kept(world: World, client: PollingClient) -> None:
    for number in (1, 2):
        world.publish("/news", number)
        world.publish("/price/a", number)
    assert fetched(client) == [("/news", 1), ("/price/a", 2), ("/news", 2)]


def test_what_was_sent_is_not_replaced(world: World, client: PollingClient) -> None:
    world.publish("/price/a", 1)
    assert fetched(client) == [("/price/a", 1)]
    world.publish("/price/a", 2)
    assert fetched(client) == [("/price/a", 2)]


def test_one_turn_counts_as_several(world: World, client: PollingClient) -> None:
    with world.tick():
        for price in (1, 2, 3):
            world.publish("/price/a", price)
    assert fetched(client) == [("/price/a", 3)]


def test_who_reads_at_once_gets_every_one(world: World) -> None:
    socket = world.socket().enter()
    socket.subscribe("/price/a")
    for price in (1, 2, 3):
        world.publish("/price/a", price)
    assert socket.data == [1, 2, 3]


def test_a_slow_reader_gets_what_was_on_its_way_and_then_the_newest(world: World) -> None:
    socket = world.socket().enter()
    socket.subscribe("/price/a")
    socket.stall()
    for price in range(100):
        world.publish("/price/a", price)
    socket.read_on()
    assert socket.data == [0, 99]


def test_what_came_back_from_a_broken_connection_is_older_than_the_newest(world: World) -> None:
    socket = world.socket().enter()
    socket.subscribe("/price/a")
    socket.stall()
    world.publish("/price/a", 1)
    world.publish("/price/a", 2)
    socket.drop()
    world.publish("/price/a", 3)
    successor = world.socket(socket)
    successor.connect()
    assert successor.data == sorted(successor.data)
    assert successor.data[-1] == 3


def test_any_number_of_messages_fits_into_a_small_outbox() -> None:
    world = World(max_outbox=1_000).channel("/price", latest=True)
    client = world.polling().enter()
    client.subscribe("/price")
    for price in range(1_000):
        world.publish("/price", [price, "x" * (price % 7)])
    assert fetched(client) == [("/price", [999, "x" * (999 % 7)])]


@pytest.mark.parametrize("overflow", ["drop-oldest", "drop-newest"])
def test_one_that_grows_beyond_the_limit_obeys_the_policy(overflow: str) -> None:
    world = World(max_outbox=1_000, overflow=overflow).channel("/price", latest=True)
    client = world.polling().enter()
    client.subscribe(["/price", "/news"])
    world.publish("/news", "x" * 600)
    world.publish("/price", 1)
    world.publish("/price", "y" * 600)
    assert client.session.outbox.size <= 1_000
    channel, report = fetched(client)[0]
    assert channel == "/service/mirant/dropped"
    assert report["count"] >= 1


def test_latest_and_lazy_together(world: World) -> None:
    world.channel("/lazy", latest=True, lazy=5.0)
    client = world.polling().enter()
    client.subscribe("/lazy")
    poll = client.connect()
    for price in (1, 2, 3):
        world.publish("/lazy", price)
        world.advance(1)
    assert poll.held
    world.advance(2.1)
    assert client.data == [3]
