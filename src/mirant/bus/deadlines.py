"""When each session must be looked at again: one structure for all of them.

A session's deadline moves with nearly every message, so moving it must cost next to nothing, and there is
no timer, task or heap entry per move. Sessions wait in buckets of `GRANULARITY` seconds. A deadline that
moves *later* only changes a number: the session is found too early in its old bucket and put into a new one.
"""

from __future__ import annotations

from heapq import heappop, heappush
from math import ceil
from typing import Final, Generic, Protocol, TypeVar

# How late a deadline may be noticed. Timeouts are seconds, nobody can tell; and the host's timer fires at
# most 20 times a second, however many sessions there are.
GRANULARITY: Final = 0.05


class Entry(Protocol):
    """What has a deadline. `bucket` is for `Deadlines` alone; it is None while the entry is in none."""

    deadline: float
    bucket: int | None


E = TypeVar("E", bound=Entry)


class Deadlines(Generic[E]):
    """Entries by the time at which they must be looked at; all operations are O(1) per entry and bucket."""

    __slots__ = ("_buckets", "_order")

    def __init__(self) -> None:
        self._buckets: dict[int, dict[E, None]] = {}
        self._order: list[int] = []  # a heap of the buckets' numbers, each once

    def set(self, entry: E, deadline: float) -> bool:
        """Let *entry* be due at *deadline*; return whether `next` may have come nearer by this."""
        entry.deadline = deadline
        if entry.bucket is not None:
            if entry.bucket * GRANULARITY <= deadline:
                return False  # it will be found early, and moved then; so mostly, and it takes no `ceil`
            bucket = ceil(deadline / GRANULARITY)
            if entry.bucket <= bucket:
                return False
            self.remove(entry)
            return self._put(entry, bucket)
        return self._put(entry, ceil(deadline / GRANULARITY))

    def remove(self, entry: E) -> None:
        """Forget *entry*; nothing happens if it is not here."""
        if entry.bucket is not None:
            self._buckets[entry.bucket].pop(entry)
            entry.bucket = None

    def next(self) -> float | None:
        """Return when `due` has to be called next, or None if there is nothing to wait for."""
        while self._order and not self._buckets[self._order[0]]:
            del self._buckets[heappop(self._order)]
        return self._order[0] * GRANULARITY if self._order else None

    def due(self, now: float) -> list[E]:
        """Remove and return the entries whose deadline is not after *now*."""
        found: list[E] = []
        while self._order and self._order[0] * GRANULARITY <= now:
            bucket = heappop(self._order)
            for entry in self._buckets.pop(bucket):
                entry.bucket = None
                if entry.deadline <= now:
                    found.append(entry)
                else:
                    # Never into the same bucket again: rounding may have put it one too early.
                    self._put(entry, max(ceil(entry.deadline / GRANULARITY), bucket + 1))
        return found

    def _put(self, entry: E, bucket: int) -> bool:
        entry.bucket = bucket
        entries = self._buckets.get(bucket)
        if entries is not None:
            entries[entry] = None
            return False
        self._buckets[bucket] = {entry: None}
        heappush(self._order, bucket)
        return self._order[0] == bucket
