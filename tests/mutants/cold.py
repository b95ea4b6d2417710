"""A change that has its effect when a module is imported: each fork imports the changed source anew."""

from __future__ import annotations

import importlib.abc
import importlib.util
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType

import pytest

from tests.mutants.changes import Change, import_name_of
from tests.mutants.children import Task, run_children
from tests.mutants.warm import PYTEST, Told

# What tests import beside Mirant: the forks have it already.
_BEFORE = (
    "asyncio",
    "cryptography.hazmat.primitives.asymmetric.rsa",
    "httptools",
    "httpx",
    "hypothesis.stateful",
    "joserfc.jwt",
    "jsonschema_rs",
    "msgspec",
    "nh3",
    "re2",
    "starlette.applications",
    "uvicorn",
    "uvloop",
    "websockets.asyncio.client",
)

#: Which tests are asked about a change.
TestsOf = Callable[[Change], Sequence[str]]


class _Changed(SourceFileLoader):
    """Loads the module of a change, with the change."""

    def __init__(self, change: Change) -> None:
        super().__init__(import_name_of(change.module), str(change.file))
        self._change = change

    def get_code(self, fullname: str) -> CodeType:
        """Compile it; no cache is read or written."""
        source = self._change.apply(self._change.file.read_bytes())
        return compile(source, self.path, "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the module of a change, before all others."""

    def __init__(self, change: Change) -> None:
        self._name = import_name_of(change.module)
        self._change = change

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where it is."""
        if fullname != self._name:
            return None
        return importlib.util.spec_from_loader(fullname, _Changed(self._change))


def run_cold(
    changes: Sequence[Change],
    tests_of: TestsOf,
    told: Told,
    jobs: int,
    seconds: float,
) -> None:
    """Try *changes*, each against its tests and for at most so many *seconds*, and tell of each outcome.

    Nothing of Mirant may be imported yet in this process.
    """
    assert not any(name == "mirant" or name.startswith("mirant.") for name in sys.modules), "it is too late"
    for name in _BEFORE:
        __import__(name)
    tasks = (Task(partial(_passes, change, tests_of(change)), seconds) for change in changes)
    for index, outcome in run_children(tasks, jobs):
        told(changes[index], outcome)


def _passes(change: Change, tests: Sequence[str]) -> bool:
    sys.meta_path.insert(0, _Finder(change))
    # Some of what is imported already brings a plugin of pytest, whose assertions are not looked at.
    options = [*PYTEST, "-x", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return pytest.main([*options, *tests]) == 0
