"""Each class name is in ``src`` once, so that a name says which class is meant."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]

#: Names that two or more classes still have. It is to become empty, and nothing is to be added.
SHARED: Final = frozenset(
    {
        "Batch",
        "Carrier",
        "Chat",
        "Fault",
        "FrameInvalid",
        "Incoming",
        "Kind",
        "Leave",
        "Limits",
        "Line",
        "Sample",
        "Session",
        "State",
    }
)


def test_a_class_name_is_there_once() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for file in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{file.relative_to(ROOT)}:{node.lineno}")
    shared = {name: found for name, found in places.items() if len(found) > 1}

    assert {name: found for name, found in shared.items() if name not in SHARED} == {}
    assert not SHARED - shared.keys(), "these names are there once now: remove them from the table"
