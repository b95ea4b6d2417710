"""The lines of a JSON text, and keys that are there twice."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mirant.options.declaring import KeyPath
from mirant.policy.json_positions import survey

TEXT = """
[
  { "a": 1,
    "b": ["x,{", [], {"c":
      null}] },
  true, "\\"]",
  {"a\\u0062": {}, "a":
 1, "ab": 2}
]
"""


def test_what_is_there_has_its_line() -> None:
    assert survey(TEXT).lines == {
        (): 2,
        (0,): 3,
        (0, "a"): 3,
        (0, "b"): 4,
        (0, "b", 0): 4,
        (0, "b", 1): 4,
        (0, "b", 2): 4,
        (0, "b", 2, "c"): 4,
        (1,): 6,
        (2,): 6,
        (3,): 7,
        (3, "ab"): 7,
        (3, "a"): 7,
    }


def test_a_text_begins_in_line_one() -> None:
    assert survey('{"a":\n1}').lines == {(): 1, ("a",): 1}


def test_a_key_that_is_there_twice_has_the_line_of_the_second() -> None:
    assert survey(TEXT).repeated == [((3, "ab"), 8)]


def test_what_is_nested_deep_takes_little() -> None:
    found = survey("[" * 900 + "]" * 900)
    assert max(map(len, found.lines)) == 8


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


def paths(value: Any, path: KeyPath = ()) -> list[KeyPath]:
    """Return where there is something in *value*."""
    steps: list[tuple[str | int, Any]] = []
    if isinstance(value, list):
        steps = list(enumerate(value))
    elif isinstance(value, dict):
        steps = list(value.items())
    return [path, *(found for step, inner in steps for found in paths(inner, (*path, step)))]


@given(JSON, st.sampled_from([None, 0, 2]))
def test_all_that_there_is_has_a_line(value: Any, indent: int | None) -> None:
    found = survey(json.dumps(value, indent=indent, ensure_ascii=indent is None))
    assert found.repeated == []
    assert set(found.lines) == {path[:8] for path in paths(value)}
