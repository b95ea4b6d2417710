"""Changed code in functions that are in memory."""

from collections.abc import Iterator
from types import FunctionType

import pytest

from mirant.bayeux.channels import Channel
from mirant.bus.outbox import Outbox
from mirant.engines.history import History
from tests.mutants.changes import Change
from tests.mutants.finding import find_changes
from tests.mutants.swapping import Caches, Functions


@pytest.fixture
def functions() -> Iterator[Functions]:
    """Return all functions of this process; they are as they were afterwards."""
    methods = [
        each for kind in (History, Outbox) for each in vars(kind).values() if isinstance(each, FunctionType)
    ]
    codes = [method.__code__ for method in methods]
    yield Functions()
    for method, code in zip(methods, codes, strict=True):
        method.__code__ = code


def change_of(module: str, where: str, before: str, after: str) -> Change:
    [found] = [
        change
        for change in find_changes(module)
        if (change.where, change.before, change.after) == (where, before, after)
    ]
    return found


def test_whoever_has_the_function_runs_the_changed_code(functions: Functions) -> None:
    outbox = Outbox(100)
    clear = outbox.clear
    outbox.size = 5
    change = change_of("bus/outbox", "Outbox.clear", "0", "1")
    assert functions.can_swap(change)
    functions.swap(change)
    clear()
    assert outbox.size == 1


def test_what_runs_at_import_cannot_be_swapped(functions: Functions) -> None:
    assert not functions.can_swap(change_of("engines/history", "", "900", "901"))


def test_a_method_that_would_lose_its_class_cannot_be_swapped(functions: Functions) -> None:
    change = change_of(
        "policy/filters/contract", "FilterInvalid.__init__", "super().__init__(*faults)", "pass"
    )
    assert not functions.can_swap(change)


def test_what_cached_functions_remember_is_forgotten() -> None:
    former = Channel.parse("/mutants")
    assert Channel.parse("/mutants") is former
    Caches().empty()
    assert Channel.parse("/mutants") is not former
