"""Publishing as somebody who has no session: the same rules and functions of the application apply."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import msgspec
import pytest

from mirant.bayeux.channels import Channel, Template
from mirant.bayeux.messages import Message
from mirant.bus.extension import Veto
from mirant.bus.identity import Identity
from mirant.bus.party import Visitor
from mirant.bus.refusal import Refusal
from mirant.services import Caller
from mirant.testing import World
from tests.policy.rulebooks import rulebook

RULES = (
    '[[channel]]\nmatch = "/news"\n'
    'publish = ["role:editor"]\ncreate = "anyone"\nsubscribe = "anyone"\nfilters = ["no-markup"]'
)
EDITOR = Visitor(Identity("alice", frozenset({"editor"})), "192.0.2.7", "api")


@pytest.fixture
def world() -> World:
    return World()


def publish_as(world: World, party: Visitor, channel: str, data: object) -> int:
    """Publish without waiting; return how many sessions get it."""
    message = Message(channel=channel, data=msgspec.Raw(msgspec.json.encode(data)))
    steps = world.core.publish_as(party, Channel.parse(channel), message)
    with pytest.raises(StopIteration) as ended:
        next(steps)
    world.settle()
    assert isinstance(ended.value.value, int)
    return ended.value.value


def test_subscribers_get_it_and_are_counted(world: World) -> None:
    bob, carol = world.socket().enter(), world.socket().enter()
    bob.subscribe("/news")
    carol.subscribe("/**")
    assert publish_as(world, Visitor(), "/news", "hello") == 2
    assert bob.data == carol.data == ["hello"]


def test_functions_of_the_application_see_who_it_is_and_change_it(world: World) -> None:
    seen: list[Any] = []

    @world.services.on_publish("/news")
    def see(caller: Caller, data: object) -> object:
        seen.extend([caller.identity, caller.address, caller.has_session, data])
        return "changed"

    bob = world.socket().enter()
    bob.subscribe("/news")
    publish_as(world, EDITOR, "/news", "hello")
    assert seen == [EDITOR.identity, "192.0.2.7", False, "hello"]
    assert bob.data == ["changed"]


def test_functions_of_the_application_refuse_it(world: World) -> None:
    @world.services.on_publish("/news")
    def see(caller: Caller, data: object) -> None:
        raise Veto("not_now")

    bob = world.socket().enter()
    bob.subscribe("/news")
    with pytest.raises(Veto, match="not_now"):
        publish_as(world, EDITOR, "/news", "hello")
    assert bob.data == []


def test_a_function_that_takes_a_session_for_granted_lets_nothing_pass(world: World) -> None:
    @world.services.on_publish("/news")
    def see(caller: Caller, data: object) -> None:
        caller.session.attributes["count"] = 1

    bob = world.socket().enter()
    bob.subscribe("/news")
    with pytest.raises(LookupError, match="no session"):
        publish_as(world, EDITOR, "/news", "hello")
    assert bob.data == []


def test_nothing_can_be_delivered_to_who_has_no_session(world: World) -> None:
    @world.services.on_publish("/news")
    def see(caller: Caller, data: object) -> None:
        caller.deliver("/thanks", 1)

    with pytest.raises(LookupError, match="no session"):
        publish_as(world, EDITOR, "/news", "hello")


def test_the_rules_hold_for_it(world: World) -> None:
    world.enforce(rulebook(RULES))
    bob = world.socket().enter()
    bob.subscribe("/news")
    with pytest.raises(Refusal, match="403"):
        publish_as(world, Visitor(Identity("mallory")), "/news", "hello")
    assert publish_as(world, EDITOR, "/news", "<b>hello</b>") == 1
    assert bob.data == ["&lt;b&gt;hello&lt;/b&gt;"]


def test_what_a_function_makes_of_it_is_filtered_too(world: World) -> None:
    world.enforce(rulebook(RULES))

    @world.services.on_publish("/news")
    def see(caller: Caller, data: object) -> object:
        return "<i>changed</i>"

    bob = world.socket().enter()
    bob.subscribe("/news")
    publish_as(world, EDITOR, "/news", "hello")
    assert bob.data == ["&lt;i&gt;changed&lt;/i&gt;"]


def test_rules_that_come_while_a_function_takes_its_time_hold(world: World) -> None:
    class Waiting:
        def __await__(self) -> Any:
            yield

    waiting = Waiting()
    world.core.hooks.publish.add(Template("/news"), lambda *_: waiting)
    message = Message(channel="/news", data=msgspec.Raw(b"1"))
    steps = world.core.publish_as(Visitor(), Channel.parse("/news"), message)
    awaited: Awaitable[Any] = next(steps)
    assert awaited is waiting
    world.enforce(rulebook(RULES))
    with pytest.raises(Refusal, match="403"):
        steps.send(None)


@pytest.mark.parametrize("name", ["/meta/connect", "/service/echo"])
def test_only_channels_for_everybody_are_published_to(world: World, name: str) -> None:
    with pytest.raises(Refusal, match="channel_create_denied"):
        publish_as(world, EDITOR, name, 1)


def test_there_has_to_be_data(world: World) -> None:
    steps = world.core.publish_as(EDITOR, Channel.parse("/news"), Message(channel="/news"))
    with pytest.raises(Refusal, match="data_missing"):
        next(steps)


def test_a_credential_in_it_is_not_forwarded(world: World) -> None:
    def conceal(message: Message) -> None:
        message.ext = None

    world.core.hooks.conceal = conceal
    bob = world.socket().enter()
    bob.subscribe("/news")
    message = Message(channel="/news", data=msgspec.Raw(b"1"), ext={"token": msgspec.Raw(b'"secret"')})
    for _ in world.core.publish_as(EDITOR, Channel.parse("/news"), message):
        raise AssertionError("nothing to wait for")
    world.settle()
    assert bob.frames[-1] == [{"channel": "/news", "data": 1}]
