"""How deep a body is nested, whatever it is made of."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirant.bayeux.nesting import MAX_DEPTH, is_shallow


def depth_of(value: object) -> int:
    """Return how many levels of lists and objects *value* has."""
    parts = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if parts is None else 1 + max(map(depth_of, parts), default=0)


@pytest.mark.parametrize(("left", "right"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"[":', b"}]")])
def test_as_many_levels_as_allowed_are_shallow_and_one_more_is_not(left: bytes, right: bytes) -> None:
    levels = left.count(b"[") + left.count(b"{") - left.count(b'"[')
    times = MAX_DEPTH // levels
    assert is_shallow(left * times + b"0" + right * times)
    assert not is_shallow(b"[" + left * times + b"0" + right * times + b"]")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 300,
        b"]" * 200 + b"[" * 300,
        b'["' + b"[" * 200,  # a text that does not end
        b"[[]]" * 200 + b"[",
    ],
)
def test_brackets_that_are_not_closed_are_never_shallow(body: bytes) -> None:
    assert not is_shallow(body)


def test_side_by_side_is_not_deep() -> None:
    deep = b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1)
    assert is_shallow(b"[" + b",".join([deep] * 5_000) + b"]")


def test_bytes_that_are_no_text_and_ends_of_lines_count_for_nothing() -> None:
    assert is_shallow(b"[" + b'"\xff\n\x00\\\n",[],' * 200 + b"0]")


@given(
    st.recursive(
        st.text(alphabet='[]{}"\\é,', max_size=6),
        lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts),
    ),
    st.integers(0, MAX_DEPTH),
)
def test_whatever_is_nested_is_counted(value: object, around: int) -> None:
    padding = ["[" * 2 * MAX_DEPTH] * MAX_DEPTH  # so that the brackets are not too few to be counted
    for _ in range(around):
        value = [value]
    whole = [value, padding, *([] for _ in range(MAX_DEPTH))]
    assert is_shallow(json.dumps(whole, ensure_ascii=False).encode()) == (depth_of(whole) <= MAX_DEPTH)
