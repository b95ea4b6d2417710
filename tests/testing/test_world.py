"""A bus in a world of its own."""

from __future__ import annotations

import pytest

from mirant import Ack, Settings
from mirant.bus.session import Ending
from mirant.services import Caller
from mirant.testing import World
from tests.policy.rulebooks import rulebook


def test_options_are_those_of_settings() -> None:
    assert World(timeout=7).core.settings.timeout == World(Settings(timeout=7)).core.settings.timeout == 7
    with pytest.raises(TypeError, match="timout"):
        World(timout=7)


def test_the_functions_of_an_application_are_called() -> None:
    world = World()

    @world.services.rpc("/add/{n}")
    def add(caller: Caller, data: int, n: str) -> int:
        return data + int(n)

    client = world.polling().enter()
    client.publish("/service/add/2", 40)
    assert client.data == [42]


def test_an_application_publishes_delivers_and_dismisses() -> None:
    world = World()
    client = world.socket().enter()
    client.subscribe("/a")
    assert world.publish("/a", 1) == 1
    assert world.publish("/b", 1) == 0
    session = client.session
    world.deliver(session, "/private", 2)
    assert client.data == [1, 2]
    world.dismiss(session)
    assert session.ending is Ending.DISMISSED


def test_extensions_are_those_that_are_used() -> None:
    world = World().use(Ack())
    assert world.polling().handshake(ext={"ack": True})["ext"] == {"ack": True}
    assert "ext" not in World().polling().handshake(ext={"ack": True})


def test_channels_behave_as_they_are_told() -> None:
    world = World().channel("/lazy/*", lazy=5.0)
    client = world.socket().enter()
    client.subscribe("/lazy/a")
    world.publish("/lazy/a", 1)
    assert client.data == []
    world.advance(5.1)
    assert client.data == [1]


def test_rules_are_enforced() -> None:
    world = World()
    guard = world.enforce(rulebook('[[channel]]\nmatch = "/a"\nsubscribe = "anyone"'))
    assert world.core.guard is guard
    client = world.polling().enter()
    assert client.subscribe("/a")["successful"]
    assert not client.subscribe("/b")["successful"]


def test_a_world_is_empty_before_the_first_client_and_after_the_last() -> None:
    world = World()
    assert world.is_empty()
    clients = [world.polling().enter(), world.socket().enter()]
    clients[0].subscribe("/a")
    assert not world.is_empty()
    clients[0].disconnect()
    assert not world.is_empty()
    clients[1].disconnect()
    assert world.is_empty()
