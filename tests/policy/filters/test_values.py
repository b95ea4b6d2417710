"""How many values a message may have where filters look at each of them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirant.policy.filters import Chain
from mirant.policy.filters.contract import Dropped
from mirant.policy.filters.markup import NoMarkup
from mirant.policy.filters.values import MAX_VALUES, has_many_values


def array(value: bytes, count: int) -> bytes:
    return b"[%b]" % b",".join([value] * count)


def test_as_many_values_as_allowed_pass_and_one_more_does_not() -> None:
    assert not has_many_values(array(b"0", MAX_VALUES - 1))  # the list itself counts as two, with its first
    assert has_many_values(array(b"0", MAX_VALUES))


@pytest.mark.parametrize("value", [b"[]", b"{}", b"0", b'""', b'{"":0}', b"[[[]]]", b'"a,b"', b'"\\""'])
def test_a_mebibyte_of_small_values_is_too_much(value: bytes) -> None:
    assert has_many_values(array(value, 1_000_000 // (len(value) + 1)))


@pytest.mark.parametrize("char", [",", "[", "{", '\\"', "\\\\", '\\\\\\"', "[,"])
def test_what_is_inside_of_a_text_does_not_count(char: str) -> None:
    assert not has_many_values(b'{"text":"%b","next":"%b"}' % ((char * 100_000).encode(), b","))


def test_a_chain_drops_the_message_before_it_decodes_it() -> None:
    with pytest.raises(Dropped, match="too_many_values"):
        Chain([NoMarkup()])(b"[" + b"[]," * MAX_VALUES + b"this is not JSON")


def count(value: object) -> int:
    """Return how many values there are in *value*."""
    parts = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return 1 + sum(map(count, parts))


@given(
    st.recursive(
        st.text(alphabet='[]{},"\\é', max_size=5),
        lambda parts: st.lists(parts, max_size=5) | st.dictionaries(st.text(max_size=3), parts, max_size=5),
        max_leaves=30,
    ),
    st.integers(0, 400),
)
def test_every_value_counts_once_or_twice(value: object, times: int) -> None:
    whole = [value] * times
    many = has_many_values(json.dumps(whole, ensure_ascii=False).encode())
    if many:
        assert 2 * count(whole) > MAX_VALUES
    else:
        assert count(whole) <= MAX_VALUES
