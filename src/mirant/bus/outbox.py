"""What waits for one session, bounded by bytes and by number."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

from mirant.bayeux.messages import Delivery
from mirant.bus.dropped import count_dropped, report_of
from mirant.bus.retention import Retention
from mirant.options.values import Overflow

# What a delivery takes beside its payload: itself, its channel's name, its place, and what acknowledgements
# need. An outbox has one delivery for each 320 bytes of its limit; small ones some more, which is no harm.
_BESIDES: Final = 320
_ALWAYS: Final = 64


class OutboxFull(Exception):
    """A delivery does not fit; `size` bytes or messages (`unit`) wait and `limit` is the most that may."""

    def __init__(self, size: int, limit: int, unit: str = "bytes") -> None:
        super().__init__(size, limit)
        self.size = size
        self.limit = limit
        self.unit = unit

    def __str__(self) -> str:
        return f"{self.size} {self.unit} are waiting; the limit is {self.limit}"


class Outbox:
    """The queue of one session. Bounded by bytes, and by number, because each delivery is an object too."""

    __slots__ = (
        "_dropped",
        "_latest",
        "_limit",
        "_queue",
        "_retention",
        "_share",
        "ceiling",
        "idle",
        "overflow",
        "size",
        "urgent",
    )

    def __init__(self, limit: int, overflow: Overflow = "disconnect") -> None:
        """Hold at most *limit* bytes, and so many deliveries; *overflow* says what gives way then."""
        self._limit = limit
        #: Bytes up to which `put` takes a delivery at once; less than none while no more may wait by number.
        self.ceiling = limit
        self.overflow = overflow
        self.size = 0
        #: Whether something waits that should be sent at once: lazy deliveries alone are not urgent.
        self.urgent = False
        self.idle = True  # whether nothing waits
        self._retention: Retention | None = None
        self._share: int | None = None
        # Most sessions never queue: no containers (600 bytes) until one does.
        self._queue: deque[Delivery | _Latest] | None = None
        self._latest: dict[str, _Latest] | None = None
        self._dropped: dict[str, int] | None = None

    @property
    def limit(self) -> int:
        """The most bytes of payload that may wait. One delivery may wait for each 320 of them, or 64."""
        return self._limit

    @limit.setter
    def limit(self, limit: int) -> None:
        self._limit = self.ceiling = limit

    @property
    def _most(self) -> int:
        return max(_ALWAYS, self._limit // _BESIDES)

    def __len__(self) -> int:
        report = 0 if self._dropped is None else 1
        due = 0 if self._retention is None else self._retention.due
        return due + report + (0 if self._queue is None else len(self._queue))

    @property
    def reserved(self) -> int:
        """Bytes that count towards the limit though they do not wait."""
        return 0 if self._retention is None else self._retention.reserved

    @property
    def is_retained(self) -> bool:
        """Whether what leaves is kept until the client has it."""
        return self._retention is not None

    def retain(self, retention: Retention) -> None:
        """Let *retention* keep what leaves from now on."""
        self._retention = retention

    def resend(self, dropped: Mapping[str, int], share: int | None = None) -> None:
        """Take note that its retention has deliveries to send again, and reports of what was *dropped*.

        From now on at most *share* bytes are taken at once: what is lost on its way has to leave again.
        """
        self._share = share
        for channel, count in dropped.items():
            self._count_dropped(channel, count)
        # What is queued stays as urgent as it was: lazy deliveries that are due may be among it.
        self.idle = len(self) == 0
        self.urgent = len(self) > len(self._queue or ()) or (self.urgent and not self.idle)

    def put(self, delivery: Delivery) -> Sequence[Delivery]:
        """Append *delivery*, or let it replace what it supersedes; return the deliveries that were dropped.

        Where the newest gives way, *delivery* itself is dropped.

        A delivery larger than the limit is taken when nothing else waits, so that a limit below the largest
        message delays that message rather than making it undeliverable.

        Raises:
            OutboxFull: it does not fit, and nothing may be dropped.
        """
        size = len(delivery.payload)
        if not delivery.latest and self._retention is None and self.size + size <= self.ceiling:
            if self._queue is None:
                self._queue, self.idle = deque((delivery,)), False
            else:
                self._queue.append(delivery)
                if len(self._queue) >= self._most:
                    self.ceiling = -1
            self.size += size
            if delivery.lazy is None:
                self.urgent = True
            return ()
        return self._put_with_care(delivery)

    def _put_with_care(self, delivery: Delivery) -> Sequence[Delivery]:
        """Append *delivery* where something may have to give way, or one may replace another."""
        if delivery.latest and self._replace(delivery):
            self.urgent = self.urgent or delivery.lazy is None
            return ()
        if self._queue is None:
            self._queue, self.idle = deque(), False
        dropped: list[Delivery] = []
        while (full := self._full(len(delivery.payload))) is not None:
            overflow = delivery.overflow or self.overflow
            if overflow == "disconnect":
                raise full
            if overflow == "drop-newest" or not self._queue:
                self._drop(delivery)
                return [*dropped, delivery]
            dropped.append(self._pop())
            self._drop(dropped[-1])
        self._append(delivery)
        return dropped

    def _full(self, size: int) -> OutboxFull | None:
        """Return why *size* bytes more do not fit; None if they do."""
        retention, count = self._retention, 0 if self._queue is None else len(self._queue)
        waiting = self.size
        if retention is not None:
            waiting += retention.reserved
            count += retention.count
        if count and waiting + size > self._limit:
            return OutboxFull(waiting, self._limit)
        return OutboxFull(count, self._most, "messages") if count >= self._most else None

    def hurry(self) -> None:
        """Let what waits lazily be urgent."""
        self.urgent = len(self) > 0

    def put_back(self, deliveries: Iterable[Delivery]) -> None:
        """Put at the front what was taken and could not be sent.

        Where a retention keeps what left, it is kept already, like all that is not acknowledged.
        """
        if self._retention is not None:
            return
        for delivery in reversed(list(deliveries)):
            if self._queue is None:
                self._queue, self.idle = deque(), False
            self._queue.appendleft(delivery)
            self.size += len(delivery.payload)
            self.urgent = True

    def take(self, most: int) -> list[Delivery]:
        """Remove and return deliveries from the front, at least one and at the most *most* bytes.

        If any were dropped since the last time, the first says so (`mirant.bus.dropped`).
        """
        if self._retention is None:
            return self._take_new(most)
        return self._take_retained(self._retention, most)

    def _take_new(self, most: int) -> list[Delivery]:
        if self._dropped is None and self._latest is None and self._queue and self.size <= most:
            everything = cast("list[Delivery]", list(self._queue))  # nothing there can be replaced
            self.clear()
            return everything
        taken = self._report()
        while self._queue and (not taken or most >= _payload_size(self._queue[0])):
            delivery = self._pop()
            taken.append(delivery)
            most -= len(delivery.payload)
        if not self._queue:
            self.clear()
        return taken

    def _take_retained(self, retention: Retention, most: int) -> list[Delivery]:
        """Return what is to leave again, then what is new; *retention* keeps it all."""
        if self._share is not None:
            most = min(most, self._share)
        taken = retention.again(most)
        most -= sum(len(delivery.payload) for delivery in taken)
        if not retention.due and (most > 0 or not taken):
            dropped = self._dropped
            new = self._take_new(most)
            # The report of what was dropped is made anew if need be, so it is not kept.
            retention.left(new if dropped is None else new[1:], dropped)
            taken += new
        self.idle = len(self) == 0
        self.urgent = len(self) > len(self._queue or ()) or (self.urgent and not self.idle)
        return taken

    def clear(self) -> None:
        """Forget everything."""
        self._queue = self._latest = self._dropped = None
        self.size = 0
        self.ceiling = self._limit
        self.urgent = False
        self.idle = True

    def _append(self, delivery: Delivery) -> None:
        assert self._queue is not None, "put makes it"
        self.urgent = self.urgent or delivery.lazy is None
        self.size += len(delivery.payload)
        entry: Delivery | _Latest = delivery
        if delivery.latest:
            if self._latest is None:
                self._latest = {}
            entry = self._latest[delivery.channel] = _Latest(delivery)
        self._queue.append(entry)
        if len(self._queue) >= self._most:
            self.ceiling = -1

    def _replace(self, delivery: Delivery) -> bool:
        entry = self._latest.get(delivery.channel) if self._latest is not None else None
        if entry is None:
            return False
        growth = len(delivery.payload) - len(entry.delivery.payload)
        if self.size + self.reserved + growth > self._limit:
            return False
        self.size += growth
        entry.delivery = delivery
        return True

    def _pop(self) -> Delivery:
        assert self._queue, "only what is there can be taken"
        entry = self._queue.popleft()
        if isinstance(entry, _Latest):
            entry = self._settle(entry)
        self.size -= len(entry.payload)
        if self.ceiling < 0 and len(self._queue) < self._most:
            self.ceiling = self._limit
        return entry

    def _settle(self, entry: _Latest) -> Delivery:
        """Return the delivery in *entry*, which cannot be replaced any more."""
        delivery = entry.delivery
        if self._latest is not None and self._latest.get(delivery.channel) is entry:
            del self._latest[delivery.channel]
        return delivery

    def _drop(self, delivery: Delivery) -> None:
        # The client is to learn of it, even if nothing else waits.
        self.urgent = self.urgent or delivery.lazy is None
        self._count_dropped(delivery.channel, 1)

    def _count_dropped(self, channel: str, count: int) -> None:
        if self._dropped is None:
            self._dropped, self.idle = {}, False
        count_dropped(self._dropped, channel, count)

    def _report(self) -> list[Delivery]:
        if self._dropped is None:
            return []
        dropped, self._dropped = self._dropped, None
        return [report_of(dropped)]


class _Latest:
    """A place in the queue whose delivery may be replaced while it waits."""

    __slots__ = ("delivery",)

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery


def _payload_size(entry: Delivery | _Latest) -> int:
    return len((entry.delivery if isinstance(entry, _Latest) else entry).payload)
