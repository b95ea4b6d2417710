"""A result that comes when the test gives it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any


class Later:
    """Something that a function of the application awaits, until the test calls `resolve` or `fail`."""

    def __init__(self) -> None:
        self._outcome: tuple[object, BaseException | None] | None = None
        self._waiting: list[Callable[[], None]] = []

    def __await__(self) -> Generator[Later, None, Any]:
        if self._outcome is None:
            yield self
        assert self._outcome is not None, "resumed too early"
        result, error = self._outcome
        if error is not None:
            raise error
        return result

    def resolve(self, result: object = None) -> None:
        """Let everything that awaits this go on with *result*."""
        self._settle((result, None))

    def fail(self, error: BaseException) -> None:
        """Let everything that awaits this go on with *error* raised."""
        self._settle((None, error))

    def then(self, callback: Callable[[], None]) -> None:
        """Have *callback* called when the result is there. `FrozenHost` calls this."""
        self._waiting.append(callback)

    def _settle(self, outcome: tuple[object, BaseException | None]) -> None:
        self._outcome = outcome
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback()
