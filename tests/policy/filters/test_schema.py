"""``schema``: data that fits passes, a check ends in time, and nothing is fetched."""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mirant.policy.filters import Chain, Dropped
from mirant.policy.filters.schema import read
from tests.policy.filters.declaring import chain, fault_of, reason

CHAT = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["text"],
    "additionalProperties": False,
    "properties": {
        "text": {"type": "string", "maxLength": 5},
        "at": {"type": "string", "format": "date-time"},
        "price": {"type": "number", "maximum": 100},
        "count": {"type": "integer"},
        "reply": {"$ref": "#"},
    },
}


def of(base: Path, schema: Any) -> Chain:
    """Return the chain of a schema."""
    (base / "chat.json").write_text(json.dumps(schema))
    return chain({"schema": "chat.json"}, base=base)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"text":"hi"}',
        '{ "text": "ééé😀é" }'.encode(),
        b'{"text":"","price":1.10,"count":123456789012345678901234567890}',
        b'{"text":"","count":-0,"price":-1e300}',
        b'{"text":"","count":1e400,"price":-1e400}',
        b'{"text":"","count":%b}' % (b"9" * 5_000),
        b'{"text":"","at":"2026-01-02T03:04:05Z","reply":{"text":"","reply":{"text":""}}}',
    ],
)
def test_what_fits_is_untouched(tmp_path: Path, raw: bytes) -> None:
    assert of(tmp_path, CHAT)(raw) is raw


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b"null",
        b"{}",
        b'{"text":1}',
        b'{"text":"123456"}',
        b'{"text":"","more":1}',
        b'{"text":"","at":"yesterday"}',
        b'{"text":"","price":100.01}',
        b'{"text":"","price":1e400}',
        b'{"text":"","price":%b}' % (b"9" * 400),
        b'{"text":"","price":123456789012345678901234567890}',
        b'{"text":"","count":1.5}',
        b'{"text":"","reply":{"text":"","reply":{}}}',
    ],
)
def test_what_does_not_fit_is_dropped(tmp_path: Path, raw: bytes) -> None:
    assert reason(of(tmp_path, CHAT), raw) == "schema_mismatch"


def test_schemas_that_are_true_or_false(tmp_path: Path) -> None:
    assert of(tmp_path, True)(b"[1e400]") == b"[1e400]"
    assert reason(of(tmp_path, False), None) == "schema_mismatch"


@pytest.mark.parametrize(
    ("schema", "raw"),
    [
        ({"pattern": "^(a+)+$"}, b'"' + b"a" * 100_000 + b'!"'),
        ({"patternProperties": {"^(a+)+$": False}}, b'{"' + b"a" * 100_000 + b'!":1}'),
        ({"format": "email"}, b'"' + b"a." * 100_000 + b'"'),
        ({"format": "regex"}, b'"' + b"(" * 100_000 + b'"'),
        ({"uniqueItems": True}, json.dumps([[n] for n in range(50_000)]).encode()),
        ({"uniqueItems": True}, json.dumps([10**19 + 10_000 * n for n in range(40_000)]).encode()),
        ({"uniqueItems": True}, json.dumps([2**64 - n for n in range(40_000)]).encode()),
        ({"uniqueItems": True}, b"[" + b"1e400," * 100_000 + b"0]"),
        ({"multipleOf": 0.01}, b"9" * 100_000),
        ({"items": {"multipleOf": 0.01}}, b"[" + b"1e308," * 170_000 + b"0]"),
        ({"items": {"multipleOf": 0.01}}, b"[" + b"123456789.01," * 80_000 + b"0]"),
        ({"type": "integer"}, b"1e999999999"),
        ({"items": {"$ref": "#"}}, b"[" * 100 + b"]" * 100),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_hostile_data_is_done_soon(tmp_path: Path, schema: Any, raw: bytes) -> None:
    filters = of(tmp_path, schema)
    began = time.perf_counter()
    with suppress(Dropped):
        filters(raw)

    assert time.perf_counter() - began < 5  # a matter of milliseconds; the wrong way takes a minute or more


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "chat.json is not JSON: "),
        ("[" * 100_000, "chat.json is not JSON: "),
        ("[]", 'chat.json is not a schema: it should be an object, such as {"type": "object"}'),
        ('{"type": "strin"}', "chat.json is not a usable schema: at type: "),
        (
            '{"properties": {"a": {"pattern": "(?=a)b"}}}',
            'at properties.a.pattern: "(?=a)b" is not a "regex", or not of the kind that takes linear time',
        ),
        ('{"$ref": "http://127.0.0.1:9/x.json"}', "A $ref must stay within the file"),
        ('{"$ref": "file:///etc/hostname"}', "A $ref must stay within the file"),
        ('{"$ref": "other.json"}', "A $ref must stay within the file"),
        ('{"$ref": "#/$defs/missing"}', "Pointer '/$defs/missing' does not exist"),
    ],
)
def test_schemas_that_cannot_be(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "chat.json").write_text(content)
    (tmp_path / "other.json").write_text("{}")
    path, sentence = fault_of({"schema": "chat.json"}, tmp_path)

    assert path == ("schema",)
    assert said in sentence


def test_a_schema_beside_it_is_not_read_by_its_url_either(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("true")
    (tmp_path / "chat.json").write_text(json.dumps({"$ref": (tmp_path / "other.json").as_uri()}))
    _, sentence = fault_of({"schema": "chat.json"}, tmp_path)

    assert "A $ref must stay within the file" in sentence


def test_schemas_that_differ_in_the_order_of_their_keywords_are_equal(tmp_path: Path) -> None:
    one = read("a.json", (), written(tmp_path, '{"type": "string", "maxLength": 5}'))
    same = read("a.json", (), written(tmp_path, '{"maxLength": 5, "type": "string"}'))
    other = read("a.json", (), written(tmp_path, '{"maxLength": 6, "type": "string"}'))

    assert one == same
    assert one != other


def written(folder: Path, text: str) -> Path:
    """Write *text* into a.json in *folder*, which is returned."""
    (folder / "a.json").write_text(text)
    return folder


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path, sentence = fault_of({"schema": "chat.json"}, tmp_path)

    assert path == ("schema",)
    assert sentence == f"{tmp_path / 'chat.json'} cannot be read: No such file or directory"


@pytest.mark.parametrize("value", ["", 1, None, {"type": "object"}])
def test_a_path_that_is_none(value: object) -> None:
    path, sentence = fault_of({"schema": value})

    assert path == ("schema",)
    assert sentence == f'schema = {value!r} should be the path of a file, such as "chat.json"'


@pytest.mark.parametrize(
    ("number", "fits"),
    [
        ("9007199254740992", True),
        ("-9007199254740992", True),
        ("9007199254740994", False),
        ("-9007199254740994", False),
        ("1e308", False),
        ("3", False),
    ],
)
def test_numbers_beyond_those_that_are_exact_are_no_multiples(
    tmp_path: Path, number: str, *, fits: bool
) -> None:
    filters = of(tmp_path, {"properties": {"a": {"items": {"multipleOf": 2}}}})
    raw = f'{{"a": [{number}]}}'.encode()

    if fits:
        assert filters(raw) is raw
    else:
        assert reason(filters, raw) == "schema_mismatch"


def test_what_is_no_number_is_no_fault_beside_multiples(tmp_path: Path) -> None:
    filters = of(tmp_path, {"properties": {"a": {"multipleOf": 2}}})

    assert filters(b'{"a": 2, "b": "x", "c": null}') == b'{"a": 2, "b": "x", "c": null}'


@pytest.mark.parametrize("sign", ["", "-"])
def test_integers_beyond_64_bits_are_compared_as_doubles(tmp_path: Path, sign: str) -> None:
    filters = of(tmp_path, {"const": float(f"{sign}{2**63}")})
    raw, next_double = f"{sign}{2**63 + 1}".encode(), f"{sign}{2**63 + 2_048}".encode()

    assert filters(raw) is raw
    assert reason(filters, next_double) == "schema_mismatch"


def test_without_multiples_large_numbers_are_like_others(tmp_path: Path) -> None:
    assert of(tmp_path, {"minimum": 1e300})(b"1e308") == b"1e308"


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"$ref": "#"}, "#"),
        ({"allOf": [{"not": {"$ref": "#"}}]}, "#"),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
            "#/$defs/",
        ),
        ({"properties": {"a/b": {"$ref": "#/properties/a~1b"}}}, "#/properties/a~1b"),
    ],
)
def test_a_schema_that_comes_back_to_itself_is_none(tmp_path: Path, schema: Any, place: str) -> None:
    (tmp_path / "chat.json").write_text(json.dumps(schema))
    path, sentence = fault_of({"schema": "chat.json"}, base=tmp_path)

    assert path == ("schema",)
    assert sentence.startswith(f'chat.json is not a usable schema: "{place}')
    assert sentence.endswith('" refers to itself, so that no check would end')


def test_a_schema_of_a_tree_is_one(tmp_path: Path) -> None:
    tree = {
        "$ref": "#/$defs/node",
        "$defs": {"node": {"type": "object", "additionalProperties": {"$ref": "#"}}},
    }
    assert of(tmp_path, tree)(b'{"a":{"b":{}}}') == b'{"a":{"b":{}}}'
    assert reason(of(tmp_path, tree), b'{"a":{"b":1}}') == "schema_mismatch"


OBJECTS = [{"a": number} for number in range(2_000)]


@pytest.mark.parametrize(
    ("schema", "value", "most"),
    [
        ({"items": {"enum": OBJECTS}}, '{"a":1999}', 7),
        ({"items": {"anyOf": [{"const": each} for each in OBJECTS]}}, '{"a":1999}', 7),
        ({"items": {"enum": list(range(20))}}, "19", 3_332),
        ({"items": {"enum": [*map(str, range(1_000)), None]}}, '"999"', 1_940),
        ({"items": {"enum": [*range(66), *map(str, range(20))]}}, '"19"', 999),
    ],
    ids=["enum", "const", "numbers", "mixed", "exactly as much as it may take"],
)
def test_what_would_have_to_be_compared_too_often_is_dropped(
    tmp_path: Path, schema: Any, value: str, most: int
) -> None:
    filters = of(tmp_path, schema)
    few, many = (f"[{','.join([value] * count)}]".encode() for count in (most, most + 1))
    assert filters(few) is few
    assert reason(filters, many) == "too_many_values"
    assert reason(filters, f"[{','.join([value] * 60_000)}]".encode()) == "too_many_values"  # took 23 s


def test_lists_of_texts_are_looked_up_for_as_many_as_there_are(tmp_path: Path) -> None:
    raw = json.dumps(["w1999"] * 4_900).encode()
    assert of(tmp_path, {"items": {"enum": [f"w{n}" for n in range(2_000)]}})(raw) is raw


@pytest.mark.parametrize("schema", [{"uniqueItems": True}, {"properties": {"a": {"uniqueItems": True}}}])
def test_a_list_that_may_have_to_be_compared_pair_by_pair_is_dropped(tmp_path: Path, schema: Any) -> None:
    """Neighbouring integers beyond 2**58 have the same hash in the validator: 31,000 of them took 2.9 s."""
    filters = of(tmp_path, schema)
    few, many = (json.dumps({"a": [2**58 + n for n in range(size)]}).encode() for size in (2_000, 2_001))
    assert filters(few) is few
    assert reason(filters, many) == "too_many_values"


def test_a_long_list_is_no_fault_where_nothing_has_to_be_unique(tmp_path: Path) -> None:
    raw = json.dumps([2**58 + n for n in range(4_900)]).encode()
    assert of(tmp_path, {"uniqueItems": False})(raw) is raw


@pytest.mark.parametrize("word", ["anyOf", "oneOf"])
def test_alternatives_that_go_on_with_the_same_part_are_not_tried_again_and_again(
    tmp_path: Path, word: str
) -> None:
    """Two alternatives that both look at the same part would be 2**90 checks for 90 levels."""
    again = {"type": "object", "properties": {"next": {"$ref": "#"}}}
    filters = of(tmp_path, {word: [{**again, "required": ["x"]}, {**again, "required": ["y"]}, {"const": 1}]})
    value: Any = 0
    for _ in range(90):
        value = {"x": 1, "y": 1, "next": value}
    assert reason(filters, json.dumps(value).encode()) == "schema_mismatch"
