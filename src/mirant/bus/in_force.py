"""What is in force on a bus at the moment: its options, its guard and what is unusual about it."""

from __future__ import annotations

from mirant.bus.contracts import Guard
from mirant.options.settings import Settings


class InForce:
    """One value for all parts of a bus. `mirant.bus.core` changes it, all at once."""

    __slots__ = ("guard", "settings", "traits")

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        #: Who may do what; None: everybody may do everything.
        self.guard: Guard | None = None
        #: What is unusual about the bus (`mirant.bus.traits`).
        self.traits = 0

    def mark(self, trait: int, *, when: bool = True) -> None:
        """Take note of something unusual, or *when* that is false, that it is over."""
        self.traits = self.traits | trait if when else self.traits & ~trait
