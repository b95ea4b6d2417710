"""One small change of a source text: a mutant."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "mirant"


@dataclass(frozen=True, order=True)
class Function:
    """A function that is in no other function, by its first and last line, decorators included."""

    name: str  # as `__qualname__` has it
    first: int
    last: int


@dataclass(frozen=True)
class Change:
    """Replace the bytes from *start* to *end* of the source of *module* by *after*."""

    module: str  # "bus/outbox"
    where: str  # the qualified name around it; "" is the module itself
    line: int
    start: int
    end: int
    before: str
    after: str
    #: The function whose body it is in; None if it has its effect when the module is imported.
    function: Function | None

    @property
    def file(self) -> Path:
        """The source file."""
        return file_of(self.module)

    def apply(self, source: bytes) -> bytes:
        """Return *source* with this change."""
        return source[: self.start] + self.after.encode() + source[self.end :]

    def code(self) -> str:
        """Return the changed line as it was, without indentation."""
        return self.file.read_text(encoding="utf-8").splitlines()[self.line - 1].strip()

    def diff(self) -> str:
        """Return the change as a person reads it."""
        source = self.file.read_bytes()
        former, changed = (text.decode().splitlines() for text in (source, self.apply(source)))
        lines = unified_diff(former, changed, n=0, lineterm="")
        body = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
        return "\n".join([f"{self.module}.py:{self.line} {self.where}", *body])


def file_of(module: str) -> Path:
    """Return the source file of *module*, such as ``bus/outbox``."""
    return SOURCE / f"{module}.py"


def import_name_of(module: str) -> str:
    """Return the name by which *module* is imported."""
    return f"mirant.{module.replace('/', '.')}"
