"""The changes that are no fault of the tests: no test can notice them, or none should. argued.toml has them.

Each entry names a change by what it is, not by its line number, and gives the reason::

    [[argued]]
    module = "bus/outbox"
    where = "coalesce"
    code = "if sum(sizes) + len(sizes) < MAX_FRAME:"
    change = "< → <="
    reason = "The other way gives the same batches; this one is faster."
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.changes import Change

FILE = Path(__file__).with_name("argued.toml")


@dataclass(frozen=True)
class Argument:
    """Why a change survives. An empty *change* stands for all changes of the line."""

    module: str
    where: str
    code: str
    change: str
    reason: str

    def covers(self, change: Change) -> bool:
        """Whether it is about *change*."""
        return (
            (self.module, self.where) == (change.module, change.where)
            and change.code().startswith(self.code)
            and self.change in ("", name_of(change))
        )

    def __str__(self) -> str:
        return f"{self.module} {self.where}: {self.code} ({self.change or 'any change'})"


def name_of(change: Change) -> str:
    """Return *change* as argued.toml has it."""
    return f"{change.before} → {change.after}"


def read_arguments(path: Path = FILE) -> list[Argument]:
    """Read the file.

    Raises:
        TypeError: an entry has not exactly the fields that it should have.
        ValueError: an entry has no reason.
    """
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("argued", [])
    arguments = [Argument(**{"change": "", **entry}) for entry in entries]
    for argument in arguments:
        if len(argument.reason.split()) < 3:
            raise ValueError(f"{argument}: say the reason")
    return arguments


def is_argued(change: Change, arguments: Iterable[Argument]) -> bool:
    """Whether one of *arguments* is about *change*."""
    return any(argument.covers(change) for argument in arguments)
