"""Modules import each other in no circle, and none imports from a layer above its own.

Imports under ``TYPE_CHECKING`` and inside functions count too: a reader has to follow them as well.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from tests.test_imports import SOURCE, layer_faults

Graph = Mapping[str, frozenset[str]]


def _modules(root: Path) -> dict[str, Path]:
    """Return all modules by name, ``bus.core``; the package itself is "". Empty packages are left out."""
    found = {}
    for file in sorted(root.rglob("*.py")):
        parts = file.relative_to(root).with_suffix("").parts
        if parts[-1] != "__init__":
            found[".".join(parts)] = file
        elif _has_imports(file):
            found[".".join(parts[:-1])] = file
    return found


def _has_imports(file: Path) -> bool:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(tree))


def _named(file: Path, modules: Mapping[str, Path]) -> Iterator[str]:
    """Give the modules that *file* imports; of ``from a import b`` the module ``a.b`` if there is one."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), filename=str(file))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            inner = [f"{base}.{alias.name}" for alias in node.names]
            names = [name if _inside(name) in modules else base for name in inner]
        else:
            continue
        yield from (inside for name in names if (inside := _inside(name)) is not None and inside in modules)


def _inside(name: str) -> str | None:
    top, _, rest = name.partition(".")
    return rest if top == "mirant" else None


def graph_of(root: Path) -> Graph:
    """Return which modules each module imports."""
    modules = _modules(root)
    return {name: frozenset(_named(file, modules)) - {name} for name, file in modules.items()}


def circles(graph: Graph) -> list[list[str]]:
    """Return the groups of modules that reach each other, by Tarjan's algorithm."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        order[module] = lowest[module] = len(order)
        stack.append(module)
        for imported in graph[module]:
            if imported not in order:
                visit(imported)
                lowest[module] = min(lowest[module], lowest[imported])
            elif imported in stack:
                lowest[module] = min(lowest[module], order[imported])
        if lowest[module] == order[module]:
            begin = stack.index(module)
            if len(stack) - begin > 1:
                found.append(sorted(stack[begin:]))
            del stack[begin:]

    for module in graph:
        if module not in order:
            visit(module)
    return sorted(found)


def test_the_tree_is_read() -> None:
    graph = graph_of(SOURCE)
    assert "bayeux.messages" in graph["bayeux.codec"]
    assert len(graph) > 100


def test_modules_form_no_circle() -> None:
    assert circles(graph_of(SOURCE)) == []


def test_no_arrow_points_up() -> None:
    assert layer_faults(SOURCE) == []


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a package with three modules in a row."""
    root = tmp_path / "src" / "mirant"
    for name, code in {
        "__init__.py": "",
        "bus/__init__.py": '"""A package."""',
        "bus/a.py": "from mirant.bus import b",
        "bus/b.py": "from mirant.bus.c import C",
        "bus/c.py": "import os",
    }.items():
        _write(root, name, code)
    return root


def _write(root: Path, name: str, code: str) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(dedent(code))


def test_a_row_is_no_circle(tree: Path) -> None:
    assert circles(graph_of(tree)) == []


@pytest.mark.parametrize(
    "code",
    [
        "import mirant.bus.a",
        "from mirant.bus import a",
        "from mirant.bus.a import A",
        """
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            from mirant.bus.a import A
        """,
        """
        def f() -> None:
            from mirant.bus import a
        """,
    ],
)
def test_a_circle_is_found_wherever_its_imports_stand(tree: Path, code: str) -> None:
    _write(tree, "bus/c.py", code)
    assert circles(graph_of(tree)) == [["bus.a", "bus.b", "bus.c"]]


def test_a_circle_through_what_a_package_imports_is_found(tree: Path) -> None:
    _write(tree, "bus/__init__.py", "from mirant.bus.a import A")
    _write(tree, "bus/c.py", "from mirant.bus import A")
    assert circles(graph_of(tree)) == [["bus", "bus.a", "bus.b", "bus.c"]]


def test_two_circles_are_two(tree: Path) -> None:
    _write(tree, "bus/b.py", "from mirant.bus import a")
    _write(tree, "bus/c.py", "from mirant.bus import d")
    _write(tree, "bus/d.py", "from mirant.bus import c")
    assert circles(graph_of(tree)) == [["bus.a", "bus.b"], ["bus.c", "bus.d"]]
