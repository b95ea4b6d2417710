"""The ledger: every delivery that is owed to a client here, crossed off when it arrives.

Message numbers rise over the whole run. If a client sees one publisher's numbers rise, it has that
publisher's messages in order. Each message has the set of clients that still wait for it. A client that
gets the message and is not in the set gets it for the second time; a client that is in the set at the end
never got it. Only messages under way are kept, so memory grows with what a server owes, and not with clients
times publishers.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from mirant.load.histogram import Histogram
from mirant.load.messages import BenchmarkData, benchmark_data
from mirant.load.scenario import Scenario, Share
from mirant.load.schedule import PublishBatch, Schedule

_EXAMPLES: Final = 5  # of each kind of fault, for the report
_NAMED: Final = 4  # clients that miss a message


class PublisherOrder:
    """The order of one publisher: how many messages are under way, and the number each client saw last."""

    __slots__ = ("last", "messages")

    def __init__(self) -> None:
        self.messages = 0
        self.last: dict[int, int] = {}


class Expected:
    """A message under way: who waits for it here, its publisher's order, and what notes its latency."""

    __slots__ = ("due", "line", "note", "number", "publisher", "room", "waiting")

    def __init__(
        self,
        number: int,
        publisher: int,
        room: int,
        due: int,
        waiting: set[int],
        line: PublisherOrder,
        note: Callable[[int], None],
    ) -> None:
        self.number = number
        self.publisher = publisher
        self.room = room
        self.due = due
        self.waiting = waiting
        self.line = line
        self.note = note


class Missing(NamedTuple):
    """A message that did not reach all clients here. A few of them are named; there may be many."""

    publisher: int
    clients: int  # how many here did not get it
    named: list[int]  # the first few of them


class Faults(msgspec.Struct):
    """Counts of wrong arrivals, with a few examples in words."""

    duplicates: int = 0
    disordered: int = 0
    altered: int = 0
    strays: int = 0
    examples: list[str] = msgspec.field(default_factory=list)

    def merge(self, other: Faults) -> None:
        """Count in what another worker found."""
        self.duplicates += other.duplicates
        self.disordered += other.disordered
        self.altered += other.altered
        self.strays += other.strays
        self.examples.extend(other.examples[: max(0, _EXAMPLES * 4 - len(self.examples))])

    def give_example(self, count: int, example: str) -> None:
        """Keep *example*, if it is among the first of its kind."""
        if count <= _EXAMPLES:
            self.examples.append(example)


class Ledger:
    """What the clients of one worker must receive in one run. It is told the time.

    A message is entered when it is due, or when it arrives if that is earlier: the clock of the worker that
    published it may run ahead.
    """

    def __init__(self, scenario: Scenario, share: Share, schedule: Schedule) -> None:
        self.delivered = 0  # each expected message once per client
        self.outstanding = 0  # deliveries that are due and have not arrived
        self.faults = Faults()
        self._scenario = scenario
        self._schedule = schedule
        self._timed_from = schedule.pace.start + schedule.pace.warm_up
        here = set(share.clients(scenario))
        self._members = [members & here for members in scenario.members]
        self._open: dict[int, Expected] = {}
        self._lines: dict[int, PublisherOrder] = {}  # by publisher
        self._is_halted = False
        self._warming: list[int] = []
        self._timed: list[int] = []

    def advance(self, now: int) -> None:
        """Enter what is due by *now*."""
        if not self._is_halted:
            self._enter(self._schedule.take(now))

    def halt(self) -> None:
        """Enter nothing more because it is due: publishing has ended early."""
        self._is_halted = True

    def find(self, number: int) -> Expected | None:
        """Return a message of this run by its number; None if the run has no such message."""
        if number >= self._schedule.end or number < self._schedule.pace.first:
            return None
        if number >= self._schedule.next_number:
            self._enter(self._schedule.take_through(number))
        return self._open.get(number)

    def is_earlier(self, number: int) -> bool:
        """Whether *number* was a message of a run before this one."""
        return 0 < number < self._schedule.pace.first

    def is_complete(self, number: int) -> bool:
        """Whether every client that should get a message of this run has got it."""
        return self._schedule.pace.first <= number < self._schedule.next_number and number not in self._open

    def arrived(self, client: int, messages: Sequence[Expected], now: int) -> None:
        """Cross off *messages*, which *client* received at *now* in this order."""
        crossed_off = 0
        for expected in messages:
            waiting = expected.waiting
            number, last = expected.number, expected.line.last
            try:
                waiting.remove(client)
            except KeyError:
                self.not_owed(client, number, expected.room)
                continue
            crossed_off += 1
            if (before := last.get(client, 0)) > number:
                self._disordered(client, expected, before)
            else:
                last[client] = number
            expected.note(now - expected.due)
            if not waiting:
                self._close(expected)
        self.delivered += crossed_off
        self.outstanding -= crossed_off

    def _close(self, expected: Expected) -> None:
        del self._open[expected.number]
        line = expected.line
        line.messages -= 1
        if not line.messages:  # all later ones have higher numbers
            line.last.clear()

    def not_owed(self, client: int, number: int, room: int) -> None:
        """Note that *client* got a message for the second time, or one that was for others."""
        if 0 <= room < len(self._members) and client in self._members[room]:
            self.faults.duplicates += 1
            self.faults.give_example(self.faults.duplicates, f"client {client} got message {number} twice")
        else:
            self.stray(client, f"message {number}, which is for a room it is not in")

    def stray(self, client: int, what: str) -> None:
        """Note that *client* got something that no worker published."""
        self.faults.strays += 1
        self.faults.give_example(self.faults.strays, f"client {client} got {what}")

    def is_altered(self, client: int, channel: str, chat: BenchmarkData, expected: Expected) -> bool:
        """Whether a message differs from what was published. If it does, note that."""
        scenario, room = self._scenario, expected.room
        published = benchmark_data(scenario, expected.number, expected.publisher, room, expected.due)
        if chat == published and channel == scenario.room_name(room):
            return False
        self.faults.altered += 1
        text = f"client {client} got message {expected.number} on {channel} with other contents"
        self.faults.give_example(self.faults.altered, text)
        return True

    def missing(self) -> dict[int, Missing]:
        """Return the messages that did not arrive, by number."""
        return {
            e.number: Missing(e.publisher, len(e.waiting), heapq.nsmallest(_NAMED, e.waiting))
            for e in self._open.values()
        }

    def collect(self) -> tuple[Histogram, Histogram]:
        """Return the latencies since the last call, in warm-up and after it, and forget them."""
        collected = Histogram.of(Counter(self._warming).items()), Histogram.of(Counter(self._timed).items())
        self._warming.clear()
        self._timed.clear()
        return collected

    def _enter(self, batches: Sequence[PublishBatch]) -> None:
        for batch in batches:
            note = (self._timed if batch.due >= self._timed_from else self._warming).append
            line = self._lines.setdefault(batch.publisher, PublisherOrder())
            for number, room in enumerate(batch.rooms, batch.first):
                if members := self._members[room]:
                    self._open[number] = Expected(
                        number, batch.publisher, room, batch.due, set(members), line, note
                    )
                    line.messages += 1
                    self.outstanding += len(members)

    def _disordered(self, client: int, expected: Expected, last: int) -> None:
        self.faults.disordered += 1
        text = (
            f"client {client} got message {expected.number} of client {expected.publisher} after its {last}"
        )
        self.faults.give_example(self.faults.disordered, text)
