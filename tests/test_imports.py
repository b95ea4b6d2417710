"""Imports point one way: each package knows those below it, and nothing else.

Read from the syntax tree, so that an import inside a function or under ``TYPE_CHECKING`` counts too.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from textwrap import dedent

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "mirant"

# The layers from the bottom up. A package may import what lies lower and, unless forbidden, its neighbours.
LAYERS = (
    ("bayeux",),
    ("options",),
    ("bus", "extensions", "identity", "policy", "engines"),
    ("services", "transports"),
    ("hosts",),
    ("application",),
    ("cli", "demo", "testing", "__main__"),
)
LEVEL = {package: level for level, packages in enumerate(LAYERS) for package in packages}
TOP = len(LAYERS) - 1

# These speak to a bus over the wire alone; only programs on the top layer start them.
APART = {"client": {"bayeux"}, "load": {"bayeux", "client"}}

FORBIDDEN_NEIGHBOURS = {
    "bus": {"extensions", "policy"},  # both are written against the bus's types
    "hosts": {"engines"},  # whoever wires a bus chooses its engine
    "extensions": {"policy"},  # an extension changes messages, it does not judge them
}

# The core is told the time and handed the bytes, so that a test can replay every schedule.
PURE = {"bayeux", "bus"}
IMPURE_MODULES = {
    "anyio",
    "asyncio",
    "concurrent",
    "datetime",
    "httptools",
    "multiprocessing",
    "queue",
    "random",
    "select",
    "selectors",
    "signal",
    "socket",
    "ssl",
    "subprocess",
    "threading",
    "time",
    "uuid",
    "uvicorn",
    "uvloop",
    "websockets",
}
ONLY_IN = {"secrets": "bus"}  # session ids are made in the bus; the protocol itself is deterministic


@dataclass(frozen=True)
class Import:
    """One imported module, as ``a.b.c``, and where the import stands."""

    importer: str  # "bus.receive"; "" is the package itself
    module: str
    place: str  # "src/mirant/bus/receive.py:7"


def _module_name(file: Path, root: Path) -> str:
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_module(name: str, root: Path) -> bool:
    path = root.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def _imported(node: ast.AST, root: Path) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = "." * node.level + (node.module or "")
        # `from mirant import bus` names a module, `from mirant import Bus` a name of the package.
        submodules = [a.name for a in node.names if base == "mirant" and _is_module(a.name, root)]
        yield from (f"mirant.{name}" for name in submodules)
        if len(submodules) < len(node.names):
            yield base


def _imports(root: Path) -> list[Import]:
    found = []
    for file in sorted(root.rglob("*.py")):
        name = _module_name(file, root)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), filename=str(file))):
            place = f"{file.relative_to(root.parents[1])}:{getattr(node, 'lineno', 0)}"
            found += [Import(name, module, place) for module in _imported(node, root)]
    return found


def _package(module: str) -> str:
    return module.partition(".")[0]


def _inner(imports: list[Import]) -> Iterator[tuple[str, str, Import]]:
    """Give importing package, imported package and the import, for imports that cross a border."""
    for entry in imports:
        top, _, rest = entry.module.partition(".")
        source, target = _package(entry.importer), _package(rest)
        if top == "mirant" and source and source != target:
            yield source, target, entry


def _layer_fault(source: str, target: str) -> str | None:
    """Say which rule an import from one package into another breaks; None if it breaks none."""
    for package in (source, target):
        if package and package not in LEVEL and package not in APART:
            return f"`{package}` has no layer: add it to LAYERS in tests/test_imports.py"
    if not target:
        return None if LEVEL.get(source) == TOP else "only the top layer may use the package's public names"
    if source in APART:
        allowed = APART[source]
        return None if target in allowed else f"`{source}` may import only {' and '.join(sorted(allowed))}"
    if target in APART:
        return None if LEVEL[source] == TOP else f"only {', '.join(LAYERS[TOP])} may import `{target}`"
    if LEVEL[target] > LEVEL[source]:
        return f"`{target}` lies above `{source}`: imports point down only"
    if target in FORBIDDEN_NEIGHBOURS.get(source, ()):
        return f"`{source}` may not import its neighbour `{target}`"
    return None


def layer_faults(root: Path) -> list[str]:
    """Find the imports that point up, sideways where forbidden, or into an unknown package."""
    return [
        f"{entry.place}: imports {entry.module}: {fault}"
        for source, target, entry in _inner(_imports(root))
        if (fault := _layer_fault(source, target))
    ]


def cycle_fault(root: Path) -> str | None:
    """Find packages that import each other, which neighbours of one layer could."""
    graph: dict[str, set[str]] = {}
    for source, target, _ in _inner(_imports(root)):
        if target:
            graph.setdefault(source, set()).add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return " → ".join(reversed(error.args[1]))
    return None


def _purity_fault(source: str, module: str) -> str | None:
    if source not in PURE:
        return None
    if module in IMPURE_MODULES:
        return f"`{source}` does no I/O and has no clock: take the value as an argument"
    if ONLY_IN.get(module, source) != source:
        return f"only `{ONLY_IN[module]}` draws random numbers"
    return None


def purity_faults(root: Path) -> list[str]:
    """Find imports of clocks, sockets, threads and event loops in the core."""
    return [
        f"{entry.place}: imports {entry.module}: {fault}"
        for entry in _imports(root)
        if (fault := _purity_fault(_package(entry.importer), _package(entry.module)))
    ]


def relative_faults(root: Path) -> list[str]:
    """Find relative imports, which hide from a reader which package they reach."""
    return [
        f"{entry.place}: write the import with its full name, mirant.…"
        for entry in _imports(root)
        if entry.module.startswith(".")
    ]


def front_faults(root: Path) -> list[str]:
    """Find statements of the package's own __init__ that do more than re-export public names."""
    file = root / "__init__.py"
    place = file.relative_to(root.parents[1])
    return [
        f"{place}:{node.lineno}: the package re-exports public names, nothing else"
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if not (_is_docstring(node) or _is_reexport(node) or _is_dunder(node))
    ]


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_reexport(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("mirant.")
        and not any(alias.name.startswith("_") for alias in node.names)
    )


def _is_dunder(node: ast.stmt) -> bool:
    """Tell whether the statement sets ``__all__`` or ``__version__``."""
    return isinstance(node, ast.Assign) and all(
        isinstance(target, ast.Name) and target.id in {"__all__", "__version__"} for target in node.targets
    )


def test_the_tree_is_read() -> None:
    assert any(entry.importer.startswith("bayeux") for entry in _imports(SOURCE))


def test_imports_point_down() -> None:
    assert layer_faults(SOURCE) == []


def test_packages_form_no_cycle() -> None:
    assert cycle_fault(SOURCE) is None


def test_the_core_has_no_clock_and_no_sockets() -> None:
    assert purity_faults(SOURCE) == []


def test_imports_are_absolute() -> None:
    assert relative_faults(SOURCE) == []


def test_the_package_only_reexports() -> None:
    assert front_faults(SOURCE) == []


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Give an empty package in which a test may break a rule."""
    root = tmp_path / "src" / "mirant"
    for package in (
        "bayeux",
        "bus",
        "extensions",
        "policy",
        "hosts",
        "client",
        "load",
        "testing",
        "cli",
        "novelty",
    ):
        (root / package).mkdir(parents=True)
    (root / "__init__.py").write_text('"""A package."""\n')
    return root


def _write(root: Path, file: str, code: str) -> None:
    (root / file).write_text(dedent(code))


@pytest.mark.parametrize(
    ("file", "code", "rule"),
    [
        ("bayeux/a.py", "import mirant.bus.session", "`bus` lies above `bayeux`"),
        ("bus/a.py", "from mirant.hosts import asgi", "`hosts` lies above `bus`"),
        ("bus/a.py", "from mirant import hosts", "`hosts` lies above `bus`"),
        ("bus/a.py", "def f():\n    from mirant.hosts import asgi", "`hosts` lies above `bus`"),
        ("bus/a.py", "from mirant.extensions import ack", "may not import its neighbour `extensions`"),
        ("extensions/a.py", "from mirant.policy import rules", "may not import its neighbour `policy`"),
        ("client/a.py", "from mirant.bus import bus", "`client` may import only bayeux"),
        ("client/a.py", "from mirant.load import crew", "`client` may import only bayeux"),
        ("load/a.py", "from mirant.bus import bus", "`load` may import only bayeux and client"),
        ("hosts/a.py", "from mirant.client import client", "may import `client`"),
        ("hosts/a.py", "from mirant import Bus", "only the top layer may use the package's public names"),
        ("novelty/a.py", "from mirant.bayeux import channels", "`novelty` has no layer"),
    ],
)
def test_an_import_against_the_layers_is_named(tree: Path, file: str, code: str, rule: str) -> None:
    _write(tree, file, code)
    [fault] = layer_faults(tree)
    assert fault.startswith(f"src/mirant/{file}:")
    assert rule in fault


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("policy/a.py", "from mirant.bus.session import Session"),
        ("bus/a.py", "from mirant.bayeux import channels"),
        ("cli/a.py", "from mirant import Bus"),
        ("cli/a.py", "from mirant.client import client"),
        ("client/a.py", "import asyncio\nfrom mirant.bayeux import channels"),
        ("load/a.py", "from mirant.client import protocol"),
        ("testing/a.py", "from mirant.client import protocol"),
        ("hosts/a.py", "import asyncio, uvicorn"),
        ("bus/a.py", "import secrets"),
    ],
)
def test_an_import_within_the_layers_passes(tree: Path, file: str, code: str) -> None:
    _write(tree, file, code)
    assert layer_faults(tree) + purity_faults(tree) == []


@pytest.mark.parametrize("module", ["time", "asyncio", "datetime", "socket", "threading", "random"])
def test_a_clock_or_a_socket_in_the_core_is_named(tree: Path, module: str) -> None:
    _write(tree, "bus/a.py", f"\nif True:\n    import {module}")
    [fault] = purity_faults(tree)
    assert fault.startswith(f"src/mirant/bus/a.py:3: imports {module}:")


def test_the_protocol_draws_no_random_numbers(tree: Path) -> None:
    _write(tree, "bayeux/a.py", "import secrets")
    [fault] = purity_faults(tree)
    assert "only `bus` draws random numbers" in fault


def test_neighbours_that_import_each_other_are_named(tree: Path) -> None:
    (tree / "engines").mkdir()
    _write(tree, "bus/a.py", "from mirant.engines import memory")
    _write(tree, "engines/a.py", "from mirant.bus import bus")
    assert layer_faults(tree) == []
    assert cycle_fault(tree) in {"bus → engines → bus", "engines → bus → engines"}


def test_a_relative_import_is_named(tree: Path) -> None:
    _write(tree, "bus/a.py", "from .session import Session")
    assert relative_faults(tree) == ["src/mirant/bus/a.py:1: write the import with its full name, mirant.…"]


@pytest.mark.parametrize(
    "code",
    [
        "import os",
        "from mirant.bus import _private",
        "print('hello')",
        "if True:\n    from mirant.bus import a",
    ],
)
def test_work_in_the_package_front_is_named(tree: Path, code: str) -> None:
    _write(tree, "__init__.py", code)
    [fault] = front_faults(tree)
    assert fault.startswith("src/mirant/__init__.py:1:")
