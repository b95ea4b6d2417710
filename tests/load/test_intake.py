"""The intake: payloads become entries of the ledger, and what is not of this run is found."""

import json

import pytest

from mirant.load.intake import Intake
from mirant.load.schedule import Pace
from tests.load.faultless import PACE, SCENARIO, deliveries, ledger_of


def test_many_in_one_payload_among_replies() -> None:
    intake = Intake(ledger_of())
    of_client = [payload[1:-1] for client, due, payload in deliveries() if client == 0 and due == PACE.due(0)]
    reply = b'{"channel":"/meta/connect","id":"7","successful":true,"ext":{"ack":3}}'
    [rest] = intake.take(0, b"[" + b",".join([*of_client, reply]) + b"]", 5_000)

    assert (rest.channel, rest.id, rest.ext) == ("/meta/connect", "7", {"ack": 3})
    assert intake.ledger.delivered == len(of_client) > 1


def test_what_is_known_from_another_payload_is_crossed_off_among_replies() -> None:
    intake = Intake(ledger_of())
    played = [entry for entry in deliveries() if entry[1] == PACE.due(0)]
    first = played[0][2]
    receivers = [client for client, _, payload in played if payload == first]
    for client in receivers:
        reply = b'{"channel":"/meta/connect","id":"%d","successful":true}' % client
        [rest] = intake.take(client, b"[%b,%b]" % (first[1:-1], reply), 5_000)
        assert rest.id == str(client)

    assert intake.ledger.delivered == intake.payloads == len(receivers) > 1
    assert intake.take(receivers[0], b"[%b,%b]" % (first[1:-1], reply), 6_000)
    assert intake.ledger.faults.duplicates == 1


def test_contents_and_channel_must_be_those_that_were_published() -> None:
    for change in (
        {"chat": "xx"},
        {"chat": "x" * 19 + "y"},
        {"user": 5},
        {"room": 9},
        {"start": 5},
        {"msg_id": "1/elsewhere"},
    ):
        intake = Intake(ledger_of())
        client, due, payload = next(deliveries())
        [message] = json.loads(payload)
        message["data"].update(change)
        intake.take(client, json.dumps([message]).encode(), due)
        assert intake.ledger.faults.altered == 1
    intake = Intake(ledger_of())
    [message] = json.loads(payload)
    intake.take(client, json.dumps([message | {"channel": "/elsewhere"}]).encode(), due)

    assert (intake.ledger.faults.altered, intake.ledger.delivered) == (1, 0)


def test_a_field_that_was_added_on_the_way_is_found() -> None:
    intake = Intake(ledger_of())
    client, due, payload = next(deliveries())
    [message] = json.loads(payload)
    message["data"]["more"] = 1
    intake.take(client, json.dumps([message]).encode(), due)

    assert (intake.ledger.faults.strays, intake.ledger.delivered) == (1, 0)


def test_what_is_for_another_room_is_a_stray() -> None:
    intake = Intake(ledger_of())
    client, due, payload = next(deliveries())
    room = json.loads(payload)[0]["data"]["room"]
    outsider = next(c for c in range(6) if c not in SCENARIO.members[room])
    intake.take(outsider, payload, due)

    assert (intake.ledger.faults.strays, intake.ledger.delivered) == (1, 0)
    assert client != outsider


@pytest.mark.parametrize(
    "data", ['{"hello":1}', '"text"', "null", '{"room":0,"user":0,"chat":"","start":0,"msg_id":"99999/x"}']
)
def test_what_others_publish_is_a_stray(data: str) -> None:
    intake = Intake(ledger_of())
    intake.take(0, b'[{"channel":"/bench/a/0","data":%b}]' % data.encode(), 5)

    assert (intake.ledger.faults.strays, intake.ledger.delivered) == (1, 0)


def test_what_comes_late_from_the_run_before_is_no_fault() -> None:
    late = list(deliveries())[-1]
    intake = Intake(ledger_of())
    intake.ledger = ledger_of(pace=Pace(start=0, pause=1_000, batches=8, first=41))
    intake.take(late[0], late[2], 5)

    assert (intake.ledger.delivered, intake.ledger.faults.examples) == (0, [])


def test_what_is_no_bayeux_is_counted_and_survived() -> None:
    intake = Intake(ledger_of())
    for payload in (b"", b"[", b"17", b'["a"]', b'[{"channel":5}]', b"\xff"):
        assert list(intake.take(0, payload, 5)) == []

    assert sum(intake.failures.values()) == 6
