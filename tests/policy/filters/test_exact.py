"""JSON to values and back: nothing is lost, and nothing hides."""

import copy
import json
import math

import pytest
from hypothesis import given

from mirant.policy.filters.contract import Dropped
from mirant.policy.filters.exact import Number, decode, encode
from tests.policy.filters.declaring import JSON, examples, spelt


@examples
@given(JSON)
def test_what_is_read_and_written_says_the_same(raw: bytes) -> None:
    assert spelt(encode(decode(raw))) == spelt(raw)


@pytest.mark.parametrize(
    "text",
    [
        "1.10",
        "1e400",
        "-1E-400",
        "-0",
        "-0.0",
        "0",
        "123456789012345678901234567890",
        "9" * 4_300,
        "9" * 4_301,
        "9" * 5_000,
        "-" + "9" * 5_000,
        "1" * 5_000 + ".5",
    ],
)
@pytest.mark.parametrize("form", ["%s", "[%s]", '{"a": %s}', '{"a":%s,"b":"-0"}'])
def test_numbers_keep_their_spelling(text: str, form: str) -> None:
    raw = (form % text).encode()

    assert spelt(encode(decode(raw))) == spelt(raw)


def test_numbers_are_numbers() -> None:
    number = decode(b"1.10")

    assert isinstance(number, float)
    assert number == 1.1
    assert number + 1 == 2.1
    assert math.isinf(decode(b"1e400"))
    assert decode(b"123456789012345678901234567890") == 123456789012345678901234567890
    assert encode(copy.deepcopy([number])) == b"[1.10]"


def test_an_integer_is_one_up_to_the_digits_that_python_converts() -> None:
    _, *integers = decode(b"[-0,%b,%b]" % (b"9" * 4_300, b"9" * 4_301))  # -0 is read carefully
    assert [type(each) for each in integers] == [int, Number]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":"<b>","a":"x"}',
        b'{"a":1,"\\u0061":2}',
        b'{"x":[{"a":1,"b":{"c":1,"c":1}}]}',
        b'{"a":1.5,"a":2}',
        b'{"":1,"":2}',
        # An escaped colon must not stand in for the one that is lost.
        b'{"a":"\\u003a","a":"x"}',
        b'{"a":"x","a":"\\u003A"}',
        b'{"a":"x","a":"\\u003a"}',
        b'{"a":-0,"a":-0}',
    ],
)
def test_a_key_that_is_there_twice_is_refused(raw: bytes) -> None:
    with pytest.raises(Dropped, match=r"^duplicate_key$"):
        decode(raw)


@pytest.mark.parametrize(
    "raw",
    [b'{"a:b":"c:d","e":":"}', b'{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}', b'{"a":1,"A":2,"\xc3\xa1":3}'],
)
def test_keys_that_only_seem_to_be_there_twice(raw: bytes) -> None:
    assert json.loads(encode(decode(raw))) == json.loads(raw)


@pytest.mark.parametrize("raw", [b"", b"{", b"nul", b'"\xff"', b'"\\ud800"', b"[1,]", b"[-0,NaN]", b"\xff-0"])
def test_what_is_not_json_is_refused(raw: bytes) -> None:
    with pytest.raises(Dropped, match=r"^not_json$"):
        decode(raw)


@pytest.mark.parametrize("number", [b"1", b"-0"])
def test_what_is_too_deep_is_refused(number: bytes) -> None:
    with pytest.raises(Dropped, match=r"^too_deep$"):
        decode(b"[" * 100_000 + number + b"]" * 100_000)


@pytest.mark.timeout(5)  # in quadratic time it would be minutes
@pytest.mark.parametrize(
    "raw",
    [b"[" + b'{"a":-0},' * 50_000 + b"0]", b"9" * 1_000_000, b'{"' + b":" * 1_000_000 + b'":1}'],
    ids=["zeros", "digits", "colons"],
)
def test_hostile_json_is_read_and_written_like_other_json(raw: bytes) -> None:
    assert encode(decode(raw)) == raw


def test_what_has_no_json_form_is_said() -> None:
    with pytest.raises(TypeError, match="object has no JSON form"):
        encode(object())


def test_numbers_of_an_application_are_written_as_usual() -> None:
    assert encode({"a": 1.5, "b": Number("2.50")}) == b'{"a":1.5,"b":2.50}'
