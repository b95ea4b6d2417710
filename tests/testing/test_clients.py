"""What clients on any transport do."""

from __future__ import annotations

from math import inf

import pytest

from mirant.testing import Client, World, reply_to


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(params=["polling", "socket"])
def client(world: World, request: pytest.FixtureRequest) -> Client:
    return world.polling() if request.param == "polling" else world.socket()


def test_messages_are_numbered_and_carry_the_id_of_the_session(client: Client) -> None:
    assert client.message("/a", data=1) == {"channel": "/a", "id": "1", "data": 1}
    client.handshake()
    assert client.message("/a") == {"channel": "/a", "id": "3", "clientId": client.client_id}
    assert client.last_id == 3


def test_a_handshake_makes_a_session(client: Client) -> None:
    before = client.alive
    with pytest.raises(KeyError):
        _ = client.session
    assert client.handshake()["successful"]
    assert (before, client.alive) == (False, True)
    assert client.session.id == client.client_id


def test_a_client_whose_handshake_is_refused_keeps_the_session_that_it_has(
    world: World, client: Client
) -> None:
    client.handshake()
    former = client.client_id
    world.services.authenticate(lambda handshake: None)
    assert not client.handshake()["successful"]
    assert client.client_id == former


def test_a_client_remembers_replies_and_deliveries(world: World, client: Client) -> None:
    client.handshake()
    assert client.subscribe("/a")["successful"]
    world.publish("/a", 1)
    client.publish("/a", 2)
    assert client.unsubscribe("/a")["successful"]
    assert client.data == [1, 2]
    assert [message["channel"] for message in client.deliveries] == ["/a", "/a"]
    assert client.disconnect()["successful"]
    assert client.messages[-1]["channel"] == "/meta/disconnect"
    assert not client.alive


def test_the_reply_is_the_message_without_data_that_has_the_id() -> None:
    message = {"channel": "/service/a", "id": "7"}
    result, reply = {"id": "7", "data": 1}, {"id": "7", "successful": True}
    assert reply_to(message, [{"id": "6"}, result, reply]) is reply
    with pytest.raises(ValueError, match="not enough values"):
        reply_to(message, [result])


def test_the_id_of_a_message_may_be_a_number_of_any_length() -> None:
    poll = World().polling().post(b'[{"channel":"/a","id":' + b"9" * 5_000 + b"}]")
    assert poll.reply["id"] == inf
