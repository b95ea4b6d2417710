"""What goes out: replies and deliveries."""

import json

import pytest
from msgspec import Raw

from mirant.bayeux.advice import GO_AWAY, HANDSHAKE_NOW, Advice
from mirant.bayeux.channels import Channel
from mirant.bayeux.codec import decode
from mirant.bayeux.messages import Delivery, Reply


def forward(body: bytes, channel: str = "/a") -> bytes:
    [message] = decode(body, max_size=10_000, max_batch=1)
    return Delivery.forward(Channel.parse(channel), message).payload


def test_a_delivery_is_the_channel_and_the_data_that_was_published() -> None:
    assert forward(b'{"channel":"/a","id":"1","clientId":"c","data":{"x": 1.50}}') == (
        b'{"channel":"/a","data":{"x": 1.50}}'
    )


@pytest.mark.parametrize(
    "data",
    [
        b"null",
        b'"\\u003c\\/\\ud83d\\ude00"',
        b'{"a" : 1,\n"a":\t2}',
        b"[1E400, -0.0, 12345678901234567890]",
        '"é\u2028"'.encode(),
        b"[[[ ]]]",
    ],
)
def test_data_is_forwarded_byte_for_byte_however_it_is_spelt(data: bytes) -> None:
    assert forward(b'{"channel":"/a","data": %b }' % data) == b'{"channel":"/a","data":%b}' % data


def test_ext_timestamp_and_the_applications_fields_are_forwarded_as_they_were_spelt() -> None:
    payload = forward(
        b'{"channel":"/a","data":1e2,"ext":{"b":1.0,"a":[ ]},"timestamp":"12:00","mine":{"k": 1E9}}'
    )
    assert payload == (
        b'{"channel":"/a","data":1e2,"ext":{"b":1.0,"a":[ ]},"timestamp":"12:00","mine":{"k": 1E9}}'
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("advice", {"reconnect": "none"}),
        ("authSuccessful", True),
        ("clientId", "secret"),
        ("connectionType", "websocket"),
        ("error", "402::session_unknown"),
        ("id", "1"),
        ("minimumVersion", "1.0"),
        ("reestablish", True),
        ("subscription", "/a"),
        ("successful", True),
        ("supportedConnectionTypes", ["websocket"]),
        ("version", "1.0"),
        ("x-messages", 5),
    ],
)
@pytest.mark.parametrize("company", [{}, {"mine": 1}, {"ext": {}}])
def test_what_only_a_server_may_say_is_not_forwarded(
    name: str, value: object, company: dict[str, object]
) -> None:
    body = json.dumps({"channel": "/a", "data": 1, name: value, **company}).encode()
    assert json.loads(forward(body)) == {"channel": "/a", "data": 1, **company}


def test_an_odd_value_for_a_servers_field_is_not_forwarded_either() -> None:
    assert json.loads(forward(b'{"data":1,"clientId":7,"mine":0}')) == {"channel": "/a", "data": 1, "mine": 0}


def test_a_delivery_names_the_channel_as_its_subscribers_know_it() -> None:
    """Other than the reference server, which forwards the publisher's spelling ``/a/``."""
    assert forward(b'{"channel":"/a/ ","data":1}', "/a/ ") == b'{"channel":"/a","data":1}'


def test_a_value_of_the_application_is_encoded_once_with_its_further_fields() -> None:
    channel = Channel.parse("/service/add")
    delivery = Delivery.of(channel, Raw(b"1.50"), id="7", successful=True)
    assert delivery.payload == b'{"channel":"/service/add","data":1.50,"id":"7","successful":true}'
    assert Delivery.of(channel, None).payload == b'{"channel":"/service/add","data":null}'


@pytest.mark.parametrize("data", [object(), {1, object()}, {"x": object()}])
def test_a_value_without_json_form_is_refused(data: object) -> None:
    with pytest.raises(TypeError):
        Delivery.of(Channel.parse("/a"), data)


@pytest.mark.parametrize(
    ("reply", "encoded"),
    [
        (Reply(), b"{}"),
        (Reply(channel="/a", id="1", successful=True), b'{"channel":"/a","id":"1","successful":true}'),
        (
            Reply(channel="/a", successful=False, error="404::message_deleted"),
            b'{"channel":"/a","successful":false,"error":"404::message_deleted"}',
        ),
        (
            Reply(channel="/meta/subscribe", subscription=Raw(b'[ "/a" ]'), successful=True),
            b'{"channel":"/meta/subscribe","subscription":[ "/a" ],"successful":true}',
        ),
        (
            Reply(
                channel="/meta/handshake",
                id="1",
                client_id="c",
                version="1.0",
                minimum_version="1.0",
                supported_connection_types=["long-polling"],
                successful=True,
                advice=Advice(reconnect="retry", interval=0, timeout=30_000),
                ext={"ack": True},
            ),
            b'{"channel":"/meta/handshake","id":"1","clientId":"c","version":"1.0","minimumVersion":"1.0",'
            b'"supportedConnectionTypes":["long-polling"],"successful":true,'
            b'"advice":{"reconnect":"retry","interval":0,"timeout":30000},"ext":{"ack":true}}',
        ),
    ],
)
def test_a_reply_has_what_was_set_and_nothing_else(reply: Reply, encoded: bytes) -> None:
    assert reply.encode() == encoded


@pytest.mark.parametrize(
    ("advice", "encoded"),
    [
        (HANDSHAKE_NOW, {"reconnect": "handshake", "interval": 0}),
        (GO_AWAY, {"reconnect": "none"}),
        (Advice(multiple_clients=True, interval=2_000), {"multiple-clients": True, "interval": 2_000}),
        (Advice(max_interval=5), {"maxInterval": 5}),
    ],
)
def test_advice_is_spelt_as_on_the_wire(advice: Advice, encoded: dict[str, object]) -> None:
    assert json.loads(Reply(advice=advice).encode()) == {"advice": encoded}
