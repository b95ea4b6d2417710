"""A world in which the bus is busy: answering takes time, as far as its clock says."""

from __future__ import annotations

from typing import Any

from mirant.testing import World


class SlowWorld(World):
    """A world in which each look at the clock takes a millisecond while it is slow. It keeps its alarms."""

    def __init__(self, **options: Any) -> None:
        #: Whether time passes when the bus looks at the clock.
        self.slow = False
        #: When the bus wanted to be woken.
        self.alarms: list[float] = []
        super().__init__(**options)

    def time(self) -> float:
        if self.slow:
            self.now += 0.001
        return self.now

    def wake_at(self, when: float) -> None:
        self.alarms.append(when)
