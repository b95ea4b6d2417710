"""The schedule: who publishes what and when, even if the server does not keep up.

The load is an *open loop*: a batch is due at its time even if the one before was slow, and latency counts
from the time at which the batch was due. A generator that waits for the server, or counts from the time of
sending, omits the very delays that it should find (coordinated omission).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from mirant.load.scenario import Scenario

SECOND = 1_000_000  # microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """One run: *batches* of messages, the first one *pause* after *start*. Microseconds."""

    start: int
    pause: float
    batches: int
    warm_up: int = 0  # messages due before this are checked, but not timed
    first: int = 1  # number of the first message; the next run over the same sessions counts on

    @property
    def end(self) -> int:
        """When the last batch is due."""
        return self.due(self.batches - 1)

    def due(self, batch: int) -> int:
        """When a batch is due, counting from 0."""
        return self.start + round((batch + 1) * self.pause)


class PublishBatch(NamedTuple):
    """Messages that one client publishes in one request, numbered from *first*, each to a room."""

    first: int
    publisher: int
    due: int
    rooms: list[int]


def batches(scenario: Scenario, pace: Pace) -> Iterator[PublishBatch]:
    """Yield the batches of a run in order. They are the same in every process."""
    draw = random.Random(f"{scenario.seed}/{pace.first}")
    size, clients, filled = scenario.batch_size, scenario.clients, scenario.filled
    for index in range(pace.batches):
        publisher = draw.randrange(clients) if scenario.random_publishers else index % clients
        rooms = draw.choices(filled, k=size)
        yield PublishBatch(pace.first + index * size, publisher, pace.due(index), rooms)


class Schedule:
    """Hands out the batches of a run when they are due. The time is passed in."""

    def __init__(self, scenario: Scenario, pace: Pace) -> None:
        self.pace = pace
        #: One more than the number of the run's last message.
        self.end = pace.first + pace.batches * scenario.batch_size
        self._stopped_at = self.end
        self._batches = batches(scenario, pace)
        self._next = next(self._batches, None)

    @property
    def next_due(self) -> int | None:
        """When the next batch is due; None after the last."""
        return None if self._next is None else self._next.due

    @property
    def next_number(self) -> int:
        """The number of the first message that was not handed out."""
        return self._stopped_at if self._next is None else self._next.first

    def stop(self) -> None:
        """Hand out nothing more."""
        self._stopped_at = self.next_number
        self._next = None

    def take(self, now: int) -> list[PublishBatch]:
        """Return the batches that are due by *now*, each once."""
        taken = []
        while self._next is not None and self._next.due <= now:
            taken.append(self._next)
            self._next = next(self._batches, None)
        return taken

    def take_through(self, number: int) -> list[PublishBatch]:
        """Return the batches up to that of message *number*, due or not."""
        taken = []
        while self._next is not None and self._next.first <= number:
            taken.append(self._next)
            self._next = next(self._batches, None)
        return taken
