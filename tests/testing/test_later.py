"""A result that comes when the test gives it."""

from __future__ import annotations

import pytest

from mirant.testing import Later


async def doubled(later: Later) -> int:
    number: int = await later
    return 2 * number


def test_what_awaits_it_goes_on_with_the_result() -> None:
    later, told = Later(), list[str]()
    work = doubled(later)
    assert work.send(None) is later
    later.then(lambda: told.append("it is there"))
    assert told == []
    later.resolve(21)
    assert told == ["it is there"]
    with pytest.raises(StopIteration) as stop:
        work.send(None)
    assert stop.value.value == 42


def test_what_awaits_it_goes_on_with_the_error() -> None:
    later = Later()
    work = doubled(later)
    work.send(None)
    later.fail(OSError("the database is gone"))
    with pytest.raises(OSError, match="database"):
        work.send(None)


def test_a_result_that_is_there_is_not_waited_for() -> None:
    later = Later()
    later.resolve(1)
    with pytest.raises(StopIteration) as stop:
        doubled(later).send(None)
    assert stop.value.value == 2


def test_who_goes_on_without_a_result_is_told_so() -> None:
    work = doubled(Later())
    work.send(None)
    with pytest.raises(AssertionError, match="too early"):
        work.send(None)
