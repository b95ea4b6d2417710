"""A client on a WebSocket."""

from __future__ import annotations

import json

import pytest

from mirant.services import Caller
from mirant.testing import Later, SocketClient, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> SocketClient:
    client = world.socket().enter()
    client.subscribe("/a")
    return client


def test_frames_are_remembered_as_they_came(world: World, client: SocketClient) -> None:
    before = len(client.frames)
    with world.tick():
        world.publish("/a", 1)
        world.publish("/a", 2)
    world.publish("/a", 3)
    assert [[message["data"] for message in frame] for frame in client.frames[before:]] == [[1, 2], [3]]


def test_a_client_that_stalls_reads_nothing_until_it_reads_on(world: World, client: SocketClient) -> None:
    client.stall()
    world.publish("/a", 1)
    world.publish("/a", 2)
    assert client.data == []
    client.read_on()
    assert client.data == [1, 2]


def test_a_client_that_drops_goes_on_elsewhere(world: World, client: SocketClient) -> None:
    client.stall()
    world.publish("/a", 1)
    client.drop()
    successor = world.socket(client)
    successor.connect()
    assert successor.client_id == client.client_id
    assert successor.data == [1]
    assert int(successor.messages[-1].get("id", successor.last_id)) > client.last_id


def test_a_socket_presents_the_cookie_of_the_client_whose_session_it_takes(world: World) -> None:
    polling = world.polling().enter()
    polling.connect()
    assert world.socket(polling).connection.browser == polling.session.browser
    assert world.socket(polling, cookie="").connection.browser is None


def test_a_frame_waits_while_the_server_is_busy_with_the_one_before(
    world: World, client: SocketClient
) -> None:
    later = Later()

    @world.services.on_publish("/slow")
    async def slow(caller: Caller, data: object) -> None:
        await later

    first = client.message("/slow", data=1)
    second = client.message("/a", data=2)
    client.send(first)
    client.send(second)
    assert client.data == []
    later.resolve()
    assert client.data == [2]
    assert [message["id"] for message in client.messages[-3:] if "id" in message] == [
        first["id"],
        second["id"],
    ]


def test_a_server_that_closes_says_why(client: SocketClient) -> None:
    before = client.closed
    client.send_text(b"hello")
    assert before is None
    assert client.closed is not None
    assert client.closed[0] == 1007


def test_a_frame_is_the_text_that_it_is_given(client: SocketClient) -> None:
    client.send_text(json.dumps([client.message("/a", data=7)]).encode())
    assert client.data == [7]
