"""Rewriting all strings of a value: what changes, and that the rest stays the same object."""

from typing import Any

import pytest

from mirant.policy.filters.contract import Dropped
from mirant.policy.filters.strings import rewrite, unchanged


def test_every_string_is_changed_and_every_key_renamed() -> None:
    value = {"a": ["b", 1, None, True], "c": {"d": "e"}}

    assert rewrite(value, str.upper, unchanged) == {"a": ["B", 1, None, True], "c": {"d": "E"}}
    assert rewrite(value, unchanged, str.upper) == {"A": ["b", 1, None, True], "C": {"D": "e"}}
    assert value == {"a": ["b", 1, None, True], "c": {"d": "e"}}


@pytest.mark.parametrize("value", [{"A": ["B", {"C": "D"}]}, "A", [], {}, 7, None])
def test_a_value_without_a_change_is_the_same_object(value: Any) -> None:
    assert rewrite(value, str.upper, str.upper) is value


def test_a_part_without_a_change_is_the_same_object() -> None:
    value = {"a": ["B"], "c": "d"}
    assert rewrite(value, str.upper, unchanged)["a"] is value["a"]


def test_two_keys_that_become_equal_drop_the_message() -> None:
    with pytest.raises(Dropped, match="duplicate_key"):
        rewrite([{"a": 1, "A": 2}], unchanged, str.upper)
