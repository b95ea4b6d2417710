"""Cookies, and bodies that are put together of several texts."""

from __future__ import annotations

import json

import pytest

from mirant.bayeux.codec import BodyInvalid
from mirant.bus.carrier import MAX_RESPONSE
from mirant.bus.request import Request
from mirant.testing import World
from mirant.transports.long_polling import Exchange, join_messages


def test_an_answer_that_may_not_be_read_has_no_room() -> None:
    client = World().polling().enter()
    exchange = Exchange(client.world.core, Request(), lambda response: True)
    assert exchange.room(client.session) == MAX_RESPONSE
    exchange.replies_only = True
    assert exchange.room(client.session) == 0


@pytest.mark.parametrize(
    ("texts", "joined"),
    [
        ([b'{"a":1}'], {"a": 1}),
        ([b'{"a":1}', b'[{"b":2},{"c":3}]'], [{"a": 1}, {"b": 2}, {"c": 3}]),
        ([b' [{"a":1}] ', b"\n{}"], [{"a": 1}, {}]),
    ],
)
def test_texts_are_joined_to_one_array(texts: list[bytes], joined: object) -> None:
    assert json.loads(join_messages(texts)) == joined


@pytest.mark.parametrize("broken", [b'[{"a":1}', b'{"a":1}]', b'[{"a":1}x', b'x{"a":1}]'])
def test_a_text_that_is_broken_is_not_mended_by_being_joined(broken: bytes) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(join_messages([broken, b"{}"]))


def test_no_text_is_no_body() -> None:
    with pytest.raises(BodyInvalid):
        join_messages([])


@pytest.mark.parametrize("body", [b"[]", b" [ ]\n", b"message=[]", b"message=%5B%5D&message=[]"])
def test_an_empty_array_is_answered_with_one_and_does_nothing(body: bytes) -> None:
    client = World().polling()
    poll = client.post(body)
    assert (poll.status, poll.body, poll.cookie) == (200, b"[]", None)
    client.enter()
    held = client.connect()
    assert client.post(body).body == b"[]"
    assert held.held


@pytest.mark.parametrize(
    ("texts", "count"),
    [([b"[]", b'{"a":1}'], 1), ([b'[{"a":1}]', b" [ ] ", b"[{}]"], 2), ([b"[]", b"[]"], 0)],
)
def test_an_empty_array_among_others_adds_nothing(texts: list[bytes], count: int) -> None:
    assert len(json.loads(join_messages(texts))) == count
