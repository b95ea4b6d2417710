"""Long work in slices: others have their turn in between, and each link keeps its order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mirant.bus.clock import Clock
from mirant.bus.pace import SLICE, TurnShare
from mirant.testing import Json, Later, SocketClient, World


class BusyWorld(World):
    """A world in which time passes while the bus works: a little each time it looks at the clock."""

    step = 0.0

    def time(self) -> float:
        self.now += self.step
        return self.now

    @contextmanager
    def slow(self, looks: int) -> Iterator[None]:
        """Let a slice last for about so many *looks* at the clock."""
        self.step = SLICE / looks
        yield
        self.step = 0.0


@pytest.fixture
def world() -> BusyWorld:
    return BusyWorld()


def publishes(client: SocketClient, *data: object) -> list[Json]:
    return [client.message("/a", data=each) for each in data]


def listener(world: BusyWorld) -> SocketClient:
    client = world.socket().enter()
    client.subscribe("/a")
    return client


def test_others_are_served_between_the_messages_of_a_large_body(world: BusyWorld) -> None:
    alice, bob, carol = (listener(world) for _ in range(3))
    with world.slow(10), world.tick():
        alice.send(*publishes(alice, *range(100)))
        bob.send(*publishes(bob, "bob"))
    assert carol.data.index("bob") < 50
    assert [each for each in carol.data if each != "bob"] == list(range(100))


def test_each_message_of_a_large_body_is_answered(world: BusyWorld) -> None:
    alice = listener(world)
    with world.slow(10):
        replies = [reply for reply in alice.ask(*publishes(alice, *range(100))) if "successful" in reply]
    assert [reply["successful"] for reply in replies] == [True] * 100
    assert len({reply["id"] for reply in replies}) == 100


def test_what_follows_on_the_same_link_waits(world: BusyWorld) -> None:
    alice, carol = listener(world), listener(world)
    with world.slow(10), world.tick():
        alice.send(*publishes(alice, *range(100)))
        alice.send(*publishes(alice, 100))
    assert carol.data == list(range(101))


def test_the_same_holds_for_a_body_of_long_polling(world: BusyWorld) -> None:
    alice, bob, carol = world.polling().enter(), listener(world), listener(world)
    with world.slow(10), world.tick():
        poll = alice.send(*[alice.message("/a", data=number) for number in range(100)])
        bob.send(*publishes(bob, "bob"))
    assert [reply["successful"] for reply in poll.messages] == [True] * 100
    assert carol.data.index("bob") < 50
    assert [each for each in carol.data if each != "bob"] == list(range(100))


def test_a_session_that_ends_in_between_is_told_so_for_the_rest(world: BusyWorld) -> None:
    alice, carol = listener(world), listener(world)
    with world.slow(10), world.tick():
        alice.send(*publishes(alice, *range(100)))
        session = alice.session
        world.core.dismiss(session)
    errors = [reply.get("error") for reply in alice.messages if "id" in reply][-90:]
    assert set(errors) == {"402::session_unknown"}
    assert len(carol.data) < 50


@pytest.mark.parametrize("channel", ["/meta/subscribe", "/meta/unsubscribe"])
def test_others_are_served_between_the_patterns_of_a_long_list(world: BusyWorld, channel: str) -> None:
    alice, bob = world.socket().enter(), listener(world)
    names = [f"/p/{number}" for number in range(500)]
    if channel == "/meta/unsubscribe":
        alice.ask(alice.message("/meta/subscribe", subscription=names))
    with world.slow(10), world.tick():
        alice.send(alice.message(channel, subscription=names))
        begun = len(alice.session.subscriptions)
        bob.send(*publishes(bob, "bob"))
        assert begun not in (0, 500)
    assert bob.data == ["bob"]
    assert len(alice.session.subscriptions) == (500 if channel == "/meta/subscribe" else 0)
    assert alice.messages[-1]["successful"]


def test_a_single_message_never_pauses(world: BusyWorld) -> None:
    alice, carol = listener(world), listener(world)
    with world.slow(1), world.tick():
        alice.send(*publishes(alice, 1))
        alice.send(*publishes(alice, 2))
    assert carol.data == [1, 2]


def test_a_hook_that_waits_keeps_the_order_too(world: BusyWorld) -> None:
    alice, carol, later = listener(world), listener(world), Later()

    @world.services.on_publish("/a")
    async def slow(session: object, data: object) -> None:
        if data == 50:
            await later

    with world.slow(10):
        alice.send(*publishes(alice, *range(100)))
        assert carol.data == list(range(50))
        later.resolve(None)
    assert carol.data == list(range(100))


def test_a_slice_is_over_after_two_milliseconds_and_the_next_takes_as_long(world: BusyWorld) -> None:
    def over_at(now: float) -> bool:
        world.now = now
        return share.is_over()

    world.now = 0.0
    share = TurnShare(Clock(world.time))
    assert [over_at(now) for now in (0.0019, 0.002, 0.006)] == [False, True, True]

    assert share.begin() == 0.006
    assert [over_at(now) for now in (0.006, 0.0079, 0.0081)] == [False, False, True]
