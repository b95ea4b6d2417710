"""What the generator publishes, and how it knows it again."""

import json

import pytest

from mirant.load.messages import BenchmarkData, Publisher, read_delivery
from mirant.load.scenario import Scenario
from mirant.load.schedule import PublishBatch


def test_a_publish_has_the_fields_of_the_reference_benchmark() -> None:
    [message] = Publisher(Scenario(message_size=20)).messages(PublishBatch(12, 3, 1_500, [2]), "abc")

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


def test_a_delivery_of_what_was_published_is_known_again() -> None:
    [message] = Publisher(Scenario(message_size=20)).messages(PublishBatch(12, 3, 1_500, [2]), "abc")
    delivery = read_delivery(message)

    assert delivery is not None
    assert delivery.channel == "/bench/a/2"
    assert delivery.data == BenchmarkData(2, 3, "x" * 20, 1_500_000, "12/bench/a")
    assert delivery.data.number == 12


@pytest.mark.parametrize(
    "text",
    [
        b'{"channel":"/bench/a/2","id":"p12","successful":false,"error":"403::no"}',
        b'{"channel":"/a","data":null}',
        b'{"channel":"/a","data":{"room":2,"user":3,"chat":"","start":1}}',
        b'{"channel":"/a","data":{"room":2,"user":3,"chat":"","start":1,"msg_id":"1/a","more":0}}',
        b'["data"]',
        b'"data"',
        b"",
    ],
)
def test_replies_and_the_data_of_others_are_not_taken_for_ours(text: bytes) -> None:
    assert read_delivery(text) is None


@pytest.mark.parametrize("msg_id", ["", "x/a", "-1/a", "/a"])
def test_a_message_without_a_number_has_number_0(msg_id: str) -> None:
    assert BenchmarkData(1, 1, "", 0, msg_id).number == 0
