"""Strategies for TOML texts: data, spelt in one of the many ways there are, with the lines of its keys."""

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

from hypothesis import strategies as st

Path = tuple[str | int, ...]

#: Keys and texts full of what means something elsewhere.
_ODD = [
    "",
    ".",
    " ",
    "=",
    "#",
    "[x]",
    "{",
    '"',
    "'",
    "\\",
    "é",
    "\n",
    "\n[a]\na = 1",
    "'''",
    '"""',
    ",",
    "]]",
]
KEYS = st.sampled_from("abc") | st.sampled_from(_ODD) | st.text(st.sampled_from("ab-_.1 '\"\\"), max_size=4)
TEXTS = st.lists(st.sampled_from(_ODD), max_size=3).map("".join)
SCALARS = TEXTS | st.booleans() | st.integers(-99, 99) | st.floats(-9, 9)


def tables(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Tables of *values*."""
    return st.dictionaries(KEYS, values, max_size=4)


VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        tables(inner) | st.lists(inner, max_size=3) | st.lists(tables(inner), min_size=1, max_size=3)
    ),
    max_leaves=12,
)


@dataclass
class Document:
    """A text, what it says, and in which line each of its keys, tables and elements is."""

    data: dict[str, Any]
    random: Random
    text: str = ""
    lines: dict[Path, int] = field(default_factory=dict)

    def write(self) -> None:
        """Write the text."""
        self._body((), (), self.data)

    def _add(self, text: str) -> None:
        self.text += text

    def _mark(self, path: Path) -> None:
        """Note that *path* begins here, if nothing before was about it."""
        self.lines.setdefault(path, self.text.count("\n") + 1)

    def _chance(self) -> bool:
        return self.random.random() < 0.5

    def _blank(self) -> None:
        self._add(self.random.choice(["", "", " ", "\t"]))

    def _gap(self) -> None:
        """Add what may be between the elements of an array."""
        self._add(self.random.choice(["", "", " ", "\n", "\n\n  ", ' # ] } " a = 1\n']))

    def _end_line(self) -> None:
        self._blank()
        self._add(self.random.choice(["\n", "\n", "\n\n", '# [a] = """\n', "# '''\n \t\n"]))

    def _body(self, path: Path, name: tuple[str, ...], table: dict[str, Any]) -> None:
        """Write the pairs of *table*, then the tables in it which have headers, as *name* and their key."""
        later: list[tuple[str, Any]] = []
        for key, value in table.items():
            if _may_have_header(value) and self._chance():
                later.append((key, value))
            elif isinstance(value, dict) and value and self._chance():
                self._dotted(path, (key,), value)
            else:
                self._pair(path, (key,), value)
                self._end_line()
        for key, value in later:
            for index, each in enumerate(value) if isinstance(value, list) else [(None, value)]:
                self._headed(path, (*name, key), index, each)

    def _headed(self, outer: Path, name: tuple[str, ...], index: int | None, table: dict[str, Any]) -> None:
        path: Path = (*outer, name[-1])
        if index is None:
            all_headed = bool(table) and all(isinstance(each, dict) and each for each in table.values())
            if all_headed and self._chance():  # its tables' headers name it too
                for key, each in table.items():
                    self._headed(path, (*name, key), None, each)
                return
        self._mark_parents(path)
        self._mark(path)
        if index is not None:
            path = (*path, index)
            self._mark(path)
        self._add("[" if index is None else "[[")
        self._blank()
        self._key(name)
        self._blank()
        self._add("]" if index is None else "]]")
        self._end_line()
        self._body(path, name, table)

    def _mark_parents(self, path: Path) -> None:
        for length in range(1, len(path)):
            self._mark(path[:length])

    def _dotted(self, outer: Path, name: tuple[str, ...], table: dict[str, Any]) -> None:
        for key, value in table.items():
            if isinstance(value, dict) and value and self._chance():
                self._dotted(outer, (*name, key), value)
            else:
                self._pair(outer, (*name, key), value)
                self._end_line()

    def _pair(self, outer: Path, name: tuple[str, ...], value: Any) -> None:
        self._blank()
        path = outer
        for key in name:
            path = (*path, key)
            self._mark(path)
        self._key(name)
        self._blank()
        self._add("=")
        self._blank()
        self._value(path, value)

    def _key(self, name: tuple[str, ...]) -> None:
        for index, key in enumerate(name):
            if index:
                self._blank()
                self._add(".")
                self._blank()
            self._add(self.random.choice(_spellings_of_key(key)))

    def _value(self, path: Path, value: Any) -> None:
        if isinstance(value, dict):
            self._inline_table(path, value)
        elif isinstance(value, list):
            self._array(path, value)
        elif isinstance(value, str):
            self._add(self.random.choice(_spellings_of_text(value)))
        else:
            self._add(json.dumps(value))

    def _array(self, path: Path, values: list[Any]) -> None:
        self._add("[")
        for index, each in enumerate(values):
            self._gap()
            self._mark((*path, index))
            self._value((*path, index), each)
            self._gap()
            if index < len(values) - 1 or self._chance():
                self._add(",")
        self._gap()
        self._add("]")

    def _inline_table(self, path: Path, table: dict[str, Any]) -> None:
        self._add("{")
        for index, (key, value) in enumerate(table.items()):
            self._add("," if index else "")
            self._pair(path, (key,), value)
            self._blank()
        self._blank()
        self._add("}")


def _may_have_header(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(each, dict) for each in value)
    return isinstance(value, dict)


def _spellings_of_key(key: str) -> list[str]:
    spellings = [json.dumps(key, ensure_ascii=False), json.dumps(key)]
    if "'" not in key and "\n" not in key:
        spellings.append(f"'{key}'")
    if key and all(char in "ab-_1c" for char in key):
        spellings.append(key)
    return spellings


def _spellings_of_text(text: str) -> list[str]:
    escaped = text.replace("\\", "\\\\")
    safe = escaped.replace('"', '\\"')
    spellings = [json.dumps(text), f'"""\n{safe}"""']
    if text and not text[0].isspace():
        spellings.append(f'"""\\\n \n {safe}"""')  # what a backslash ends goes on after the blanks
    if '"""' not in text:
        spellings.append(f'"""\n{escaped}"""')
    if "'''" not in text:
        spellings.append(f"'''\n{text}'''")
    if "'" not in text and "\n" not in text:
        spellings.append(f"'{text}'")
    return spellings


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Draw a document."""
    document = Document(draw(tables(VALUES)), draw(st.randoms(use_true_random=False)))
    document.write()
    return document
