"""``no-markup``: the result has no ``<`` and no ``>``, for any data."""

import json
from typing import Any

import pytest
from hypothesis import given

from tests.policy.filters.declaring import JSON, chain, examples, left_or_reason, reason, run

NO_MARKUP = chain("no-markup")


def texts(value: Any) -> list[str]:
    """Return all strings and keys in *value*."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in (key, *texts(item))]
    return []


@examples
@given(JSON)
def test_nothing_leaves_that_looks_like_a_tag(raw: bytes) -> None:
    left = left_or_reason(NO_MARKUP, raw)
    if isinstance(left, str):
        assert left == "duplicate_key"
        return
    assert not any(mark in text for text in texts(json.loads(left)) for mark in "<>")
    assert b"<" not in left
    assert b">" not in left
    assert NO_MARKUP(left) is left


def test_it_reads_as_it_was_written() -> None:
    assert run(NO_MARKUP, "1 < 2 & <b>2 > 1</b>") == "1 &lt; 2 & &lt;b&gt;2 &gt; 1&lt;/b&gt;"


@pytest.mark.parametrize(
    "raw",
    [b'"\\u003cb\\u003e"', b'"\\u003Cb\\u003E"', b'["<b>"]', b'{"<b>":1}', b'{"a":{"b":[{"<b>":"x"}]}}'],
)
def test_it_looks_behind_escapes_and_everywhere(raw: bytes) -> None:
    assert b"&lt;b&gt;" in NO_MARKUP(raw)


def test_keys_that_become_equal_drop_the_message() -> None:
    assert reason(NO_MARKUP, {"<": 1, "&lt;": 2}) == "duplicate_key"


def test_text_that_only_looks_alike_stays() -> None:
    assert (
        run(NO_MARKUP, "\uff1cb\uff1e \u2039b\u203a &#60;b&#62;") == "\uff1cb\uff1e \u2039b\u203a &#60;b&#62;"
    )
