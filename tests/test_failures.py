"""A failure in the background of a `World` fails the test that made that world."""

import pytest

from mirant.bus.hooks import Pipeline
from mirant.testing import Later, World
from tests.failures import no_failures


def world_with_a_failure() -> World:
    """Return a world in which code in the background raised after it had waited."""
    world, later = World(), Later()
    world.background(_broken(later))
    later.resolve()
    return world


def _broken(later: Later) -> Pipeline:
    yield later
    raise RuntimeError("the bus is broken")


def test_a_failure_that_is_left_is_raised_at_the_end() -> None:
    checking = no_failures()
    checking.__enter__()
    world = world_with_a_failure()
    with pytest.raises(ExceptionGroup, match="in the background") as raised:
        checking.__exit__(None, None, None)
    taken = world.take_failures()  # else this very test would fail too
    assert list(raised.value.exceptions) == taken
    assert [str(error) for error in taken] == ["the bus is broken"]


def test_a_failure_that_was_expected_and_taken_out_is_not() -> None:
    with no_failures():
        assert [str(error) for error in world_with_a_failure().take_failures()] == ["the bus is broken"]


def test_a_world_in_order_raises_nothing() -> None:
    with no_failures():
        World().polling().enter()
