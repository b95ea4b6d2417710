"""Laws of finding lines: however a file is spelt, each of its keys has its line."""

import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mirant.policy.positions import positions
from tests.properties.toml_documents import Document, Path, documents

PIECES = ["[", "]", "{", "}", '"', "'", '"""', "'''", "=", ".", ",", "#", "\n", "\r\n", " ", "\\", "a", "1"]


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Give the paths of all that is in *value*."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from paths(inner, (*path, key))


@given(documents(), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\ufeff"]))
def test_every_path_has_the_line_in_which_it_was_written(
    document: Document, line_end: str, mark: str
) -> None:
    text = document.text.replace("\n", line_end)
    assert tomllib.loads(text) == document.data, "the strategy writes something else than it should"

    found = positions(mark + text)

    assert found == document.lines
    assert set(found) == set(paths(document.data))


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_a_text_is_walked_through_or_refused_and_each_path_in_it_is_found(text: str) -> None:
    try:
        found = positions(text)
    except ValueError:
        found = None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert found is not None
    assert set(found) == set(paths(data))
