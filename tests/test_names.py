"""Each public class name stands once in the source: who searches for one finds the one that is meant."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.test_imports import SOURCE


def _public_classes(root: Path) -> Iterator[tuple[str, str]]:
    """Give the name and the place of each class that stands in a module itself."""
    for file in sorted(root.rglob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield node.name, f"{file.relative_to(root)}:{node.lineno}"


def doubled_names(root: Path) -> dict[str, list[str]]:
    """Return the class names that stand in several places, with these places."""
    places: dict[str, list[str]] = {}
    for name, place in _public_classes(root):
        places.setdefault(name, []).append(place)
    return {name: found for name, found in sorted(places.items()) if len(found) > 1}


def test_the_tree_is_read() -> None:
    assert "Core" in dict(_public_classes(SOURCE))


def test_a_public_class_name_stands_once() -> None:
    assert doubled_names(SOURCE) == {}


def test_a_name_that_stands_twice_is_found_with_its_places(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("class Batch: ...\nclass _Entry: ...\nclass A:\n    class Inner: ...\n")
    (tmp_path / "b.py").write_text("\nclass Batch: ...\nclass _Entry: ...\nclass Inner: ...\n")
    assert doubled_names(tmp_path) == {"Batch": ["a.py:1", "b.py:2"]}
