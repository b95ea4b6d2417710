"""Faults of a file, as lines for a person: ``mirant.toml:12: session.timeout: …``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from mirant.options.declaring import Fault, KeyPath
from mirant.policy.positions import TooDeep, line_of, positions

# The end of a message of `tomllib`.
_AT: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def decode_file(raw: bytes) -> tuple[str, list[Fault]]:
    """Return the text of a file, without a byte order mark, and what is wrong if it is not UTF-8."""
    try:
        return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        return raw.decode("utf-8-sig", "replace"), [_not_toml(f"it should be UTF-8; {error.reason}", line)]


def parse(text: str) -> tuple[dict[str, object], Mapping[KeyPath, int], list[Fault]]:
    """Return the tables of a TOML *text* and the lines of their keys, or else what is wrong with it."""
    try:
        lines = positions(text)
    except TooDeep as error:
        return {}, {}, [Fault((), "this is nested too deep", line=error.line)]
    except ValueError:
        lines = {}  # `tomllib` explains it better, below
    try:
        return tomllib.loads(text), lines, []
    except ValueError as error:  # from `tomllib`; or from `int`, about too many digits, without a line
        return {}, {}, [_fault_of_syntax(str(error), text)]


def _fault_of_syntax(message: str, text: str) -> Fault:
    at = _AT.search(message)
    if at is None:
        return _not_toml(message)
    what = message[: at.start()]
    if at[1]:
        return _not_toml(f"{what} in column {at[2]}", int(at[1]))
    return _not_toml(f"{what} at its end", text.rstrip().count("\n") + 1)


def _not_toml(what: str, line: int | None = None) -> Fault:
    return Fault((), f"this is not TOML: {what}", line=line)


def render_faults(path: Path | str, lines: Mapping[KeyPath, int], faults: Iterable[Fault]) -> list[str]:
    """Return a line of text for each of *faults* in the file *path*, sorted by the *lines* of its keys.

    Faults without a line, such as a table that is missing, come after those. Faults of environment variables
    come last.
    """

    def line_in_file(fault: Fault) -> int:
        return fault.line or line_of(lines, fault.path)

    def place(fault: Fault) -> tuple[str, bool, int]:
        line = line_in_file(fault)
        return fault.variable or "", line == 0, line

    return [_render(path, line_in_file(fault), fault) for fault in sorted(faults, key=place)]


def _render(path: Path | str, line: int, fault: Fault) -> str:
    if fault.variable is not None:
        return str(fault)
    return f"{path}:{line}: {fault}" if line else f"{path}: {fault}"
