"""The decorators: which templates and functions they take, and which they refuse at once."""

from collections.abc import Callable
from typing import Any

import pytest

from mirant import Bus, Caller
from mirant.bayeux.channels import ChannelInvalid

Decorate = Callable[[Bus, str], Callable[[Any], Any]]

CALLS: list[Decorate] = [Bus.rpc, Bus.service]
WATCHERS: list[Decorate] = [Bus.on_publish, Bus.on_subscribe]


def with_data(caller: Caller, data: object) -> None: ...


def without_data(caller: Caller) -> None: ...


def with_room(caller: Caller, data: object, room: str) -> None: ...


def test_a_decorator_gives_the_function_back() -> None:
    bus = Bus()

    assert bus.rpc("/a")(with_data) is with_data
    assert bus.on_publish("/a")(with_data) is with_data
    assert bus.on_subscribe("/a")(without_data) is without_data
    assert bus.authenticate(with_data) is with_data
    assert bus.on_join(without_data) is without_data
    assert bus.on_leave(without_data) is without_data


@pytest.mark.parametrize("decorate", CALLS)
@pytest.mark.parametrize("template", ["a", "/service/a", "/", "/a/*", "/{a}/{a}", "/a{b}"])
def test_a_service_has_a_name_below_service(decorate: Decorate, template: str) -> None:
    with pytest.raises(ChannelInvalid):
        decorate(Bus(), template)(with_data)


@pytest.mark.parametrize("decorate", WATCHERS)
@pytest.mark.parametrize("template", ["/service/a", "/meta/connect", "/a/*", "a"])
def test_publishes_and_subscriptions_are_seen_on_broadcast_channels(
    decorate: Decorate, template: str
) -> None:
    with pytest.raises(ChannelInvalid):
        decorate(Bus(), template)(without_data)


@pytest.mark.parametrize("decorate", [*CALLS, Bus.on_publish])
def test_a_function_takes_the_parameters_of_its_template(decorate: Decorate) -> None:
    decorate(Bus(), "/chat/{room}")(with_room)
    with pytest.raises(TypeError, match=r"should take \(caller, data, room\)"):
        decorate(Bus(), "/chat/{room}")(with_data)
    with pytest.raises(TypeError, match=r"should take \(caller, data\)"):
        decorate(Bus(), "/chat")(with_room)


@pytest.mark.parametrize("again", CALLS)
def test_a_service_has_one_function(again: Decorate) -> None:
    bus = Bus()
    bus.rpc("/a/{b}")(with_b := lambda caller, data, b: None)
    again(bus, "/a/c")(with_data)
    with pytest.raises(ValueError, match=r"a function for /service/a/\{b\} already"):
        again(bus, "/a/{b}")(with_b)


def test_there_is_one_authentication() -> None:
    bus = Bus()
    bus.authenticate(with_data)
    with pytest.raises(ValueError, match="keep one"):
        bus.authenticate(with_data)
