"""Lazy messages: they wait for another occasion, but not for ever (reference: 2.13)."""

import pytest

from mirant.testing import PollingClient, World


@pytest.fixture
def world() -> World:
    return World().channel("/lazy/**", lazy=5.0)


@pytest.fixture
def client(world: World) -> PollingClient:
    client = world.polling().enter()
    client.subscribe(["/lazy/a", "/lazy/b", "/prompt"])
    return client


def test_a_lazy_message_does_not_release_the_poll_before_its_time(
    world: World, client: PollingClient
) -> None:
    poll = client.connect()
    world.publish("/lazy/a", 1)
    world.advance(4.9)
    assert poll.held
    world.advance(0.2)
    assert [message.get("data") for message in poll.messages] == [1, None]


def test_a_prompt_message_takes_lazy_ones_along_in_their_order(world: World, client: PollingClient) -> None:
    poll = client.connect()
    world.publish("/lazy/a", 1)
    world.publish("/prompt", 2)
    assert not poll.held
    assert client.data == [1, 2]


def test_one_turn_with_both_is_prompt(world: World, client: PollingClient) -> None:
    poll = client.connect()
    with world.tick():
        world.publish("/prompt", 1)
        world.publish("/lazy/a", 2)
    assert not poll.held
    assert client.data == [1, 2]


def test_a_poll_that_finds_only_lazy_messages_is_held(world: World, client: PollingClient) -> None:
    world.publish("/lazy/a", 1)
    poll = client.connect()
    assert poll.held
    world.advance(5.1)
    assert client.data == [1]


def test_answers_to_other_messages_take_lazy_ones_along(world: World, client: PollingClient) -> None:
    world.publish("/lazy/a", 1)
    client.publish("/other", 0)
    assert client.data == [1]


def test_a_poll_that_ends_takes_lazy_ones_along() -> None:
    world = World(timeout=3).channel("/lazy", lazy=60.0)
    client = world.polling().enter()
    client.subscribe("/lazy")
    client.connect()
    world.publish("/lazy", 1)
    world.advance(3.1)
    assert client.data == [1]


def test_the_first_of_several_says_when(world: World, client: PollingClient) -> None:
    client.connect()
    world.publish("/lazy/a", 1)
    world.advance(4)
    world.publish("/lazy/b", 2)
    world.advance(1.1)
    assert client.data == [1, 2]


def test_the_shorter_wait_counts(world: World, client: PollingClient) -> None:
    world.channel("/lazy/b", lazy=1.0)
    client.connect()
    world.publish("/lazy/a", 1)
    world.publish("/lazy/b", 2)
    world.advance(1.1)
    assert client.data == [1, 2]


def test_the_next_lazy_message_waits_anew(world: World, client: PollingClient) -> None:
    client.connect()
    world.publish("/lazy/a", 1)
    world.advance(5.1)
    poll = client.connect()
    world.publish("/lazy/a", 2)
    world.advance(4.8)
    assert poll.held
    world.advance(0.3)
    assert client.data == [1, 2]


def test_0_makes_a_channel_prompt_below_a_lazy_pattern(world: World, client: PollingClient) -> None:
    world.channel("/lazy/b", lazy=0)
    poll = client.connect()
    world.publish("/lazy/b", 1)
    assert not poll.held


def test_on_a_socket_too(world: World) -> None:
    socket = world.socket().enter()
    socket.subscribe("/lazy/a")
    world.publish("/lazy/a", 1)
    assert socket.data == []
    world.advance(5.1)
    assert socket.data == [1]


def test_on_a_socket_a_prompt_message_takes_them_along_in_one_frame(world: World) -> None:
    socket = world.socket().enter()
    socket.subscribe(["/lazy/a", "/prompt"])
    world.publish("/lazy/a", 1)
    world.publish("/prompt", 2)
    assert [message["data"] for message in socket.frames[-1]] == [1, 2]


def test_what_a_client_publishes_is_lazy_too(world: World, client: PollingClient) -> None:
    client.connect()
    world.polling().enter().publish("/lazy/a", 1)
    assert client.data == []
    world.advance(5.1)
    assert client.data == [1]


def test_a_session_that_is_not_heard_of_expires_though_something_waits_lazily(
    world: World, client: PollingClient
) -> None:
    for _ in range(5):
        world.publish("/lazy/a", 1)
        world.advance(4)
    assert not client.alive
    assert world.is_empty()


def test_a_lazy_message_for_a_client_that_is_away_waits_for_it(world: World) -> None:
    socket = world.socket().enter()
    socket.subscribe("/lazy/a")
    world.publish("/lazy/a", 1)
    socket.drop()
    world.advance(6)
    successor = world.socket(socket)
    successor.connect()
    assert successor.data == [1]
