"""The steps of a message that came in: extensions may refuse it, make it wait, or fail."""

from __future__ import annotations

from typing import Any

import pytest

from mirant.bayeux.messages import Delivery
from mirant.bus.extension import Extension, Veto
from mirant.testing import Later, World


@pytest.fixture
def world() -> World:
    return World()


class Failing(Extension):
    """Fails on replies to /broken, and gives replies to /unencodable a value without a JSON form."""

    def outgoing(self, reply: Any, message: Any, turn: Any, now: float) -> None:
        if message.channel == "/broken":
            raise RuntimeError("password=1234")
        if message.channel == "/unencodable":
            reply.ext = {"x": object()}


@pytest.mark.parametrize("channel", ["/broken", "/unencodable"])
def test_an_extension_that_fails_on_a_reply_costs_that_reply_and_nothing_else(
    world: World, channel: str
) -> None:
    world.core.extensions.add(Failing())
    alice, bob = world.polling().enter(), world.socket().enter()
    bob.subscribe("/**")
    broken, sound = alice.message(channel, data=1), alice.message("/a", data=2)
    replies = alice.ask(broken, sound)
    assert replies[0] == {
        "channel": channel,
        "id": broken["id"],
        "successful": False,
        "error": "500::application_failed",
    }
    assert replies[1]["successful"]
    assert bob.data == [1, 2]
    assert alice.publish("/a", 3)["successful"]


class Gate(Extension):
    """Refuses messages to /refused. Others wait for `later`, if there is one."""

    def __init__(self) -> None:
        self.later: Later | None = None

    def incoming(self, message: Any, turn: Any, now: float) -> Any:
        if message.channel == "/refused":
            raise Veto("gate")
        return self.later


def test_an_extension_may_refuse_a_message(world: World) -> None:
    world.core.extensions.add(Gate())
    alice = world.polling().enter()
    assert alice.publish("/refused", 1)["error"] == "404:gate:message_deleted"
    assert alice.publish("/a", 1)["successful"]


def test_a_session_that_ended_while_an_extension_waited_is_unknown(world: World) -> None:
    gate = Gate()
    world.core.extensions.add(gate)
    alice, bob = world.polling().enter(), world.socket().enter()
    bob.subscribe("/a")
    gate.later = Later()
    publish = alice.send(alice.message("/a", data=1))
    connect = alice.connect()
    world.advance(20)
    gate.later.resolve()
    assert publish.reply["error"] == connect.reply["error"] == "402::session_unknown"
    assert bob.data == []


def test_an_extension_may_leave_a_message_as_it_is_by_asking_its_base(world: World) -> None:
    class Quiet(Extension):
        def publishing(self, delivery: Delivery, now: float) -> Delivery:
            return super().publishing(delivery, now)

    world.core.extensions.add(Quiet())
    bob = world.socket().enter()
    bob.subscribe("/a")
    world.publish("/a", 1)
    assert bob.data == [1]


def test_an_extension_sees_plain_connects_unless_it_says_that_it_need_not(world: World) -> None:
    class Counting(Extension):
        connects = 0

        def incoming(self, message: Any, turn: Any, now: float) -> None:
            Counting.connects += message.channel == "/meta/connect"

    client = world.polling().enter()
    world.core.extensions.add(Counting())
    assert Extension.sees_plain_connects
    for _ in range(3):
        client.connect()
    assert Counting.connects == 3
