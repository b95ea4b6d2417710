"""The scenario: clients in chat rooms, as in the benchmark that CometD comes with.

Every client joins some rooms at random. Then one client after the other publishes a batch of messages, each
to a room at random, and each goes to all clients in that room. All of this follows from the seed, so every
worker knows which client must receive which message.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property


class ScenarioInvalid(ValueError):
    """The scenario cannot be played. The text says why."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """The clients, rooms and batches of a run.

    The defaults are CometD's reference run: about 100 deliveries for each publish.

    Raises:
        ScenarioInvalid: a number is out of its range.
    """

    clients: int = 1_000
    rooms: int = 100
    rooms_per_client: int = 10
    batch_size: int = 10  # messages in one request
    message_size: int = 50  # bytes of text in a message; its fields add about 110
    channel: str = "/bench/a"  # rooms are below it: /bench/a/0, /bench/a/1, …
    random_publishers: bool = False  # CometD's --randomize: the publisher is drawn, instead of each in turn
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("clients", "rooms", "rooms_per_client", "batch_size"):
            if getattr(self, name) < 1:
                raise ScenarioInvalid(f"{name} = {getattr(self, name)} should be at least 1")
        if self.message_size < 0:
            raise ScenarioInvalid(f"message_size = {self.message_size} should not be negative")
        if self.rooms_per_client > self.rooms:
            raise ScenarioInvalid(
                f"a client cannot be in {self.rooms_per_client} rooms when there are {self.rooms}"
            )

    def room_name(self, room: int) -> str:
        """Return the channel of a room."""
        return f"{self.channel}/{room}"

    @cached_property
    def rooms_of(self) -> tuple[tuple[int, ...], ...]:
        """The rooms of each client."""
        draw = random.Random(f"{self.seed}/rooms")
        rooms = range(self.rooms)
        return tuple(tuple(draw.sample(rooms, self.rooms_per_client)) for _ in range(self.clients))

    @cached_property
    def members(self) -> tuple[frozenset[int], ...]:
        """The clients in each room."""
        members: list[set[int]] = [set() for _ in range(self.rooms)]
        for client, rooms in enumerate(self.rooms_of):
            for room in rooms:
                members[room].add(client)
        return tuple(map(frozenset, members))

    @cached_property
    def filled(self) -> tuple[int, ...]:
        """The rooms that have clients. Only these are published to."""
        return tuple(room for room, members in enumerate(self.members) if members)

    @property
    def fan_out(self) -> float:
        """How many deliveries a publish causes, on average."""
        return sum(map(len, self.members)) / len(self.filled)


@dataclass(frozen=True, slots=True)
class Share:
    """The part of the clients that one of several workers plays."""

    worker: int
    workers: int

    def has(self, client: int) -> bool:
        """Whether *client* is in this share."""
        return client % self.workers == self.worker

    def clients(self, scenario: Scenario) -> range:
        """The clients of this share."""
        return range(self.worker, scenario.clients, self.workers)
