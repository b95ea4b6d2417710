"""What the core needs of the world: an event loop, as far as it is concerned."""

from __future__ import annotations

from typing import Protocol

from mirant.bus.hooks import Pipeline


class Host(Protocol):
    """What the core asks of whoever runs it. The calls must return at once, without calling the core."""

    def flush_soon(self) -> None:
        """See to it that `Core.flush` is called at the end of this turn of the event loop."""

    def wake_at(self, when: float) -> None:
        """See to it that `Core.advance` is called at *when*, if not earlier."""

    def background(self, pipeline: Pipeline) -> None:
        """Run *pipeline* beside everything else."""
