"""The one clock that a bus asks for the time."""

from __future__ import annotations

from collections.abc import Callable


def _not_begun() -> float:
    return 0.0


class Clock:
    """Monotonic seconds. Its host says where they come from, once it has an event loop."""

    __slots__ = ("time",)

    #: Returns the time. An attribute, so that asking for it is one call, of the event loop's own function.
    time: Callable[[], float]

    def __init__(self, time: Callable[[], float] = _not_begun) -> None:
        self.time = time
