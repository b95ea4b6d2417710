"""Chains: filters in their order, and nothing touched that no filter is about."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirant.policy.filters import Chain
from tests.policy.filters.declaring import JSON, chain, examples, left_or_reason, reason, run, spelt

# Each of these is about something that the JSON below does not have.
IDLE: list[Any] = [
    "no-markup",
    "no-scripts",
    "sanitize",
    {"sanitize": {"tags": []}},
    {"regex": [["teh ", "the "], "casino"]},
    {"size": "64KiB"},
    {"schema": "anything.json"},
    {"drop-fields": ["html", "user.password"]},
    {"custom": "copy:copy"},
]
STRANGE = (
    '{ "n": [1.10, 1e400, -0, 123456789012345678901234567890, 0.1E-7, 1e+2],\n'
    ' "__proto__": {"constructor": null}, "": "", " ": [[], {}, [{}]],'
    ' "\u00e9\u2028\U0001f600": "\\ud83d\\ude00\\u0000",'
    ' "deep": ' + "[" * 90 + '"here"' + "]" * 90 + ', "' + "k" * 10_000 + '": true}'
).encode()


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Give a folder with a schema that anything fits."""
    (tmp_path / "anything.json").write_text("{}")
    return tmp_path


@pytest.mark.parametrize("declared", IDLE, ids=str)
@pytest.mark.parametrize("raw", [STRANGE, b"1.10", b'"text"', b" null ", b"[]", b'{"a": 1}'], ids=len)
def test_what_no_filter_changes_is_the_same_object(declared: object, raw: bytes, base: Path) -> None:
    assert chain(declared, base=base)(raw) is raw


def test_so_it_is_with_all_of_them(base: Path) -> None:
    assert chain(*IDLE, base=base)(STRANGE) is STRANGE


def test_what_one_filter_changes_is_otherwise_the_same(base: Path) -> None:
    raw = b'{"text":"<b>","rest":' + STRANGE + b"}"

    left = chain("no-markup", *IDLE[3:], base=base)(raw)

    assert spelt(left) == spelt(raw.replace(b"<b>", b"&lt;b&gt;"))


@examples
@given(JSON)
def test_only_text_changes(raw: bytes) -> None:
    left = left_or_reason(chain({"regex": [["[<>&;]", ""]]}), raw)

    if isinstance(left, str):
        assert left == "duplicate_key"
    else:
        assert spelt(left) == _without_marks(spelt(raw))


def _without_marks(value: Any) -> Any:
    if isinstance(value, str):
        return value.translate(dict.fromkeys(map(ord, "<>&;")))
    if isinstance(value, list | tuple):
        return type(value)(map(_without_marks, value))
    return value


def test_filters_run_in_their_order() -> None:
    first = {"regex": [["a", "b"]]}
    second = {"regex": [["b", "c"]]}

    assert run(chain(first, second), "a") == "c"
    assert run(chain(second, first), "a") == "b"


def test_the_first_that_refuses_ends_it() -> None:
    assert reason(chain({"regex": ["x"]}, {"size": 1}), "xx") == "forbidden_text"
    assert reason(chain({"size": 1}, {"regex": ["x"]}), "xx") == "too_large"


def test_a_chain_without_filters_looks_at_nothing() -> None:
    raw = b"not even JSON"

    assert Chain([])(raw) is raw


@pytest.mark.parametrize(
    "declared", ["no-markup", "sanitize", {"regex": ["x"]}, {"drop-fields": ["x"]}], ids=str
)
def test_a_key_twice_hides_nothing(declared: object) -> None:
    assert reason(chain(declared), b'{"a":"<script>","a":"fine"}') == "duplicate_key"


@pytest.mark.parametrize("declared", ["no-markup", {"drop-fields": ["x"]}, {"custom": "copy:copy"}], ids=str)
@pytest.mark.parametrize("depth", [300, 600, 900, 4_900])
def test_what_is_too_deep_does_no_harm(declared: object, depth: int) -> None:
    raw = b"[" * depth + b"]" * depth

    assert left_or_reason(chain(declared), raw) in (raw, "too_deep")


@examples
@given(
    st.binary(max_size=40) | st.text(st.sampled_from('[]{}",:\\u003c-0e.tfn <'), max_size=40).map(str.encode)
)
def test_bytes_are_filtered_or_dropped(raw: bytes) -> None:
    left = left_or_reason(chain("no-markup", {"regex": ["x"]}, {"drop-fields": ["a"]}), raw)

    if isinstance(left, str):
        assert left in ("not_json", "duplicate_key", "forbidden_text")
    else:
        json.loads(left)
