"""From the bytes of a body to messages (Bayeux 1.0, section 3)."""

from typing import Any

import pytest
from msgspec import Raw

from mirant.bayeux.codec import BodyInvalid, BodyTooLarge, decode
from mirant.bayeux.messages import MAX_ID, Message
from mirant.bayeux.nesting import MAX_DEPTH


def read(body: bytes, **limits: int) -> list[Message]:
    return decode(body, **{"max_size": 1_000_000, "max_batch": 100, **limits})


def read_one(body: bytes) -> Message:
    [message] = read(body)
    return message


def test_a_body_is_an_array_of_messages() -> None:
    first, second = read(b'[{"channel":"/a","data":1},{"channel":"/b","data":2}]')
    assert (first.channel, bytes(first.data)) == ("/a", b"1")
    assert (second.channel, bytes(second.data)) == ("/b", b"2")


@pytest.mark.parametrize(
    "body", [b'{"channel":"/a"}', b' \r\n{"channel":"/a"}\n', b' [ {"channel" : "/a"} ] ']
)
def test_a_single_object_and_blanks_around_are_taken_too(body: bytes) -> None:
    assert read_one(body).channel == "/a"


def test_all_fields_of_the_protocol_are_read() -> None:
    message = read_one(
        b'{"channel":"/meta/connect","id":"7","clientId":"c","data":{"a":1},"ext":{"x":[1]},'
        b'"advice":{"timeout":0,"interval":1.5},"subscription":["/a"],"timestamp":"now",'
        b'"connectionType":"websocket","version":"1.0","minimumVersion":"0.9",'
        b'"supportedConnectionTypes":["websocket"]}'
    )
    assert message.fault is None
    assert dict(message.extra) == {}
    assert (message.channel, message.id, message.client_id) == ("/meta/connect", "7", "c")
    assert message.advice is not None
    assert (message.advice.timeout, message.advice.interval) == (0, 1.5)
    assert message.ext is not None
    assert bytes(message.ext["x"]) == b"[1]"
    assert bytes(message.subscription) == b'["/a"]'
    assert bytes(message.timestamp) == b'"now"'


def test_what_is_absent_is_none_or_empty() -> None:
    message = read_one(b"{}")
    assert (message.channel, message.id, message.client_id, message.ext, message.advice) == (None,) * 5
    assert not message.data
    assert not message.subscription
    assert message.fault is None


def test_data_that_is_null_is_not_absent() -> None:
    assert bytes(read_one(b'{"data":null}').data) == b"null"


def test_fields_that_bayeux_does_not_know_are_kept_as_they_are() -> None:
    message = read_one(b'{"channel":"/a","priority":1.50,"data":0,"tags":[ "x" ]}')
    assert {name: bytes(raw) for name, raw in message.extra.items()} == {
        "priority": b"1.50",
        "tags": b'[ "x" ]',
    }
    assert message.fault is None


@pytest.mark.parametrize("name", ["odd_fields", "odd_fault", "client_id", "reply_id", ""])
def test_a_field_named_like_an_attribute_of_ours_is_the_applications(name: str) -> None:
    message = read_one(b'{"%b":1,"data":2}' % name.encode())
    assert list(message.extra) == [name]
    assert message.fault is None
    assert message.client_id is None


@pytest.mark.parametrize(
    "data",
    [
        b"1.50",
        b"-0",
        b"1E400",
        b"12345678901234567890123456789",
        b"[ 1,\t2 ]",
        b'"\\u00e9\\/"',
        '"é"'.encode(),
        b'{"b":1,"a":2,"b":3}',
    ],
)
@pytest.mark.parametrize("extra", [b"", b',"mine":1'])
def test_data_keeps_its_spelling(data: bytes, extra: bytes) -> None:
    assert bytes(read_one(b'{"data":%b%b}' % (data, extra)).data) == data


@pytest.mark.parametrize("extra", [b"", b',"mine":1'])
def test_of_a_field_given_twice_the_last_counts(extra: bytes) -> None:
    message = read_one(b'{"channel":"/a","data":1,"channel":"/b","data":2%b}' % extra)
    assert (message.channel, bytes(message.data)) == ("/b", b"2")


@pytest.mark.parametrize(
    ("given", "echoed"),
    [
        (b'"7"', "7"),
        (b"7", "7"),
        (b"0", "0"),
        (b"-1", "-1"),
        (b'""', ""),
        (b"null", None),
        (b'"a-b_c"', "a-b_c"),
        (b"123456789012345678901234567890", "123456789012345678901234567890"),
        (b"1.5", "1.5"),
        (b"1.0", "1.0"),
        (b"-1.25E-7", "-1.25E-7"),
        (b"1e+21", "1e+21"),
        (b"1E400", "1E400"),
        (b"9" * MAX_ID, "9" * MAX_ID),
    ],
)
def test_an_id_is_echoed_as_a_string(given: bytes, echoed: str | None) -> None:
    assert read_one(b'{"id":%b}' % given).reply_id == echoed


@pytest.mark.parametrize(
    ("field", "error"),
    [
        (b'"channel":1', "405::channel_invalid"),
        (b'"channel":["/a"]', "405::channel_invalid"),
        (b'"id":true', "405::message_id_invalid"),
        (b'"id":{}', "405::message_id_invalid"),
        (b'"id":' + b"1" * 5_000, "405::message_id_invalid"),
        (b'"ext":[]', "400:ext:field_invalid"),
        (b'"ext":1', "400:ext:field_invalid"),
        (b'"advice":"none"', "400:advice:field_invalid"),
        (b'"advice":{"timeout":"0"}', "400:advice:field_invalid"),
        (b'"advice":{"interval":1e400}', "400:advice:field_invalid"),
    ],
)
def test_a_field_of_the_wrong_type_spoils_its_own_message_only(field: bytes, error: str) -> None:
    sound, faulty = read(b'[{"channel":"/a"},{"data":1,%b}]' % field)
    assert sound.fault is None
    assert faulty.fault is not None
    kind, argument = faulty.fault
    assert kind.wire(argument) == error
    assert bytes(faulty.data) == b"1"


def test_of_several_faults_the_first_is_told() -> None:
    message = read_one(b'{"advice":1,"ext":1}')
    assert message.fault is not None
    assert message.fault[1] == "advice"


def test_a_client_id_of_the_wrong_type_is_none() -> None:
    message = read_one(b'{"clientId":5}')
    assert (message.client_id, message.fault) == (None, None)


@pytest.mark.parametrize("name", ["channel", "id", "clientId", "ext", "advice"])
@pytest.mark.parametrize("extra", [b"", b',"mine":1'])
def test_a_field_that_is_null_counts_as_absent(name: str, extra: bytes) -> None:
    message = read_one(b'{"%b":null%b}' % (name.encode(), extra))
    assert message.fault is None
    assert (message.channel, message.id, message.client_id, message.ext, message.advice) == (None,) * 5


def test_the_advice_of_a_client_may_have_fields_we_do_not_know() -> None:
    advice = read_one(b'{"advice":{"reconnect":"retry","timeout":5}}').advice
    assert advice is not None
    assert (advice.timeout, advice.interval) == (5, None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"true",
        b"1",
        b'"text"',
        b"[1]",
        b"[null]",
        b"[[]]",
        b"[{},1]",
        b'[{"channel":1},"x"]',
        b"{",
        b"[{}",
        b"[{}]]",
        b"[{},]",
        b"{}{}",
        b"{'a':1}",
        b"hello",
        b"\x00",
    ],
)
def test_what_is_no_array_of_objects_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(BodyInvalid):
        read(body)


@pytest.mark.parametrize(
    "data",
    [
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"01",
        b"1.",
        b".5",
        b"+1",
        b"tru",
        b"'x'",
        b'"\t"',
        b'"\\x"',
        b"[1,]",
    ],
)
@pytest.mark.parametrize("extra", [b"", b',"mine":1'])
def test_data_that_is_no_json_is_refused_though_it_is_not_decoded(data: bytes, extra: bytes) -> None:
    with pytest.raises(BodyInvalid, match="not JSON"):
        read(b'[{"channel":"/a","data":%b%b}]' % (data, extra))


@pytest.mark.parametrize("text", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf5\x80\x80\x80"])
def test_text_that_is_not_utf8_is_refused(text: bytes) -> None:
    with pytest.raises(BodyInvalid, match="not UTF-8"):
        read(b'[{"channel":"/a","data":"%b"}]' % text)


@pytest.mark.parametrize("body", [b"[]", b"[ ]", b" [\r\n]\t"])
def test_an_empty_array_has_no_messages(body: bytes) -> None:
    assert read(body) == []


@pytest.mark.parametrize("body", [b"", b" ", b"[", b"[,]", b"[[]]", b"[null]"])
def test_what_is_nearly_an_empty_array_is_refused(body: bytes) -> None:
    with pytest.raises(BodyInvalid):
        read(body)


@pytest.mark.parametrize("given", [b"true", b"false", b"{}", b'{"a":[1]}', b"[]", b"[1.5]", b"9" * 5_000])
def test_what_is_not_an_id_is_kept_for_the_refusal(given: bytes) -> None:
    message = read_one(b'{"id":%b}' % given)
    assert message.fault is not None
    assert isinstance(message.reply_id, Raw)
    assert bytes(message.reply_id) == given


def test_a_body_may_have_as_many_bytes_as_allowed_and_no_more() -> None:
    body = b'[{"data":"xyz"}]'
    assert len(read(body, max_size=len(body))) == 1
    with pytest.raises(BodyTooLarge, match=f"{len(body)} bytes; the limit is {len(body) - 1}"):
        read(body, max_size=len(body) - 1)


def test_a_body_may_have_as_many_messages_as_allowed_and_no_more() -> None:
    assert len(read(b"[{},{},{}]", max_batch=3)) == 3
    with pytest.raises(BodyTooLarge, match="4 messages; the limit is 3"):
        read(b"[{},{},{},{}]", max_batch=3)


def nested(depth: int) -> bytes:
    """Return a body nested *depth* levels: its array, its message and so many lists."""
    inside = depth - 2
    return b'[{"data":' + b"[" * inside + b"]" * inside + b"}]"


def test_a_body_may_be_nested_as_deep_as_allowed_and_no_deeper() -> None:
    assert len(read(nested(MAX_DEPTH))) == 1
    with pytest.raises(BodyInvalid, match=f"deeper than {MAX_DEPTH}"):
        read(nested(MAX_DEPTH + 1))


def test_very_deep_bodies_are_refused_like_deep_ones() -> None:
    with pytest.raises(BodyInvalid, match="deeper"):
        read(nested(400_000))


@pytest.mark.parametrize("text", [r"[" * 200, r"\"" + "{" * 200, r"\\\"" + "[" * 200, r"[\\[" * 99 + r"\\"])
def test_brackets_inside_of_strings_do_not_count_as_depth(text: str) -> None:
    assert len(read(b'[{"data":"%b","x":[]}]' % text.encode())) == 1


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert len(read(b'[{"data":[%b]}]' % b",".join([b"[{}]"] * 1_000))) == 1


@pytest.mark.parametrize("where", ["ext", "mine", "subscription"])
def test_depth_counts_in_every_field(where: str) -> None:
    deep = b"[" * 100 + b"]" * 100
    value: Any = b'{"a":%b}' % deep if where == "ext" else deep
    with pytest.raises(BodyInvalid, match="deeper"):
        read(b'[{"%b":%b}]' % (where.encode(), value))


@pytest.mark.parametrize("text", [rb'"\\"', rb'"a\\\\"', rb'"\"\\"'])
def test_a_string_that_ends_in_a_backslash_hides_no_brackets_behind_it(text: bytes) -> None:
    """The backslash is escaped, so the quote behind it ends the string, and the brackets count."""

    def body(depth: int) -> bytes:
        inside = depth - 3  # the body, the message and the list around
        return b'[{"data":[%b,%b%b]}]' % (text, b"[" * inside, b"]" * inside)

    assert len(read(body(MAX_DEPTH))) == 1
    with pytest.raises(BodyInvalid, match=f"deeper than {MAX_DEPTH}"):
        read(body(MAX_DEPTH + 1))


@pytest.mark.parametrize(
    ("sent", "read_as"),
    [
        (rb'"\ud800"', rb'"\ufffd"'),
        (rb'"\udc00"', rb'"\ufffd"'),
        (rb'"\uD83D"', rb'"\ufffd"'),
        (rb'"\ud83d\ud83d\ude00"', rb'"\ufffd\ud83d\ude00"'),
        (rb'"\ude00\ud83d"', rb'"\ufffd\ufffd"'),
        (rb'"\\ud800"', rb'"\\ud800"'),
        (rb'"\\\ud800"', rb'"\\\ufffd"'),
        (rb'{"\ud800":1}', rb'{"\ufffd":1}'),
    ],
)
def test_half_a_surrogate_pair_is_replaced_and_the_rest_is_as_it_came(sent: bytes, read_as: bytes) -> None:
    """JavaScript can cut a character in two, and the rest of such a body is sound."""
    [message] = read(b'[{"channel":"/a","data":%b,"mine":%b}]' % (sent, sent))

    assert bytes(message.data) == read_as
    assert bytes(message.extra["mine"]) == read_as


def test_half_a_surrogate_pair_in_a_field_of_the_protocol_is_replaced() -> None:
    [message] = read(rb'[{"channel":"/a","id":"\ud800","ext":{"\udc00":1}}]')

    assert message.id == "\ufffd"
    assert message.ext is not None
    assert list(message.ext) == ["\ufffd"]
