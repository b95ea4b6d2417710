"""What the worlds of a test collect: failures of code that nobody waits for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mirant.testing import World


@contextmanager
def no_failures() -> Iterator[None]:
    """Expect that no failure is left at the end in any `World` that is made meanwhile.

    Raises:
        ExceptionGroup: the failures that are left.
    """
    failures: list[list[Exception]] = []  # not the worlds: a test may look whether one is collected
    begin = World.__init__

    def begin_and_register(world: World, *arguments: Any, **options: Any) -> None:
        begin(world, *arguments, **options)
        failures.append(world.failures)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(World, "__init__", begin_and_register)
        yield
    left = [failure for of_one_world in failures for failure in of_one_world]
    if left:
        raise ExceptionGroup("code in the background raised", left)
