"""What a client of the load sends and reads."""

import json

from mirant.load.messages import Publisher, decode
from mirant.load.scenario import Scenario
from mirant.load.schedule import Batch


def test_a_publish_has_the_fields_of_the_reference_benchmark() -> None:
    [message] = Publisher(Scenario(message_size=20)).messages(Batch(12, 3, 1_500, [2]), "abc")

    assert json.loads(message) == {
        "channel": "/bench/a/2",
        "id": "p12",
        "clientId": "abc",
        "data": {
            "room": 2,
            "user": 3,
            "chat": "x" * 20,
            "start": 1_500_000,
            "msg_id": "12/bench/a",
        },
    }


def test_a_reply_to_a_publish_is_no_delivery() -> None:
    reply = decode(b'{"channel":"/bench/a/2","id":"p12","successful":false,"error":"403::no"}')

    assert not reply.data
    assert reply.error == "403::no"
