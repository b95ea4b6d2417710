"""A session as applications see it: what they may know and change, and nothing else."""

from __future__ import annotations

import pytest

from mirant.bayeux.channels import Pattern
from mirant.bus.session import Ending
from mirant.extensions.activity import Activity
from mirant.services.face import SessionFace
from mirant.testing import PollingClient, World

#: What is documented for applications.
PUBLIC = {
    "address",
    "attributes",
    "connect_only",
    "echo",
    "ended",
    "ending",
    "extensions",
    "id",
    "identity",
    "max_interval",
    "subscriptions",
    "timeout",
}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> PollingClient:
    return world.polling().enter()


@pytest.fixture
def face(client: PollingClient) -> SessionFace:
    return SessionFace(client.session)


def test_it_has_what_is_documented_and_nothing_else(face: SessionFace) -> None:
    assert {name for name in dir(face) if not name.startswith("_")} == PUBLIC
    with pytest.raises(AttributeError):
        face.outbox = None  # type: ignore[attr-defined]  # that is what the test is about


@pytest.mark.parametrize("name", ["id", "identity", "address", "subscriptions", "ended", "ending"])
def test_what_the_bus_decides_cannot_be_set(face: SessionFace, name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(face, name, None)


def test_it_tells_what_the_session_is(face: SessionFace, client: PollingClient) -> None:
    client.subscribe(["/a", "/b/*"])
    assert face.id == client.client_id
    assert face.address == "127.0.0.1"
    assert face.identity is None
    assert face.subscriptions == {Pattern.parse("/a"), Pattern.parse("/b/*")}
    assert (face.ended, face.ending) == (False, None)
    client.disconnect()
    assert (face.ended, face.ending) == (True, Ending.DISCONNECTED)


def test_a_timeout_that_is_set_holds_for_the_next_connect(
    world: World, face: SessionFace, client: PollingClient
) -> None:
    face.timeout = 5.0
    poll = client.connect()
    world.advance(5.1)
    assert poll.status == 200
    face.timeout = 0.0
    assert not client.connect().held


def test_a_session_that_gets_no_echo_gets_what_others_publish(
    world: World, face: SessionFace, client: PollingClient
) -> None:
    client.subscribe("/a")
    face.echo = False
    client.publish("/a", "mine")
    world.publish("/a", "another's")
    client.connect()
    assert client.data == ["another's"]


def test_a_session_may_be_kept_alive_for_longer(
    world: World, face: SessionFace, client: PollingClient
) -> None:
    face.max_interval = 100.0
    client.say("/service/alive")
    world.advance(99)
    assert not face.ended
    world.advance(2)
    assert face.ended


def test_extensions_of_one_session_are_set_and_taken_away(
    world: World, face: SessionFace, client: PollingClient
) -> None:
    activity = Activity(60)
    face.extensions = (activity,)
    assert face.extensions == (activity,)
    client.connect()
    world.advance(31)
    client.connect()
    world.advance(31)
    face.extensions = ()
    assert client.connect().held
    assert client.alive


def test_faces_of_one_session_are_equal_and_share_its_attributes(client: PollingClient, world: World) -> None:
    first, second = SessionFace(client.session), SessionFace(client.session)
    other = SessionFace(world.polling().enter().session)
    first.attributes["seen"] = 1
    assert first == second
    assert {first, second} == {first}
    assert first != other
    assert first != client.client_id
    assert (second.attributes, other.attributes) == ({"seen": 1}, {})


def test_its_representation_is_not_a_credential(face: SessionFace) -> None:
    assert face.id not in repr(face)
    assert face.id[:8] in repr(face)
