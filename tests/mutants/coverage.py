"""Which functions are called when: by a test, or while modules are imported and tests are collected."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from tests.mutants.changes import SOURCE, Change

#: The file and the first line of a function's code.
Call = tuple[str, int]


@contextmanager
def calls() -> Iterator[set[Call]]:
    """Collect the calls of Mirant's functions that happen meanwhile, in all threads that begin meanwhile."""
    made: set[Call] = set()
    ours = str(SOURCE)

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            code = frame.f_code
            if code.co_filename.startswith(ours):
                made.add((code.co_filename, code.co_firstlineno))

    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        yield made
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def reaches(made: set[Call], change: Change) -> bool:
    """Whether the function that *change* is in was called, or one inside of it."""
    function, file = change.function, str(change.file)
    if function is None:
        return False
    return any(called == file and function.first <= line <= function.last for called, line in made)
