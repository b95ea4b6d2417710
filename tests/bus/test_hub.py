"""Subscriptions, their numbers, and the way of a message from publisher to subscribers."""

from __future__ import annotations

import pytest

from mirant.bayeux.channels import Channel, Pattern
from mirant.bayeux.messages import Delivery
from mirant.testing import World
from tests.policy.rulebooks import rulebook


@pytest.fixture
def world() -> World:
    return World()


def test_the_application_publishes_to_subscribers_and_learns_how_many(world: World) -> None:
    for _ in range(3):
        world.socket().enter().subscribe("/a/*")
    assert world.publish("/a/b", 1) == 3
    assert world.publish("/b", 1) == 0


def test_the_application_sends_to_one_session_without_a_subscription(world: World) -> None:
    polling, socket = world.polling().enter(), world.socket().enter()
    poll = polling.connect()
    world.deliver(polling.session, "/private", 1)
    world.deliver(socket.session, "/private", 2)
    assert poll.messages[0] == {"channel": "/private", "data": 1}
    assert socket.frames[-1] == [{"channel": "/private", "data": 2}]


def test_to_a_session_that_ended_nothing_is_sent(world: World) -> None:
    client = world.socket().enter()
    session = client.session
    client.disconnect()
    world.deliver(session, "/private", 1)
    assert client.data == []
    assert world.is_empty()


# --- Counting ---


def test_a_subscription_counts_once_and_until_it_or_its_session_ends(world: World) -> None:
    hub, pattern = world.core.hub, Pattern.parse("/a")
    alice, bob = world.polling().enter(), world.polling().enter()
    for client in (alice, alice, bob):
        client.subscribe(["/a", "/b/*"])
    assert (hub.count, hub.members(pattern), hub.local_members(pattern)) == (4, 2, 2)
    alice.unsubscribe("/a")
    alice.unsubscribe("/a")
    assert (hub.count, hub.members(pattern)) == (3, 1)
    bob.disconnect()
    assert (hub.count, hub.members(pattern)) == (1, 0)


def test_a_subscription_that_is_there_already_counts_once(world: World) -> None:
    hub, session = world.core.hub, world.polling().enter().session
    for _ in range(2):
        hub.subscribe(session, Pattern.parse("/a"))
    assert hub.count == 1
    for _ in range(2):
        hub.unsubscribe(session, Pattern.parse("/a"))
    assert hub.count == 0


def test_members_are_those_of_the_very_pattern(world: World) -> None:
    world.polling().enter().subscribe("/a/*")
    assert world.core.hub.members(Pattern.parse("/a/*")) == 1
    assert world.core.hub.members(Pattern.parse("/a/b")) == 0


def test_a_channel_exists_with_its_first_subscriber_or_if_it_is_persistent(world: World) -> None:
    hub = world.core.hub
    assert not hub.exists(Pattern.parse("/a"))
    client = world.polling().enter()
    client.subscribe("/a")
    assert hub.exists(Pattern.parse("/a"))
    client.unsubscribe("/a")
    assert not hub.exists(Pattern.parse("/a"))
    world.channel("/b", persistent=True)
    assert hub.exists(Pattern.parse("/b"))


def test_the_record_of_a_session_is_here_as_long_as_it_lives(world: World) -> None:
    client = world.polling().enter()
    session = client.session
    assert world.core.hub.local_record(session.id) is session.record
    client.disconnect()
    assert world.core.hub.local_record(session.id) is None


@pytest.mark.parametrize("name", ["/meta/a", "/service/a"])
def test_what_is_never_distributed_is_never_published(world: World, name: str) -> None:
    channel = Channel.parse(name)
    with pytest.raises(AssertionError, match="never distributed"):
        world.core.hub.publish(channel, Delivery.of_raw(name, b"1"))
    assert world.core.hub.published == 0


# --- The past ---


def past(world: World, channel: str) -> list[bytes]:
    """Return what is kept of *channel*."""
    page = world.core.hub.history(Channel.parse(channel), last=100)
    return [delivery.payload for _, delivery in page.items]


def test_a_channel_without_history_keeps_nothing(world: World) -> None:
    world.channel("/kept", history=2)
    for number in range(3):
        world.publish("/kept", number)
        world.publish("/other", number)
    assert past(world, "/kept") == [b'{"channel":"/kept","data":1}', b'{"channel":"/kept","data":2}']
    assert past(world, "/other") == []


def test_rules_with_other_filters_make_a_channel_forget_its_past_and_no_other(world: World) -> None:
    world.channel("/*", history=10)
    for channel in ("/a", "/b"):
        world.publish(channel, "<b>bold</b>")
    world.enforce(rulebook('[[channel]]\nmatch = "/a"\nfilters = ["no-markup"]'))
    assert past(world, "/a") == []
    assert len(past(world, "/b")) == 1
