"""Functions that cannot be registered, and all that can."""

import functools
import logging
from typing import Any

import msgspec
import pytest

from mirant import (
    Bus,
    Caller,
    ChannelInvalid,
)
from tests.hosts.clients import Poller


class Order(msgspec.Struct):
    """What a typed function takes."""

    item: str
    count: int = 1


def _one(caller: Caller) -> None: ...
def _two(caller: Caller, data: object) -> None: ...
def _room(caller: Caller, data: object, room: str) -> None: ...
def _swapped(caller: Caller, room: str, data: object) -> None: ...
def _any(*arguments: object) -> None: ...


@pytest.mark.parametrize("decorator", ["rpc", "service", "on_publish"])
@pytest.mark.parametrize(
    ("template", "function", "takes"),
    [
        ("/a", _one, "(caller, data)"),
        ("/a", _room, "(caller, data)"),
        ("/a/{room}", _two, "(caller, data, room)"),
        ("/a/{rooms}", _room, "(caller, data, rooms)"),
        ("/a/{room}", _swapped, "(caller, data, room)"),
        ("/a/{room}", _any, "(caller, data, room)"),
        ("/a", _any, "(caller, data)"),
    ],
)
def test_a_function_that_takes_something_else(
    decorator: str, template: str, function: Any, takes: str
) -> None:
    with pytest.raises(TypeError) as caught:
        getattr(Bus(), decorator)(template)(function)

    assert takes in str(caught.value)
    assert template in str(caught.value)
    assert function.__name__ in str(caught.value)


@pytest.mark.parametrize("function", [_two, lambda: None, lambda caller, data, user: None])
def test_a_guard_that_takes_something_else(function: Any) -> None:
    with pytest.raises(TypeError, match=r"\(caller, user\)"):
        Bus().on_subscribe("/a/{user}")(function)


@pytest.mark.parametrize("decorator", ["rpc", "service", "on_publish", "on_subscribe"])
@pytest.mark.parametrize(
    "template", ["/a/*", "/a/**", "/a/{x", "/a/x{y}", "/{a}/{a}", "/a//b", "/a?", "", "/"]
)
def test_a_template_that_is_no_channel(decorator: str, template: str) -> None:
    with pytest.raises(ChannelInvalid):
        getattr(Bus(), decorator)(template)(_two)


@pytest.mark.parametrize("decorator", ["rpc", "service", "on_publish", "on_subscribe"])
def test_a_template_needs_its_slash(decorator: str) -> None:
    with pytest.raises(ChannelInvalid, match="weather"):
        getattr(Bus(), decorator)("weather")(_two)


@pytest.mark.parametrize("decorator", ["rpc", "service"])
def test_a_service_is_named_without_its_prefix(decorator: str) -> None:
    with pytest.raises(ValueError, match="/service"):
        getattr(Bus(), decorator)("/service/weather")(_two)


@pytest.mark.parametrize("template", ["/service/a", "/meta/connect"])
def test_hooks_are_for_channels_that_are_distributed(template: str) -> None:
    with pytest.raises(ValueError, match=template):
        Bus().on_publish(template)(_two)
    with pytest.raises(ValueError, match=template):
        Bus().on_subscribe(template)(_one)


def test_one_call_has_one_answer() -> None:
    bus = Bus()
    bus.rpc("/a")(_two)
    with pytest.raises(ValueError, match="/a"):
        bus.rpc("/a")(_two)


class Desk:
    """Functions of an object."""

    def take(self, caller: Caller, data: Order) -> str:
        return data.item

    def __call__(self, caller: Caller, data: Order) -> str:
        return data.item


def _prefixed(prefix: str, caller: Caller, data: Order) -> str:
    return prefix + data.item


@pytest.mark.parametrize(
    "function", [Desk().take, Desk(), functools.partial(_prefixed, ""), lambda caller, data: data["item"]]
)
async def test_anything_that_can_be_called_will_do(function: Any) -> None:
    bus = Bus()
    bus.rpc("/take")(function)

    async with Poller.inside(bus) as client:
        await client.begin()

        assert (await client.call("/take", {"item": "tea"}))["data"] == "tea"


def test_decorators_give_the_function_back() -> None:
    bus = Bus()

    assert bus.rpc("/a")(_two) is _two
    assert bus.service("/b")(_two) is _two
    assert bus.on_publish("/a")(_two) is _two
    assert bus.on_subscribe("/a")(_one) is _one
    assert bus.on_leave(_one) is _one
    assert bus.authenticate(_one) is _one


def test_a_type_that_data_cannot_have_is_told_at_once() -> None:
    def function(caller: Caller, data: logging.Logger) -> None: ...

    with pytest.raises(TypeError, match="Logger"):
        Bus().rpc("/a")(function)
