"""Finding the line of each value in a JSON text, and the keys that an object has twice.

The standard library's parser tells neither.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Final

from mirant.options.declaring import KeyPath

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)

# A value that is nested deeper gets the line of a value around it, because long paths take memory.
_MAX_DEPTH: Final = 8


@dataclass(slots=True)
class JsonMap:
    """The lines of the values in a text, and its repeated keys."""

    #: The line, from 1, of each key and each element.
    lines: dict[KeyPath, int] = field(default_factory=dict)
    #: Each key that its object already has, with the line of the repetition.
    repeated: list[tuple[KeyPath, int]] = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    """An array or object that has not ended yet."""

    path: KeyPath
    keys: set[str] | None  # None: it is an array
    step: str | int | None  # the key or index of the value that comes next; None: a key comes next


def survey(text: str) -> JsonMap:
    """Return the lines and the repeated keys of *text*, which must be JSON that `json` accepts."""
    found = JsonMap()
    within: list[_Open] = []
    line = at = 0
    for token in _TOKEN.finditer(text):
        line += text.count("\n", at, token.start())
        at = token.start()
        _take(found, within, token[0], line + 1)
    return found


def _take(found: JsonMap, within: list[_Open], token: str, line: int) -> None:
    """Take the next *token* of the text, which is in *line*."""
    here = within[-1] if within else None
    if token in ("]", "}"):
        within.pop()
    elif token == "," and here is not None:
        here.step = here.step + 1 if isinstance(here.step, int) else None
    elif here is not None and here.keys is not None and here.step is None:
        here.step = str(json.loads(token))
        path = (*here.path, here.step)
        if here.step in here.keys:
            found.repeated.append((path, line))
        here.keys.add(here.step)
        found.lines.setdefault(path, line)
    elif token != ":":
        path = () if here is None or here.step is None else (*here.path, here.step)[:_MAX_DEPTH]
        found.lines.setdefault(path, line)
        if token in ("[", "{"):
            within.append(_Open(path, None, 0) if token == "[" else _Open(path, set(), None))
