"""The examples of `docs/testing.md` are tests, and they pass."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import mirant.testing
from mirant.testing import World

PAGE = Path(__file__).parents[2] / "docs/testing.md"

RULES = """\
[[channel]]
match = "/chat/*"
create = "role:member"
publish = "role:member"
"""


def examples() -> Iterator[Any]:
    """Give the tests in the code that the page shows."""
    for code in re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE):
        names: dict[str, Any] = {}
        exec(compile(code, str(PAGE), "exec"), names)
        yield from (pytest.param(value, id=name) for name, value in names.items() if name.startswith("test_"))


@pytest.mark.parametrize("example", list(examples()))
def test_an_example_passes(
    example: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mirant.toml").write_text(RULES)
    monkeypatch.chdir(tmp_path)
    example()


def test_the_page_has_examples() -> None:
    assert len(list(examples())) == 5


def test_what_the_page_names_of_a_world_is_there() -> None:
    named = set(re.findall(r"`world\.(\w+)", PAGE.read_text("utf-8")))
    assert {"advance", "failures", "is_empty", "socket"} <= named
    assert [name for name in named if not hasattr(World(), name)] == []


@pytest.mark.parametrize("name", mirant.testing.__all__)
def test_a_public_class_or_function_says_what_it_is(name: str) -> None:
    value = getattr(mirant.testing, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert value.__module__.startswith("mirant.testing.")
        assert value.__doc__
