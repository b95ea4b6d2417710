"""What a client writes and reads."""

import json

import pytest
from msgspec import Raw

from mirant.bayeux import client_messages
from mirant.bayeux.advice import Advice
from mirant.bayeux.client_messages import ServerBodyInvalid, ServerMessage, decode_server, decode_strictly
from mirant.bayeux.codec import decode


@pytest.mark.parametrize(
    ("written", "fields"),
    [
        (
            client_messages.handshake("1", ["websocket"], {"ext": {"ack": True}}),
            {
                "channel": "/meta/handshake",
                "id": "1",
                "version": "1.0",
                "minimumVersion": "1.0",
                "supportedConnectionTypes": ["websocket"],
                "ext": {"ack": True},
            },
        ),
        (
            client_messages.connect("2", "c", "websocket", timeout=0, ext={"ack": 3}),
            {
                "channel": "/meta/connect",
                "id": "2",
                "clientId": "c",
                "connectionType": "websocket",
                "advice": {"timeout": 0},
                "ext": {"ack": 3},
            },
        ),
        (
            client_messages.subscribe("3", "c", "/a"),
            {"channel": "/meta/subscribe", "id": "3", "clientId": "c", "subscription": "/a"},
        ),
        (
            client_messages.unsubscribe("4", "c", ("/a", "/b")),
            {"channel": "/meta/unsubscribe", "id": "4", "clientId": "c", "subscription": ["/a", "/b"]},
        ),
        (
            client_messages.publish("5", "c", "/a", None, ext={"x": 1}),
            {"channel": "/a", "id": "5", "clientId": "c", "data": None, "ext": {"x": 1}},
        ),
        (client_messages.disconnect("6", "c"), {"channel": "/meta/disconnect", "id": "6", "clientId": "c"}),
    ],
)
def test_messages_are_what_the_server_reads(written: bytes, fields: dict[str, object]) -> None:
    assert json.loads(written) == fields
    [message] = decode(b"[" + written + b"]", max_size=1_000, max_batch=1)
    assert (message.channel, message.id) == (fields["channel"], fields["id"])


def test_the_parts_of_a_connect_fit_around_any_id() -> None:
    before, after = client_messages.connect_around_id('c"1', "long-polling")

    assert before + b"17" + after == client_messages.connect("17", 'c"1', "long-polling")


def test_raw_data_is_sent_as_it_is() -> None:
    assert b'"data":{"n": 1.50}}' in client_messages.publish("1", "c", "/a", Raw(b'{"n": 1.50}'))


def test_what_has_no_json_form_cannot_be_sent() -> None:
    loop: list[object] = []
    loop.append(loop)
    for data in (object(), loop):
        with pytest.raises(TypeError):
            client_messages.publish("1", "c", "/a", data)


def test_a_reply_is_read_with_all_that_a_client_heeds() -> None:
    [message] = decode_server(
        '[{"channel":"/meta/handshake","id":"1","successful":true,"clientId":"c","error":"e",'
        '"subscription":["/a"],"advice":{"reconnect":"retry","interval":0,"timeout":30000,'
        '"multiple-clients":true,"maxInterval":10000},"ext":{"ack":true},"version":"1.0",'
        '"supportedConnectionTypes":["websocket"],"timestamp":"Sun","x-messages":1}]'
    )

    assert message == ServerMessage(
        channel="/meta/handshake",
        id="1",
        successful=True,
        client_id="c",
        error="e",
        subscription=["/a"],
        advice=Advice(
            reconnect="retry", interval=0, timeout=30_000, multiple_clients=True, max_interval=10_000
        ),
        ext={"ack": True},
        supported_connection_types=["websocket"],
    )


@pytest.mark.parametrize(
    ("text", "is_delivery"),
    [
        ('{"channel":"/a","data":0}', True),
        ('{"channel":"/a","data":null}', True),
        ('{"channel":"/service/a","data":{},"successful":true,"id":"1"}', True),
        ('{"channel":"/a","successful":true,"id":"1"}', False),
        ('{"channel":"/meta/connect","data":1}', False),
        ("{}", False),
    ],
)
def test_a_delivery_is_what_has_data(text: str, *, is_delivery: bool) -> None:
    [message] = decode_server(text)

    assert message.is_delivery is is_delivery


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"id":42', ServerMessage(id="42")),
        ('"id":{}', ServerMessage()),
        ('"successful":"true"', ServerMessage()),
        ('"clientId":7,"error":"e"', ServerMessage(error="e")),
        ('"advice":[]', ServerMessage()),
        ('"advice":null', ServerMessage()),
        ('"advice":null,"id":1', ServerMessage(id="1")),
        (
            '"advice":{"reconnect":"sometimes","interval":1.5e3,"timeout":"x","hosts":[]}',
            ServerMessage(advice=Advice(interval=1_500)),
        ),
        ('"advice":{"interval":1e999,"timeout":-1.0}', ServerMessage(advice=Advice(timeout=-1))),
        ('"ext":7,"channel":"/a"', ServerMessage(channel="/a")),
        ('"channel":null', ServerMessage()),
        ('"error":"half \\ud83d","id":"1"', ServerMessage(id="1", error="half \ufffd")),
    ],
)
def test_a_field_of_the_wrong_type_counts_as_absent(text: str, expected: ServerMessage) -> None:
    neighbour = '{"channel":"/b","data":1}'
    found = decode_server(f"[{{{text}}},{neighbour}]")

    assert found == [expected, ServerMessage(channel="/b", data=Raw(b"1"))]


@pytest.mark.parametrize(
    "body", [b"", b"[", b"null", b"7", b"[null]", b"[[]]", b'["a"]', b"\xff", b"[" * 100_000, b"HTTP/1.1 200"]
)
def test_what_is_not_an_array_of_objects_is_refused(body: bytes) -> None:
    with pytest.raises(ServerBodyInvalid):
        decode_server(body)


def test_a_single_object_counts_as_an_array_of_one() -> None:
    assert decode_server(b' {"channel":"/a"}') == [ServerMessage(channel="/a")]
    assert decode_server(b"[]") == []


def test_deep_data_is_passed_on() -> None:
    deep = b"[" * 500 + b"]" * 500

    assert bytes(decode_server(b'[{"data":%b}]' % deep)[0].data) == deep


def test_one_who_checks_servers_forgives_no_wrong_type() -> None:
    assert decode_strictly(b'{"channel":"/a","data":1}') == ServerMessage(channel="/a", data=Raw(b"1"))
    for text in (b'{"id":42}', b'{"channel":null}', b"[]", b'"a"', b"{"):
        with pytest.raises(ValueError, match=r"."):
            decode_strictly(text)
