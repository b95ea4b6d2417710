"""Finding the line of each key in a TOML text, because the standard library's parser does not tell.

This module follows the structure of the text. It leaves the judgement to `tomllib`, except about deep
nesting: `tomllib` takes long for that, or fails with a RecursionError. So this module runs first.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Mapping
from typing import Final

from mirant.options.declaring import KeyPath

_BLANKS: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_DOT: Final = re.compile(r"[ \t]*\.[ \t]*")
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
# Strings of several lines come first, because their quotes begin like an empty string. One or two quotes may
# stand before the three that end such a string.
_STRING: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")' + r"|'''.*?'{3,5}(?!')" + r'|"(?:[^"\\]|\\.)*"' + r"|'[^']*'", re.DOTALL
)
# Numbers, switches and dates. A date may have a blank in it.
_SCALAR: Final = re.compile(r"[^,\]}#\n]+")

#: How deep a text may be nested, by dots or by brackets. No option needs ten levels.
MAX_DEPTH: Final = 64


class TooDeep(ValueError):
    """A text is nested deeper than `MAX_DEPTH`."""

    def __init__(self, line: int) -> None:
        super().__init__(f"this is nested too deep, in line {line}")
        self.line = line


def positions(text: str) -> Mapping[KeyPath, int]:
    """Return the line, from 1, of each key, table and array element in *text*.

    *text* may begin with a byte order mark. A table without a header of its own has the line of the first key
    that names it. An element has the line where it begins.

    Raises:
        TooDeep: *text* is nested too deep.
        ValueError: *text* is not TOML. Not every error is found: that is left to `tomllib`.
    """
    walk = _Walk(text.removeprefix("\ufeff"))
    walk.document()
    return walk.lines


def line_of(lines: Mapping[KeyPath, int], path: KeyPath) -> int:
    """Return the line of *path*, or of the nearest table or array around it; 0 if there is none."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 0)


class _Walk:
    """A walk through a text: each step takes something at the current place and goes on behind it."""

    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._text = text
        self._at = 0
        self._line_ends = [end.start() for end in re.finditer("\n", text)]
        self._elements: dict[KeyPath, int] = {}  # of arrays of tables: how many there are so far

    def document(self) -> None:
        """Go through all of the text."""
        table: KeyPath = ()
        self._skip()
        while self._at < len(self._text):
            if self._take("[["):
                table = self._header(array=True)
                self._expect("]]")
            elif self._take("["):
                table = self._header(array=False)
                self._expect("]")
            else:
                self._pair(table)
            self._skip()

    def _header(self, *, array: bool) -> KeyPath:
        """Go through the name of a table; return its path, which has indexes where there are arrays."""
        self._skip()
        path: KeyPath = ()
        *outer, last = self._key()
        for key in outer:
            path = (*path, key)
            self.lines.setdefault(path, self._line())
            if path in self._elements:
                path = (*path, self._elements[path] - 1)
        path = (*path, last)
        if array:
            self.lines.setdefault(path, self._line())
            index = self._elements.get(path, 0)
            self._elements[path] = index + 1
            path = (*path, index)
        self.lines[path] = self._line()
        self._skip()
        return path

    def _pair(self, path: KeyPath) -> None:
        """Go through a key and its value, in the table *path*."""
        for key in self._key():
            path = (*path, key)
            self.lines.setdefault(path, self._line())
        self._skip()
        self._expect("=")
        self._skip()
        self._value(path)

    def _key(self) -> list[str]:
        """Go through a key, with the dots in it; return its parts."""
        keys = [self._part()]
        while self._match(_DOT):
            self._check_depth(len(keys))
            keys.append(self._part())
        return keys

    def _part(self) -> str:
        if bare := self._match(_BARE_KEY):
            return bare
        if quoted := self._match(_STRING):
            return str(tomllib.loads(f"key = {quoted}")["key"])
        raise self._lost()

    def _value(self, path: KeyPath) -> None:
        self._check_depth(len(path))
        if self._take("["):
            self._array(path)
        elif self._take("{"):
            self._inline_table(path)
        elif not self._match(_STRING) and not self._match(_SCALAR):
            raise self._lost()

    def _array(self, path: KeyPath) -> None:
        index = 0
        while not self._ends("]"):
            self.lines[*path, index] = self._line()
            self._value((*path, index))
            index += 1

    def _inline_table(self, path: KeyPath) -> None:
        while not self._ends("}"):
            self._pair(path)

    def _ends(self, bracket: str) -> bool:
        """Go on to the next item. Return True if there is none, but the *bracket* that ends the list."""
        self._skip()
        if self._take(","):
            self._skip()
        return self._take(bracket)

    def _skip(self) -> None:
        self._match(_BLANKS)

    def _take(self, text: str) -> bool:
        taken = self._text.startswith(text, self._at)
        if taken:
            self._at += len(text)
        return taken

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self._lost()

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _check_depth(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise TooDeep(self._line())

    def _line(self) -> int:
        return bisect_left(self._line_ends, self._at) + 1

    def _lost(self) -> ValueError:
        return ValueError(f"this is not TOML, in line {self._line()}")
