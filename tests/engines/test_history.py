"""The last messages of a channel, for those who come later and ask."""

from __future__ import annotations

import pytest

from mirant.bayeux.channels import Channel
from mirant.bayeux.messages import Delivery
from mirant.engines.history import History
from mirant.extensions.timestamp import TimeStamp
from mirant.testing import World, reply_to


@pytest.fixture
def world() -> World:
    return World().channel("/chat/*", history=3)


def test_a_subscriber_gets_the_past_that_it_asks_for_and_then_the_present(world: World) -> None:
    for n in range(5):
        world.publish("/chat/a", n)
    client = world.polling().enter()
    assert client.say("/meta/subscribe", subscription="/chat/a", ext={"history": 2})["successful"]
    world.publish("/chat/a", 5)
    client.connect()
    assert client.data == [3, 4, 5]


def test_there_is_no_more_than_what_is_kept(world: World) -> None:
    for n in range(5):
        world.publish("/chat/a", n)
    client = world.polling().enter()
    client.say("/meta/subscribe", subscription=["/chat/a", "/chat/b"], ext={"history": 100})
    client.connect()
    assert client.data == [2, 3, 4]


@pytest.mark.parametrize("asked", [0, -1])
def test_who_asks_for_nothing_gets_nothing(world: World, asked: int) -> None:
    world.publish("/chat/a", 1)
    client = world.polling().enter()
    client.say("/meta/subscribe", subscription="/chat/a", ext={"history": asked})
    assert client.connect().held


def test_who_does_not_ask_gets_nothing(world: World) -> None:
    world.publish("/chat/a", 1)
    client = world.polling().enter()
    client.subscribe("/chat/a")
    assert client.connect().held


def test_a_subscription_that_one_has_brings_nothing_again(world: World) -> None:
    world.publish("/chat/a", 1)
    client = world.polling().enter()
    client.subscribe("/chat/a")
    client.say("/meta/subscribe", subscription="/chat/a", ext={"history": 2})
    assert client.connect().held


@pytest.mark.parametrize("asked", ["all", None, [1], 1.5])
def test_what_is_no_number_is_refused(world: World, asked: object) -> None:
    client = world.polling().enter()
    reply = client.say("/meta/subscribe", subscription="/chat/a", ext={"history": asked})
    assert reply["error"] == "400:ext.history:field_invalid"
    assert not client.session.subscriptions


def test_a_wildcard_brings_no_past(world: World) -> None:
    world.publish("/chat/a", 1)
    client = world.polling().enter()
    client.say("/meta/subscribe", subscription="/chat/*", ext={"history": 2})
    assert client.connect().held


def test_all_channels_together_have_so_many_bytes() -> None:
    history, large = History(limit=6_400), "x" * 700
    channels = [Channel.parse(f"/a/{n}") for n in range(5)]
    for position, channel in enumerate(channels, 1):
        history.keep(channel, Delivery.of(channel, large), 10, position)
    assert history.size <= 6_400
    assert [len(history.since(channel, 0)[0]) for channel in channels] == [0, 0, 1, 1, 1]
    history.keep(channels[2], Delivery.of(channels[2], large), 10, 6)
    assert [len(history.since(channel, 0)[0]) for channel in channels] == [0, 0, 2, 0, 1]


def test_many_small_channels_count_for_what_they_take_in_memory() -> None:
    history = History(limit=100_000)
    for n in range(1_000):
        channel = Channel.parse(f"/a/{n}")
        history.keep(channel, Delivery.of(channel, 1), 1, n + 1)
    kept = sum(bool(history.since(Channel.parse(f"/a/{n}"), 0)[0]) for n in range(1_000))
    assert 50 < kept < 100


def test_one_message_beyond_the_limit_is_not_kept() -> None:
    history, channel = History(limit=10), Channel.parse("/a")
    history.keep(channel, Delivery.of(channel, "x" * 100), 10, 1)
    assert (history.size, history.since(channel, 0)) == (0, ([], False))


def test_what_is_kept_is_what_extensions_made_of_it(world: World) -> None:
    world.use(TimeStamp(lambda: 0.0))
    world.publish("/chat/a", 1)
    client = world.polling().enter()
    client.say("/meta/subscribe", subscription="/chat/a", ext={"history": 1})
    client.connect()
    assert "timestamp" in client.deliveries[0]


def test_one_body_gets_the_past_of_channels_so_often_and_no_more() -> None:
    world = World(max_subscriptions=10, max_batch=20).channel("/chat/*", history=15)
    for n in range(15):
        world.publish("/chat/a", n)
    client = world.polling().enter()
    messages = [
        client.message(channel, subscription="/chat/a", ext={"history": 15})
        for channel in ("/meta/subscribe", "/meta/unsubscribe") * 3
    ]
    answer = client.ask(*messages)
    assert sum("data" in message for message in answer) == 30
    assert reply_to(messages[-2], answer)["error"] == "403::subscription_limit"


def full(history: History, channel: Channel, count: int) -> None:
    """Let *history* keep *count* messages of *channel*."""
    for n in range(count):
        history.keep(channel, Delivery.of(channel, n), count, n + 1)


def test_messages_that_are_replaced_make_room() -> None:
    history, channel = History(limit=100_000), Channel.parse("/a")
    full(history, channel, 3)
    size = history.size
    for _ in range(10):
        full(history, channel, 3)
    assert history.size == size


def test_it_may_be_full_to_the_byte() -> None:
    channel = Channel.parse("/a")
    history = History(limit=100_000)
    full(history, channel, 3)
    exact = History(limit=history.size)
    full(exact, channel, 3)
    assert len(exact.since(channel, 0)[0]) == 3
    short = History(limit=history.size - 1)
    full(short, channel, 3)
    assert len(short.since(channel, 0)[0]) < 3


def test_what_was_forgotten_takes_no_room() -> None:
    history, channel = History(limit=100_000), Channel.parse("/a")
    full(history, channel, 3)
    history.trim(lambda channel: 0)
    assert (history.size, history.since(channel, 0)) == (0, ([], False))


@pytest.mark.parametrize("count", [0, -1])
def test_none_is_no_message(world: World, count: int) -> None:
    world.publish("/chat/a", 1)
    assert world.core.hub.history(Channel.parse("/chat/a"), last=count).items == []
