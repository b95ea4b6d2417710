"""What the generator publishes, and how it knows it again."""

import json

import pytest
from msgspec import Raw

from mirant.bayeux.client_messages import decode_server
from mirant.load.messages import BenchmarkData, Publisher, read_benchmark_data
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


def test_published_data_is_known_again() -> None:
    [message] = Publisher(Scenario(message_size=20)).messages(PublishBatch(12, 3, 1_500, [2]), "abc")
    [read] = decode_server(message)
    data = read_benchmark_data(read.data)

    assert data == BenchmarkData(2, 3, "x" * 20, 1_500_000, "12/bench/a")
    assert data.number == 12


@pytest.mark.parametrize(
    "text",
    [
        b"null",
        b"7",
        b"{}",
        b'{"room":2,"user":3,"chat":"","start":1}',
        b'{"room":2,"user":3,"chat":"","start":1,"msg_id":"1/a","more":0}',
    ],
)
def test_other_data_is_not_taken_for_ours(text: bytes) -> None:
    assert read_benchmark_data(Raw(text)) is None


@pytest.mark.parametrize("msg_id", ["", "x/a", "-1/a", "/a"])
def test_a_message_without_a_number_has_number_0(msg_id: str) -> None:
    assert BenchmarkData(1, 1, "", 0, msg_id).number == 0
