"""Pages that promise something name the tests that prove it; every one of these is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = {name: (ROOT / "docs" / name).read_text("utf-8") for name in ("guarantees.md", "security.md")}
NAMED = sorted(
    {found for page in PAGES.values() for found in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)}
)

#: Sections that only sum up, and the table of proofs itself.
WITHOUT_TESTS = {"Testing", "Proofs"}


@cache
def names_in(path: Path) -> frozenset[str]:
    """Return the names of the tests in the file at *path*, in Python or in JavaScript."""
    text = path.read_text("utf-8")
    if path.suffix == ".js":
        return frozenset(re.findall(r'^test\("(.*?)", ', text, flags=re.MULTILINE))
    return frozenset(name for name in _top_level(ast.parse(text)) if name.lower().startswith("test"))


def _top_level(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id  # such as a state machine's test case


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_a_test_that_is_named_exists(path: str, name: str) -> None:
    assert name in names_in(ROOT / path)


def test_a_test_of_javascript_that_is_named_exists() -> None:
    page = " ".join(PAGES["guarantees.md"].split())
    named = re.findall(r'`(tests/[\w/.]+\.js)`: "(.*?)"', page)
    assert named
    for path, name in named:
        assert name in names_in(ROOT / path)


@pytest.mark.parametrize("page", PAGES)
def test_every_mention_of_a_test_is_understood(page: str) -> None:
    mentioned = set(re.findall(r"tests/[^`\s,]+\.py[^`\s,]*", PAGES[page]))
    assert mentioned
    assert mentioned <= {f"{path}::{name}" for path, name in NAMED}


def test_every_section_on_security_has_a_proof() -> None:
    sections = re.split(r"^##+ ", PAGES["security.md"], flags=re.MULTILINE)[1:]
    titles = [title for title, _, text in (each.partition("\n") for each in sections) if text.strip()]
    proved = re.findall(r"^\| (.+?) \| `tests/", PAGES["security.md"], flags=re.MULTILINE)
    assert proved == [title for title in titles if title not in WITHOUT_TESTS]


def test_every_guarantee_has_a_proof() -> None:
    cases = re.findall(r"^\| (\d+)\. ", PAGES["guarantees.md"], flags=re.MULTILINE)
    proofs = re.findall(r"^(\d+)\. `tests/", PAGES["guarantees.md"], flags=re.MULTILINE)
    assert cases == proofs == [str(number) for number in range(1, len(cases) + 1)]
