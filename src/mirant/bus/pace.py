"""Long work in slices, so that other clients have their turn in between.

One body may bring a thousand messages, and one message a thousand patterns. That is allowed, and may take a
second. Such work looks at the clock as it goes, and yields `PAUSE` when its slice is over.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from mirant.bus.clock import Clock

#: How long work may go on, in seconds, before others have their turn.
SLICE: Final = 0.002


class Pause:
    """Stands for one's next turn. A host may know it, and give all that pause a slice together.

    Awaited, it ends when all others that were ready have had their turn.
    """

    __slots__ = ()

    def __await__(self) -> Generator[None, None, None]:
        yield  # an event loop takes this as: go on in the next turn


PAUSE: Final = Pause()


class TurnShare:
    """Whether the slice of one piece of work is over. It begins with the first slice."""

    __slots__ = ("_clock", "_until")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = clock.time() + SLICE

    def is_over(self) -> bool:
        """Whether it is time for a `PAUSE`."""
        return self._clock.time() >= self._until

    def begin(self) -> float:
        """Begin the next slice; return the time."""
        now = self._clock.time()
        self._until = now + SLICE
        return now
