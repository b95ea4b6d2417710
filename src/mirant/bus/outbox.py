"""What waits for one session, counted in bytes, and how it is coalesced for the wire."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final

from mirant.bayeux.messages import Delivery

# Largest coalesced frame. What is published in one tick travels in one array, but not without limit: an
# uncapped one grew to 8 MB behind a slow reader, and clients refuse large ones (CometD Java 64 KiB).
MAX_FRAME: Final = 32 * 1024


class OutboxFull(Exception):
    """A delivery does not fit; `size` bytes are waiting and `limit` is the most that may."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(size, limit)
        self.size = size
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.size} bytes are waiting; the limit is {self.limit}"


class Batch:
    """Some deliveries as one JSON array: made once, written to every subscriber that gets just these."""

    __slots__ = ("_payload", "deliveries", "wire")

    def __init__(self, deliveries: Sequence[Delivery]) -> None:
        self.deliveries = deliveries
        self._payload: bytes | None = None
        #: For the host: the form in which it writes this batch (a frame, a string), so that it is made once.
        self.wire: Any = None

    @property
    def payload(self) -> bytes:
        """The JSON array."""
        if self._payload is None:
            self._payload = b"[%b]" % b",".join([delivery.payload for delivery in self.deliveries])
        return self._payload


def coalesce(deliveries: Sequence[Delivery]) -> list[Batch]:
    """Return *deliveries* in as few batches as `MAX_FRAME` allows; a larger delivery travels alone."""
    if len(deliveries) == 1:
        return [Batch(deliveries)]
    batches, start, size = [], 0, 0
    for index, delivery in enumerate(deliveries):
        size += len(delivery.payload) + 1
        if size > MAX_FRAME and index > start:
            batches.append(Batch(deliveries[start:index]))
            start, size = index, len(delivery.payload) + 1
    batches.append(Batch(deliveries[start:]))
    return batches


class Outbox:
    """The queue of one session. Bounded by bytes, because that is what memory is made of."""

    __slots__ = ("_queue", "limit", "size")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        # Most sessions never queue: no deque (600 bytes) until one does.
        self._queue: deque[Delivery] | None = None

    def __len__(self) -> int:
        return 0 if self._queue is None else len(self._queue)

    def put(self, delivery: Delivery) -> None:
        """Append *delivery*.

        A delivery larger than the limit is taken when nothing else waits, so that a limit below the largest
        message delays that message rather than making it undeliverable.

        Raises:
            OutboxFull: it does not fit.
        """
        size = self.size + len(delivery.payload)
        if self._queue is None:
            self._queue = deque()
        elif size > self.limit and self._queue:
            raise OutboxFull(self.size, self.limit)
        self._queue.append(delivery)
        self.size = size

    def put_back(self, deliveries: Iterable[Delivery]) -> None:
        """Put at the front what was taken and could not be sent. It was in before, so it fits."""
        if self._queue is None:
            self._queue = deque()
        for delivery in reversed(list(deliveries)):
            self._queue.appendleft(delivery)
            self.size += len(delivery.payload)

    def take(self, most: int) -> list[Delivery]:
        """Remove and return deliveries from the front, at least one and at the most *most* bytes."""
        taken: list[Delivery] = []
        queue = self._queue
        while queue and (not taken or most >= len(queue[0].payload)):
            delivery = queue.popleft()
            taken.append(delivery)
            most -= len(delivery.payload)
            self.size -= len(delivery.payload)
        if not queue:
            self._queue = None
        return taken

    def clear(self) -> None:
        """Forget everything."""
        self._queue = None
        self.size = 0
