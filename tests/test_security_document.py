"""docs/security.md names the test that proves each of its points; every one of them is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/security.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))

#: Sections that only say what is left to the operator, or sum up.
WITHOUT_TESTS = {"Testing"}


@cache
def names_in(path: Path) -> frozenset[str]:
    """Return the names of the tests in the file at *path*."""
    tree = ast.parse(path.read_text("utf-8"))
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(function.name for function in functions if function.name.startswith("test_"))


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_a_test_that_is_named_exists(path: str, name: str) -> None:
    assert name in names_in(ROOT / path)


def test_every_mention_of_a_test_is_understood() -> None:
    mentioned = set(re.findall(r"tests/[^`\s,]+", PAGE))
    assert mentioned == {f"{path}::{name}" for path, name in NAMED}


def test_every_section_has_a_proof() -> None:
    sections = re.split(r"^##+ ", PAGE, flags=re.MULTILINE)[1:]
    for section in sections:
        title, _, text = section.partition("\n")
        if text.strip() and title not in WITHOUT_TESTS:
            assert "Proved by `tests/" in text, title
