"""CometD's acknowledge extension, and connects written from parts."""

import json

import pytest

from mirant.bayeux.client_messages import ServerMessage
from mirant.client.events import SessionOpened
from mirant.client.session import ClientSession, agreed_batch
from tests.client.dialogue import Dialogue


def test_a_connect_written_from_parts_is_the_same_as_one_encoded() -> None:
    session = ClientSession('a"b\u00e9', "long-polling", None)

    assert json.loads(session.connect("7", None)) == {
        "channel": "/meta/connect",
        "id": "7",
        "clientId": 'a"b\u00e9',
        "connectionType": "long-polling",
    }
    assert json.loads(session.connect("8", 0))["advice"] == {"timeout": 0}


def test_every_connect_acknowledges_the_last_answer_that_came_whole() -> None:
    dialogue = Dialogue(ack=True, handshake_fields={"ext": {"token": "t"}})
    [handshake] = dialogue.handshake()
    assert handshake["ext"] == {"token": "t", "ack": True}
    [first] = dialogue.answer("/meta/handshake", clientId="c1", ext={"ack": True})
    [second] = dialogue.answer("/meta/connect", ext={"ack": 1})
    [third] = dialogue.answer("/meta/connect", ext={"ack": 2})
    assert [m["ext"] for m in (first, second, third)] == [{"ack": 0}, {"ack": 1}, {"ack": 2}]
    dialogue.lose()
    [again] = dialogue.advance(1)

    assert again["ext"] == {"ack": 2}
    assert dialogue.take(SessionOpened)[-1].is_acknowledging


def test_a_refused_connect_acknowledges_nothing() -> None:
    dialogue = Dialogue(ack=True)
    dialogue.enter(ext={"ack": True})
    dialogue.answer("/meta/connect", successful=False, error="503::busy", ext={"ack": 9})

    assert dialogue.advance(1)[0]["ext"] == {"ack": 0}


@pytest.mark.parametrize(
    ("ext", "batch"),
    [
        ({"ack": True}, 0),
        ({"ack": {"enabled": True, "batch": 7}}, 7),
        ({"ack": {"enabled": True}}, 0),
        ({"ack": {"enabled": True, "batch": "7"}}, 0),
        ({"ack": {"enabled": False, "batch": 7}}, None),
        ({"ack": False}, None),
        ({"ack": 1}, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_server_agrees_to_acknowledge_in_two_ways(ext: dict[str, object] | None, batch: int | None) -> None:
    assert agreed_batch(ServerMessage(ext=ext)) == batch


def test_without_agreement_nothing_is_acknowledged() -> None:
    dialogue = Dialogue(ack=True)
    [connect] = dialogue.enter()

    assert "ext" not in connect
    assert not dialogue.take(SessionOpened)[-1].is_acknowledging


@pytest.mark.parametrize("ack", [None, "3", True, [3]])
def test_a_number_that_is_none_changes_nothing(ack: object) -> None:
    session = ClientSession("c", "websocket", 2)
    session.note_batch(ServerMessage(ext={"ack": ack}))

    assert session.acknowledged == 2
