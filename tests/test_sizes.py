"""Files and functions of the source stay small enough to be read at once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.test_imports import SOURCE

ROOT: Final = Path(__file__).parents[1]

#: Most lines of a file.
FILE: Final = 300
#: Most lines of a function, from its first statement on: signature and docstring are for who calls it.
FUNCTION: Final = 30


def length_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the number of lines of *function* below its signature and its docstring."""
    first, last = function.body[0], function.end_lineno or 0
    if ast.get_docstring(function, clean=False) is not None:
        return last - (first.end_lineno or 0)
    return last - first.lineno + 1


def long_functions(text: str) -> Iterator[str]:
    """Give the name and the length of each function in *text* that is too long."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and length_of(node) > FUNCTION:
            yield f"{node.name}: {length_of(node)} lines"


def source_files() -> list[Path]:
    """Return the files of the source, Python's and JavaScript's."""
    return [*SOURCE.rglob("*.py"), *(ROOT / "js").rglob("*.js")]


def test_a_file_of_the_source_has_at_most_300_lines() -> None:
    lengths = {
        str(file.relative_to(ROOT)): len(file.read_text("utf-8").splitlines()) for file in source_files()
    }
    long = {name: length for name, length in lengths.items() if length > FILE}
    assert not long, "split them along a concept"


def test_a_function_of_the_source_has_at_most_30_lines() -> None:
    long = {str(file): list(long_functions(file.read_text("utf-8"))) for file in SOURCE.rglob("*.py")}
    assert not {name: functions for name, functions in long.items() if functions}


def test_the_source_was_found() -> None:
    assert len(source_files()) > 200


def test_a_long_function_is_found_and_a_long_docstring_is_none() -> None:
    lines = "\n".join(["    pass"] * FUNCTION)
    docstring = '    """One.' + "\\n" * 40 + '"""\n'
    assert not list(long_functions(f"def f():\n{lines}\n"))
    assert not list(long_functions(f"async def f():\n{docstring}{lines}\n"))
    assert list(long_functions(f"def f():\n{docstring}{lines}\n    pass\n")) == ["f: 31 lines"]
    assert list(long_functions(f"class C:\n async def g():\n{lines}\n    pass\n")) == ["g: 31 lines"]
