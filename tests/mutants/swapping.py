"""Changed code for functions that are in memory: no import is needed, whoever refers to them runs it."""

from __future__ import annotations

import gc
from functools import lru_cache
from types import CodeType, FunctionType

from tests.mutants.changes import Change, Function


class Functions:
    """The functions that are in memory, by the place of their code."""

    def __init__(self) -> None:
        """Look for all functions of this process."""
        self._found: dict[tuple[str, str, int], list[FunctionType]] = {}
        for candidate in gc.get_objects():
            if type(candidate) is FunctionType:
                self._found.setdefault(_place(candidate.__code__), []).append(candidate)

    def can_swap(self, change: Change) -> bool:
        """Whether *change* is in a function that is in memory, and does not change what that closes over.

        A method that loses its only ``super()`` closes over its class no longer.
        """
        function = change.function
        if function is None:
            return False
        former, changed = _codes(change, function)
        return (
            former is not None
            and changed is not None
            and former.co_freevars == changed.co_freevars
            and _place(former) in self._found
        )

    def swap(self, change: Change) -> None:
        """Make *change*, which can be made."""
        assert change.function is not None, "it is in a function"
        former, changed = _codes(change, change.function)
        assert former is not None, "it is in memory"
        assert changed is not None, "it is in memory"
        for live in self._found[_place(former)]:
            live.__code__ = changed


class Caches:
    """What decorated functions of Mirant remember. Code that was changed has remembered nothing."""

    def __init__(self) -> None:
        """Look for all such functions of this process."""
        self._found = [
            each
            for each in gc.get_objects()
            if type(each) is _CACHED and each.__module__.partition(".")[0] == "mirant"
        ]

    def empty(self) -> None:
        """Forget everything, so that each function runs again when it is called."""
        for each in self._found:
            each.cache_clear()


#: What `functools.cache` and `functools.lru_cache` make.
_CACHED = type(lru_cache(len))


def _codes(change: Change, function: Function) -> tuple[CodeType | None, CodeType | None]:
    """Return the code of *function* as it is and with *change*."""
    file, source = str(change.file), change.file.read_bytes()
    sources = source, change.apply(source)
    former, changed = (compile(text, file, "exec", dont_inherit=True) for text in sources)
    return _code_of(former, function), _code_of(changed, function)


def _place(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _code_of(code: CodeType, function: Function) -> CodeType | None:
    """Return the code of *function* that is in *code*, that of a module or a class."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_qualname == function.name and constant.co_firstlineno == function.first:
                return constant
            if function.name.startswith(constant.co_qualname + "."):
                found = _code_of(constant, function)
                if found is not None:
                    return found
    return None
