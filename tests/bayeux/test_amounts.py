"""How much a body holds, counted before objects are made of it."""

import tracemalloc

import pytest

from mirant.bayeux.amounts import (
    FIELDS_EACH,
    MAX_ESCAPES,
    MAX_FIELDS,
    has_many_escapes,
    has_many_fields,
    has_more_messages,
)
from mirant.bayeux.codec import BodyInvalid, BodyTooLarge, decode
from mirant.bayeux.messages import Message

MIB = 1024 * 1024


def read(body: bytes, *, max_batch: int = 1_000) -> list[Message]:
    return decode(body, max_size=2 * MIB, max_batch=max_batch)


def array(message: bytes, count: int) -> bytes:
    return b"[%b]" % b",".join([message] * count)


def fields(count: int) -> bytes:
    return b",".join(b'"%x":0' % index for index in range(count))


@pytest.mark.parametrize("message", [b"{}", b'{"":0}', b'{"channel":"/a","data":{"a":{}}}', b'{"ext":1}'])
@pytest.mark.parametrize("limit", [100, 1_000, 5_000])
def test_as_many_messages_as_allowed_are_read_and_one_more_is_refused(message: bytes, limit: int) -> None:
    assert len(read(array(message, limit), max_batch=limit)) == limit
    with pytest.raises(BodyTooLarge, match=str(limit)):
        read(array(message, limit + 1), max_batch=limit)


def test_objects_within_messages_are_no_messages() -> None:
    assert len(read(b'{"data":%b}' % array(b"{}", 5_000))) == 1
    assert len(read(array(b'{"data":[{},{},{}]}', 900))) == 900


@pytest.mark.parametrize("message", [b"{}", b'{"":0}', b'{"channel":"/a"}', b'{"\\ud800":0}'])
def test_a_mebibyte_of_messages_is_refused_before_they_are_made(message: bytes) -> None:
    body = array(message, MIB // (len(message) + 1))
    with pytest.raises((BodyTooLarge, BodyInvalid)):
        read(body)  # what is made once is made now
    tracemalloc.start()
    with pytest.raises((BodyTooLarge, BodyInvalid)):
        read(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MIB // 4


@pytest.mark.parametrize(
    "body", [b"[{%b}]" % fields(50_000), b"{%b}" % fields(50_000), b'[{"ext":{%b}}]' % fields(50_000)]
)
def test_a_message_of_very_many_fields_is_refused(body: bytes) -> None:
    with pytest.raises(BodyTooLarge, match="too many fields"):
        read(body)


def test_a_field_that_is_given_again_and_again_counts_each_time() -> None:
    with pytest.raises(BodyTooLarge, match="too many fields"):
        read(b"[{%b}]" % b",".join([b'"ext":{"a":1}'] * 20_000))
    with pytest.raises(BodyTooLarge, match="too many fields"):
        read(b"[{%b}]" % b",".join([b'"data":0'] * 20_000))


def test_as_many_fields_as_allowed_are_read() -> None:
    last = MAX_FIELDS + FIELDS_EACH
    assert len(read(b'[{"data":{%b},%b}]' % (fields(100_000), fields(last - 1)))) == 1
    with pytest.raises(BodyTooLarge):
        read(b'[{"data":{%b},%b}]' % (fields(100_000), fields(last)))


def test_data_may_have_as_many_fields_as_fit() -> None:
    [message] = read(b'[{"channel":"/a","data":{%b}}]' % fields(100_000))
    assert bytes(message.data) == b"{%b}" % fields(100_000)


def test_many_messages_may_have_some_fields_each() -> None:
    assert len(read(array(b'{"channel":"/a","ext":{"a":1,"b":2,"c":3},"mine":"12:30:00"}', 1_000))) == 1_000


def test_a_large_body_may_have_many_pairs_and_few_halves() -> None:
    pairs = rb"\ud83d\ude00" * (MAX_ESCAPES // 2 - 1)
    [message] = read(b'[{"data":"%b\\ud83d"}]' % pairs)
    assert bytes(message.data) == b'"%b\\ufffd"' % pairs


def test_pairs_alone_may_be_as_many_as_fit() -> None:
    pairs = rb"\ud83d\ude00" * MAX_ESCAPES
    [message] = read(b'[{"mine":1,"data":"%b"}]' % pairs)
    assert bytes(message.data) == b'"%b"' % pairs


@pytest.mark.parametrize("text", [rb"\ud83d", rb"\ud83d\ude00", rb"\\"])
def test_a_half_among_very_many_escapes_is_not_looked_for(text: bytes) -> None:
    with pytest.raises(BodyInvalid):
        read(b'[{"data":"%b\\ud83d"}]' % (text * (MAX_ESCAPES + 1)))


def test_what_is_wrong_is_said_though_the_body_is_large() -> None:
    with pytest.raises(BodyInvalid, match="not a Bayeux message"):
        read(b"[{},0,%b]" % b",".join([b"{}"] * 5_000))
    with pytest.raises(BodyInvalid, match="not JSON"):
        read(b"[{},x,%b]" % b",".join([b"{}"] * 5_000))
    with pytest.raises(BodyInvalid, match="not JSON"):
        read(b'[{"data":{%b,x}}]' % fields(10_000))


# --- Counted without reading ---


@pytest.mark.parametrize("limit", [0, 1, 100, 2_000, 2_001, 5_000])
def test_one_message_more_than_allowed_is_counted_before_they_are_read(limit: int) -> None:
    assert not has_more_messages(array(b"{}", limit), limit)
    assert has_more_messages(array(b"{}", limit + 1), limit)


@pytest.mark.parametrize("limit", [3, 3_000])
def test_what_is_no_array_of_messages_has_not_too_many(limit: int) -> None:
    assert not has_more_messages(b"{%b}" % b",".join([b'"a":{}'] * 4_000), limit)
    assert not has_more_messages(b"[{},0,%b]" % b",".join([b"{}"] * 4_000), limit)
    assert not has_more_messages(b"[%b" % b",".join([b"{"] * 4_000), limit)


def test_a_body_too_short_for_five_thousand_fields_is_not_counted() -> None:
    body = b'[{"ext":"%b"}]'
    colons = 25_000 - len(body) + 2
    assert has_many_fields(body % (b":" * colons))
    assert not has_many_fields(body % (b":" * (colons - 1)))


def test_five_thousand_fields_and_fifteen_for_each_message_are_not_many() -> None:
    rest = b",{}" * 9 + b" " * 25_000
    assert not has_many_fields(b"[{%b}%b]" % (fields(5_150), rest))
    assert has_many_fields(b"[{%b}%b]" % (fields(5_151), rest))


@pytest.mark.parametrize("escape", [rb"\ud83d", rb"\uD83D", rb"\\"])
def test_twenty_thousand_escapes_are_not_many(escape: bytes) -> None:
    assert not has_many_escapes(escape * 20_000)
    assert has_many_escapes(escape * 20_001)
