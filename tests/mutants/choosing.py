"""Which modules are mutated, and which tests are asked about them.

Coverage picks among these tests those that call the changed function, so a set says only how far to look.
Tests that start processes are in none: a process of its own runs the source as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from tests.mutants.changes import SOURCE, import_name_of

PACKAGES: Final = ("bayeux", "options", "bus", "engines", "extensions", "policy", "transports", "hosts")

#: The tests that are asked first, by package or module: those whose subject it is, and fast ones.
NEAR: Final = {
    "bayeux": ("tests/bayeux",),
    "options": ("tests/options", "tests/policy/test_file.py"),
    "bus": ("tests/bus", "tests/extensions", "tests/services"),
    "engines": ("tests/engines", "tests/bus"),
    "extensions": ("tests/extensions", "tests/bus"),
    "policy": ("tests/policy", "tests/options", "tests/cli/test_check.py", "tests/cli/test_explain.py"),
    "transports": (
        "tests/transports",
        "tests/bus",
        "tests/hosts/test_requests.py",
        "tests/hosts/test_polling.py",
    ),
    "hosts": ("tests/hosts", "tests/transports"),
    "hosts/addresses": ("tests/hosts/test_addresses.py", "tests/hosts/test_proxies.py"),
    "hosts/gate": ("tests/hosts/test_gate.py", "tests/transports"),
    "hosts/headers": ("tests/hosts/test_headers.py", "tests/hosts/native"),
    "hosts/mount": ("tests/hosts/test_mount.py", "tests/test_application.py"),
}

#: The tests that are asked about what survives those.
WIDE: Final = (
    "tests/bayeux",
    "tests/bus",
    "tests/cli/test_check.py",
    "tests/cli/test_explain.py",
    "tests/demo",
    "tests/extensions",
    "tests/hosts",
    "tests/identity",
    "tests/options",
    "tests/policy",
    "tests/properties",
    "tests/recordings",
    "tests/services",
    "tests/test_application.py",
    "tests/transports",
)


def modules(only: Sequence[str]) -> list[str]:
    """Return the modules that are mutated: all, or those that are in one of *only*.

    Raises:
        LookupError: there is no such module.
    """
    found = [
        path.relative_to(SOURCE).with_suffix("").as_posix()
        for package in PACKAGES
        for path in sorted((SOURCE / package).rglob("*.py"))
        if path.name != "__init__.py"
    ]
    for name in only:
        if not any(_is_in(module, name) for module in found):
            raise LookupError(f"there is no module {name!r} in {', '.join(PACKAGES)}")
    return [module for module in found if not only or any(_is_in(module, name) for name in only)]


def group_of(module: str) -> str:
    """Return the narrowest entry in `NEAR` that *module* is in."""
    return max((name for name in NEAR if _is_in(module, name)), key=len)


def about(module: str, tests: Iterable[str]) -> list[str]:
    """Return the files among *tests* that are named after *module* or import it; if none is, all of them."""
    name, imported = f"test_{module.rpartition('/')[2]}.py", import_name_of(module)
    files = [path for each in tests for path in ([Path(each)] if each.endswith(".py") else _files(each))]
    found = [path for path in files if path.name == name or imported in path.read_text(encoding="utf-8")]
    return [str(path) for path in found or files]


def _files(folder: str) -> list[Path]:
    return sorted(Path(folder).rglob("test_*.py"))


def _is_in(module: str, name: str) -> bool:
    return module == name or module.startswith(name.rstrip("/") + "/")
