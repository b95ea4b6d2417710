"""Publishing under rules that change, by sessions that end, of messages with credentials."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from mirant.bayeux.channels import Channel
from mirant.bayeux.messages import Message
from mirant.bus.party import Visitor
from mirant.services import Caller
from mirant.testing import Later, World
from tests.policy.rulebooks import rulebook

OPEN = '[[channel]]\nmatch = "/**"\npublish = "anyone"\nsubscribe = "anyone"\ncreate = "anyone"\n'
FILTERED = OPEN + 'filters = ["no-markup"]'
MARKUP = "<b>hello</b>"
WITHOUT_MARKUP = "&lt;b&gt;hello&lt;/b&gt;"


@pytest.fixture
def world() -> World:
    return World()


def waits(world: World) -> Later:
    """Let publishing to /a wait for what is returned."""
    later = Later()

    @world.services.on_publish("/a")
    async def wait(caller: Caller, data: object) -> None:
        await later

    return later


def test_a_rule_refuses_where_the_application_looks_at_nothing(world: World) -> None:
    alice, bob = world.polling().enter(), world.socket().enter()
    bob.subscribe("/a")
    world.enforce(rulebook(OPEN.replace('publish = "anyone"', 'publish = "server"')))

    assert alice.publish("/a", 1)["error"].startswith("403")
    assert bob.data == []


@pytest.mark.parametrize(
    ("before", "after"), [(FILTERED, None), (OPEN, FILTERED)], ids=["the same rules", "others"]
)
def test_what_waited_for_a_function_is_filtered_once_by_the_rules_of_then(
    world: World, before: str, after: str | None
) -> None:
    world.enforce(rulebook(before))
    later = waits(world)
    alice, bob = world.socket().enter(), world.socket().enter()
    bob.subscribe("/a")
    alice.send(alice.message("/a", data=MARKUP))
    if after is not None:
        world.enforce(rulebook(after))
    later.resolve()

    assert bob.data == [WITHOUT_MARKUP]


def test_a_session_that_ended_while_a_function_took_its_time_publishes_nothing(world: World) -> None:
    later = waits(world)
    alice, bob = world.socket().enter(), world.socket().enter()
    bob.subscribe("/a")
    alice.send(alice.message("/a", data=1))
    world.dismiss(alice.session)
    later.resolve()

    assert bob.data == []


def conceal(message: Message) -> None:
    message.ext = None


@pytest.mark.parametrize(("hook", "ext"), [(conceal, None), (None, {"token": "secret"})])
def test_a_credential_is_taken_out_of_a_message_that_no_function_saw(
    world: World, hook: Callable[[Message], None] | None, ext: Any
) -> None:
    world.core.hooks.conceal = hook
    alice, bob = world.polling().enter(), world.socket().enter()
    bob.subscribe("/a")
    assert alice.say("/a", data=1, ext={"token": "secret"})["successful"]

    assert bob.frames[-1] == [{"channel": "/a", "data": 1} | ({} if ext is None else {"ext": ext})]


def test_what_somebody_without_a_session_says_beside_data_is_forwarded_where_nothing_is_secret(
    world: World,
) -> None:
    bob = world.socket().enter()
    bob.subscribe("/a")
    message = Message(channel="/a", data=msgspec.Raw(b"1"), ext={"mine": msgspec.Raw(b"2")})
    for _ in world.core.publish_as(Visitor(), Channel.parse("/a"), message):
        raise AssertionError("nothing to wait for")
    world.settle()

    assert bob.frames[-1] == [{"channel": "/a", "data": 1, "ext": {"mine": 2}}]
