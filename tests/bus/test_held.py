"""A connect that is held keeps little, and message and reply can be restored from it."""

from __future__ import annotations

import gc
import json
import tracemalloc
from typing import Any

import pytest
from msgspec import Raw

from mirant.bayeux.codec import decode
from mirant.bayeux.messages import Message, OddMessage, Reply
from mirant.bus.held import HeldConnect, slim
from mirant.testing import World

CLIENT = "0123456789abcdef0123456789abcdef"


def read(**fields: object) -> Message:
    """Return a connect with *fields*, as it is read."""
    message = {"channel": "/meta/connect", "clientId": CLIENT, "id": "7", **fields}
    [read] = decode(json.dumps([message]).encode(), max_size=10_000, max_batch=1)
    return read


def held(message: Message | None, reply: Reply | bytes) -> HeldConnect:
    return HeldConnect(World().socket().connection, 1_000.0, message, reply)


@pytest.mark.parametrize("message_id", ["7", 'é"A', "x" * 128])
def test_a_plain_one_tells_from_its_reply_what_the_message_was(message_id: str) -> None:
    reply = Reply(channel="/meta/connect", id=message_id, successful=True)
    told = held(None, reply.encode()).spell_out(CLIENT)
    assert told == (read(id=message_id, connectionType="long-polling"), reply)


def test_any_other_is_told_as_it_was_kept() -> None:
    message, reply = read(ext={"ack": 1}), Reply(channel="/meta/connect", id="7", successful=True)
    assert held(message, reply).spell_out(CLIENT) == (message, reply)


def slimmed(**fields: object) -> tuple[Message, Reply]:
    message, reply = read(**fields), Reply(channel="/meta/connect", id="7")
    slim(message, reply, CLIENT)
    return message, reply


def test_what_extensions_need_of_a_message_stays() -> None:
    message, reply = slimmed(ext={"ack": 12, "own": {"a": [1]}}, advice={"timeout": 5})
    assert {name: json.loads(bytes(raw)) for name, raw in (message.ext or {}).items()} == {
        "ack": 12,
        "own": {"a": [1]},
    }
    assert (message.id, message.client_id, message.channel) == ("7", CLIENT, "/meta/connect")
    assert reply == Reply(channel="/meta/connect", id="7")


@pytest.mark.parametrize("kind", ["long-polling", "websocket", "callback-polling", "eventsource"])
def test_the_connection_type_stays_if_it_is_one_of_ours(kind: str) -> None:
    assert bytes(slimmed(connectionType=kind)[0].connection_type) == json.dumps(kind).encode()


@pytest.mark.parametrize("kind", ["x" * 1_000, 7, None, ["websocket"]])
def test_any_other_connection_type_is_let_go(kind: Any) -> None:
    assert bytes(slimmed(connectionType=kind)[0].connection_type) == b""


def test_what_nobody_asks_for_is_let_go() -> None:
    large = "x" * 1_000
    names = ("data", "subscription", "timestamp", "version", "minimumVersion", "supportedConnectionTypes")
    message, _ = slimmed(**dict.fromkeys(names, large))
    kept = (
        message.data,
        message.subscription,
        message.timestamp,
        message.version,
        message.minimum_version,
        message.supported_connection_types,
    )
    assert [bytes(raw) for raw in kept] == [b""] * 6


def test_fields_of_an_application_are_let_go() -> None:
    message, _ = slimmed(own="x" * 1_000)
    assert isinstance(message, OddMessage)
    assert message.extra == {}


def test_the_names_of_a_held_connect_are_shared_by_all() -> None:
    client_id = "".join(["0123456789abcdef"] * 2)
    messages = []
    for _ in range(2):
        message, reply = read(), Reply(channel="".join(["/meta/", "connect"]), id="7")
        slim(message, reply, client_id)
        assert message.client_id is client_id
        assert message.channel is reply.channel
        messages.append(message)
    assert messages[0].channel is messages[1].channel


def test_a_connect_that_names_its_channel_in_another_way_keeps_that_name() -> None:
    message, reply = read(channel="/meta//connect"), Reply(channel="/meta//connect", id="7")
    slim(message, reply, CLIENT)
    assert message.channel == reply.channel == "/meta//connect"


@pytest.mark.parametrize(
    "ext",
    [
        {str(number): 0 for number in range(4_000)},
        {"a": "x" * 500_000, "ack": 1},
        {"n" * 500_000: 1, "ack": 1},
    ],
    ids=["fields", "value", "name"],
)
def test_what_a_held_connect_keeps_of_its_ext_is_bounded(ext: dict[str, object]) -> None:
    """Fields took 24 times the bytes that were sent."""
    body = json.dumps({"channel": "/meta/connect", "clientId": CLIENT, "ext": ext}).encode()
    [message] = decode(body, max_size=len(body), max_batch=1)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    slim(message, Reply(), CLIENT)
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert kept < 8 * 1024
    assert len(message.ext or {}) <= 16
    if "ack" in ext:
        assert (message.ext or {})["ack"] == Raw(b"1")
