"""Recognising a plain connect without parsing it. The result must be the same as after parsing."""

from __future__ import annotations

import json
import re

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mirant.bayeux.codec import decode
from mirant.bayeux.messages import MAX_ID, Message
from mirant.bus.plain_connect import MAX_PLAIN, KnownConnect, read_plain_connect

CLIENT = "0123456789abcdef0123456789abcdef"


def body(message_id: object = "7", **fields: object) -> bytes:
    """Return a connect as clients write it, with *fields* added or replaced."""
    message = {
        "channel": "/meta/connect",
        "clientId": CLIENT,
        "connectionType": "long-polling",
        "id": message_id,
        **fields,
    }
    return json.dumps([message]).encode()


def known(text: bytes) -> KnownConnect:
    """Return what is kept of *text*, which is a plain connect."""
    found = read_plain_connect(text)
    assert found is not None
    return found


def parsed(text: bytes) -> Message:
    """Return the one message in *text*, read as every message that is not plain is read."""
    [message] = decode(text, max_size=10_000, max_batch=10)
    return message


# --- What is read ---


def test_a_connect_that_says_nothing_of_its_own_is_plain() -> None:
    found = known(body("7"))
    assert (found.client_id, found.id) == (CLIENT, b'"7"')


@pytest.mark.parametrize("message_id", ['a"b', "a\\b", "\n", "é", "x" * MAX_ID])
def test_an_id_is_kept_as_json(message_id: str) -> None:
    assert json.loads(known(body(message_id)).id) == message_id


@pytest.mark.parametrize(
    "text",
    [
        body(advice={"timeout": 0}),
        body(ext={"ack": 1}),
        body(data=1),
        body(own="field"),
        body(7),
        body(None),
        body(""),
        body("x" * (MAX_ID + 1)),
        body(clientId=None),
        body(connectionType="websocket"),
        body(channel="/meta/connect/"),
        body(channel="/meta/handshake"),
        body()[1:-1],
        body()[:-1] + b"," + body()[1:],
        body() + b"x",
        body().replace(b"/meta", b"\\/meta"),
        body("é").replace(b"\\u00e9", "é".encode()),
        body() + b" " * MAX_PLAIN,
        b"[]",
        b"",
    ],
)
def test_anything_else_is_not(text: bytes) -> None:
    assert read_plain_connect(text) is None


def test_the_longest_plain_connect_is_read() -> None:
    text = body("7")
    padded = text[:-1] + b" " * (MAX_PLAIN - len(text)) + b"]"
    assert len(padded) == MAX_PLAIN
    assert known(padded).id == b'"7"'


# --- What is recognised without being parsed ---


@pytest.mark.parametrize("message_id", ["8", "123456", "aZ9", "x" * MAX_ID])
def test_the_same_with_another_id_is_recognised(message_id: str) -> None:
    found = known(body("7"))
    assert found.matches(body(message_id))
    assert (found.client_id, found.id) == (CLIENT, b'"%b"' % message_id.encode())


def test_so_is_each_of_a_row_and_the_same_again() -> None:
    found = known(body("7"))
    for message_id in ("8", "8", "9", "10", "7"):
        assert found.matches(body(message_id))
        assert found.id == b'"%b"' % message_id.encode()


@pytest.mark.parametrize(
    "text",
    [
        body(""),
        body("x" * (MAX_ID + 1)),
        body('a"b'),
        body("a\\b"),
        body("a-b"),
        body("a b"),
        body("é"),
        body("é").replace(b"\\u00e9", "é".encode()),
        body("٣").replace(b"\\u0663", "٣".encode()),
        body(8),
        body("8", clientId="f" * 32),
        body("8", advice={"timeout": 0}),
        body("8").replace(b", ", b","),
        body("8") + b" ",
        b" " + body("8"),
        body("8")[:-1],
        body("8")[1:],
        body("8")[:-1] + b"}",
        b"{" + body("8")[1:],
        body('8", "advice": {"timeout": 0}, "id": "9'),
        b'[{"',
        b'"}]',
        b"",
    ],
)
def test_nothing_else_is_and_what_was_known_stays_so(text: bytes) -> None:
    found = known(body("7"))
    assert not found.matches(text)
    assert (found.client_id, found.id) == (CLIENT, b'"7"')
    assert found.matches(body("8"))


@pytest.mark.parametrize("length", range(len(body("7"))))
def test_a_body_that_is_cut_is_not_recognised(length: int) -> None:
    """The parts before and after the id must not overlap in the body."""
    found = known(body("7"))
    assert not found.matches(body("7")[:length])
    assert not found.matches(body("7")[-length:] if length else b"")


@pytest.mark.parametrize("message_id", ['"', "a\\b", "é", "a-b"])
def test_after_an_id_of_other_characters_nothing_is_recognised(message_id: str) -> None:
    found = known(body(message_id))
    assert not found.matches(body(message_id))
    assert not found.matches(body("8"))
    assert not found.matches(b'"8"')


@pytest.mark.parametrize("message_id", ["id", "channel", "clientId", CLIENT])
def test_where_the_id_stands_twice_nothing_is_recognised(message_id: str) -> None:
    found = known(body(message_id))
    assert found.id == b'"%b"' % message_id.encode()
    for occurrence in (1, 2):
        text = body(message_id).replace(found.id, b'"8"', occurrence)
        assert not found.matches(text)
    assert not found.matches(body("8"))


@pytest.mark.parametrize("message_id", ["0", "abc", "meta", "long", "connect", "polling"])
def test_an_id_that_is_part_of_another_field_is_recognised_in_its_place(message_id: str) -> None:
    found = known(body(message_id))
    text = body("8")
    assert found.matches(text)
    assert (parsed(text).id, found.id) == ("8", b'"8"')


def escaped(text: str) -> bytes:
    r"""Return *text* as JSON that is all ``\uXXXX``."""
    return b'"%b"' % b"".join(b"\\u%04x" % ord(character) for character in text)


@pytest.mark.parametrize("place", ["id", "channel", CLIENT])
def test_where_the_id_is_spelt_with_escapes_its_text_elsewhere_is_not_taken_for_it(place: str) -> None:
    text = body("7").replace(b'"7"', escaped(place))
    found = known(text)
    assert not found.matches(text.replace(b'"%b"' % place.encode(), b'"other"'))


def test_an_id_that_is_overruled_by_a_second_one_is_not_taken_for_it() -> None:
    text = body("7").replace(b'"id": "7"', b'"id": "7", "id": ' + escaped("7"))
    found = known(text)
    other = text.replace(b'"7"', b'"8"')
    assert parsed(other).id == "7"
    assert not found.matches(other)


# --- Whatever bodies come ---

words = st.sampled_from(["7", "id", "channel", "clientId", "connectionType", CLIENT, 'a"7', "7\\", "é", ""])
texts = words | st.text('7a"\\é', max_size=4)


@st.composite
def spelt(draw: st.DrawFn, text: str) -> bytes:
    """Return *text* in one of the ways that JSON has for it."""
    return draw(st.sampled_from([json.dumps(text).encode(), escaped(text)]))


@st.composite
def connects(draw: st.DrawFn) -> bytes:
    """Return a connect with its fields in any order and spelling; one of them may stand twice."""
    fields = [
        ("channel", b'"/meta/connect"'),
        ("clientId", draw(spelt(draw(texts)))),
        ("connectionType", b'"long-polling"'),
        ("id", draw(spelt(draw(texts)))),
    ]
    if draw(st.booleans()):
        fields.append(draw(st.sampled_from(fields)))
    pairs = [b"%b:%b" % (draw(spelt(name)), value) for name, value in draw(st.permutations(fields))]
    return b"[{%b}]" % b",".join(pairs)


@st.composite
def changed(draw: st.DrawFn, text: bytes) -> bytes:
    """Return *text* with one part replaced: what is between two quotes, or any part."""
    between = [(found.start(1), found.end(1)) for found in re.finditer(rb'(?=")"(\w*)(?=")', text)]
    places = st.sampled_from(between) if between else st.nothing()
    begin, end = draw(places | st.tuples(*[st.integers(0, len(text))] * 2).map(sorted).map(tuple))
    instead = draw(st.sampled_from([b"8", b"id", b"7", b"x" * MAX_ID]) | st.binary(max_size=3))
    return text[:begin] + instead + text[end:]


@given(connects(), st.data())
@example(body("7"), None)
def test_what_is_recognised_is_the_same_message_but_for_its_id(
    first: bytes, data: st.DataObject | None
) -> None:
    found = read_plain_connect(first)
    assume(found is not None)
    assert found is not None
    second = body("8") if data is None else data.draw(changed(first))
    client_id, before = found.client_id, found.id
    if not found.matches(second):
        assert (found.client_id, found.id) == (client_id, before)
        return
    message = parsed(second)
    assert message == msgspec.structs.replace(parsed(first), id=message.id)
    assert (found.client_id, json.loads(found.id)) == (message.client_id, message.id)
    if len(second) <= MAX_PLAIN:
        again = known(second)
        assert (again.client_id, again.id) == (found.client_id, found.id)
