"""What waits for one session, counted in bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol, cast, runtime_checkable

import msgspec

from mirant.bayeux.messages import Delivery
from mirant.options.values import Overflow

#: Where a client is told that messages for it were dropped: ``{"count": n, "channels": {name: n}}``.
DROPPED: Final = "/service/mirant/dropped"

# Most channels named in such a report; the count is of all.
_MAX_REPORTED: Final = 32


class OutboxFull(Exception):
    """A delivery does not fit; `size` bytes are waiting and `limit` is the most that may."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(size, limit)
        self.size = size
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.size} bytes are waiting; the limit is {self.limit}"


@runtime_checkable
class Retention(Protocol):
    """Keeps what left an outbox until its client has it. An extension gives it to a session.

    What it keeps counts towards the outbox's limit: a client that never acknowledges is no different from one
    that never reads.
    """

    @property
    def reserved(self) -> int:
        """How many bytes it keeps."""

    @property
    def due(self) -> int:
        """How many deliveries are to leave again, before anything newer."""

    def again(self, most: int) -> list[Delivery]:
        """Return deliveries that leave again now: at least one if any is due, and at most *most* bytes."""

    def left(self, deliveries: Sequence[Delivery], dropped: Mapping[str, int] | None) -> None:
        """Keep *deliveries*, which leave now, and with them the report of what was *dropped*, by channel."""


class Outbox:
    """The queue of one session. Bounded by bytes, because that is what memory is made of."""

    __slots__ = (
        "_dropped",
        "_latest",
        "_queue",
        "_retention",
        "_share",
        "idle",
        "limit",
        "overflow",
        "size",
        "urgent",
    )

    def __init__(self, limit: int, overflow: Overflow = "disconnect") -> None:
        """Hold at most *limit* bytes; *overflow* says what gives way to what comes then."""
        self.limit = limit
        self.overflow = overflow
        self.size = 0
        #: Whether something waits that should be sent at once: lazy deliveries alone are not urgent.
        self.urgent = False
        #: Whether nothing waits. An attribute, because each delivery asks for it.
        self.idle = True
        self._retention: Retention | None = None
        self._share: int | None = None
        # Most sessions never queue: no containers (600 bytes) until one does.
        self._queue: deque[Delivery | _Latest] | None = None
        self._latest: dict[str, _Latest] | None = None
        self._dropped: dict[str, int] | None = None

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
        # An acknowledgement may also leave nothing that waits; then nothing is urgent any more.
        self.urgent = len(self) > 0
        self.idle = not self.urgent

    def put(self, delivery: Delivery) -> Sequence[Delivery]:
        """Append *delivery*, or let it replace what it supersedes; return the deliveries that were dropped.

        Where the newest gives way, *delivery* itself is dropped.

        A delivery larger than the limit is taken when nothing else waits, so that a limit below the largest
        message delays that message rather than making it undeliverable.

        Raises:
            OutboxFull: it does not fit, and nothing may be dropped.
        """
        size = len(delivery.payload)
        if not delivery.latest and self._retention is None and self.size + size <= self.limit:
            if self._queue is None:
                self._queue, self.idle = deque(), False
            self._queue.append(delivery)
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
        reserved = self.reserved
        while (self._queue or reserved) and self.size + reserved + len(delivery.payload) > self.limit:
            overflow = delivery.overflow or self.overflow
            if overflow == "disconnect":
                raise OutboxFull(self.size + reserved, self.limit)
            if overflow == "drop-newest" or not self._queue:
                self._drop(delivery)
                return [*dropped, delivery]
            dropped.append(self._pop())
            self._drop(dropped[-1])
        self._append(delivery)
        return dropped

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

        If any were dropped since the last time, the first says so (on `DROPPED`).
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
        self.urgent = len(self) > 0
        self.idle = not self.urgent
        return taken

    def clear(self) -> None:
        """Forget everything."""
        self._queue = self._latest = self._dropped = None
        self.size = 0
        self.urgent = False
        self.idle = True

    def _append(self, delivery: Delivery) -> None:
        assert self._queue is not None, "put makes it"
        self.urgent = self.urgent or delivery.lazy is None
        self.size += len(delivery.payload)
        if not delivery.latest:
            self._queue.append(delivery)
            return
        if self._latest is None:
            self._latest = {}
        entry = self._latest[delivery.channel] = _Latest(delivery)
        self._queue.append(entry)

    def _replace(self, delivery: Delivery) -> bool:
        entry = self._latest.get(delivery.channel) if self._latest is not None else None
        if entry is None:
            return False
        growth = len(delivery.payload) - len(entry.delivery.payload)
        if self.size + self.reserved + growth > self.limit:
            return False
        self.size += len(delivery.payload) - len(entry.delivery.payload)
        entry.delivery = delivery
        return True

    def _pop(self) -> Delivery:
        assert self._queue, "only what is there can be taken"
        entry = self._queue.popleft()
        if isinstance(entry, _Latest):
            entry = self._settle(entry)
        self.size -= len(entry.payload)
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
        known = channel in self._dropped or len(self._dropped) < _MAX_REPORTED
        name = channel if known else ""
        self._dropped[name] = self._dropped.get(name, 0) + count

    def _report(self) -> list[Delivery]:
        if self._dropped is None:
            return []
        channels, self._dropped = self._dropped, None
        named = {name: count for name, count in channels.items() if name}
        facts = {"count": sum(channels.values()), "channels": named, "reason": "outbox-full"}
        report = msgspec.json.encode(facts)
        return [Delivery.of_raw(DROPPED, report)]


class _Latest:
    """A place in the queue whose delivery may be replaced while it waits."""

    __slots__ = ("delivery",)

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery


def _payload_size(entry: Delivery | _Latest) -> int:
    return len((entry.delivery if isinstance(entry, _Latest) else entry).payload)
