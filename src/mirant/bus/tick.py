"""What was published since the last flush, and handing it out so that encoding and framing are shared.

The kernel's `send` is most of what a delivery costs, so everything published in one turn of the event loop
reaches a subscriber in one array. Most ticks have one list of subscribers: then the batch is made once and
written to each. Only where lists differ are deliveries collected per session, and sessions that get the
same deliveries still share one batch.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from mirant.bayeux.messages import Delivery
from mirant.bus.outbox import Batch, coalesce
from mirant.bus.session import Session, State

log = logging.getLogger("mirant")

_ENDED: Final = State.ENDED

Subscribers = tuple[Session, ...]
#: Puts deliveries into the outbox of a session that cannot be written now.
Queue = Callable[[Session, Sequence[Delivery]], None]
#: Promises a batch to the poll that a session holds; says whether that will do.
Promise = Callable[[Session, Batch], bool]


class Tick:
    """The deliveries of one turn of the event loop."""

    __slots__ = ("_mixed", "entries")

    def __init__(self) -> None:
        #: What was added, in this order.
        self.entries: list[tuple[Subscribers, Delivery]] = []
        self._mixed = False  # whether there is more than one list of subscribers

    def __len__(self) -> int:
        return len(self.entries)

    def add(self, subscribers: Subscribers, delivery: Delivery) -> None:
        """Let *subscribers* get *delivery* when the tick is handed out."""
        entries = self.entries
        entries.append((subscribers, delivery))
        if entries[0][0] is not subscribers:
            self._mixed = True

    def hand_out(self, queue: Queue, now: float, promise: Promise | None = None) -> None:
        """Write the tick to every session that can be written; let the others *queue* it. Then start anew.

        What one answer can hold is offered to *promise* first, for sessions that poll.
        """
        entries = self.entries
        if not entries:
            return
        mixed, self.entries, self._mixed = self._mixed, [], False
        if mixed:
            _hand_to_each(entries, queue, now, promise)
        else:
            deliveries = [delivery for _, delivery in entries]
            _hand_to_all(entries[0][0], deliveries, coalesce(deliveries), queue, now, promise)


def _hand_to_all(
    subscribers: Iterable[Session],
    deliveries: Sequence[Delivery],
    batches: Sequence[Batch],
    queue: Queue,
    now: float,
    promise: Promise | None,
) -> None:
    immediate, whole = True, len(batches) == 1
    for delivery in deliveries:
        if delivery.lazy is not None:
            immediate = False
        if delivery.latest and len(deliveries) > 1:
            whole = False  # one may replace another
    batch = batches[0] if immediate and whole and promise is not None else None
    # Once per subscriber: attributes only, no calls but the one that writes (0.15 µs instead of 0.25).
    for session in subscribers:
        link = session.link
        if session.extensions:
            _hand_to_one(session, deliveries, queue, now)
        elif (
            immediate
            and link is not None
            and link.writable
            and session.outbox.idle
            and not session.connect_only
        ):
            link.write(batches)
        elif batch and promise and session.held is not None and promise(session, batch):
            pass  # a poll: its answer takes the batch as it is
        elif session.state is not _ENDED:
            queue(session, deliveries)


def _hand_to_one(session: Session, deliveries: Sequence[Delivery], queue: Queue, now: float) -> None:
    """Give *deliveries* to a session whose own extensions change them."""
    changed = [own for delivery in deliveries if (own := _change(session, delivery, now)) is not None]
    if changed and session.state is not _ENDED:
        queue(session, changed)


def _change(session: Session, delivery: Delivery, now: float) -> Delivery | None:
    """Return what *session* gets of *delivery*; None for nothing."""
    changed: Delivery | None = delivery
    try:
        for extension in session.extensions:
            if changed is not None:
                changed = extension.delivering(changed, session, now)
    except Exception:  # an extension's fault is its own session's, and no other's
        log.exception("extension.failed session=%s channel=%s", session.id[:8], delivery.channel)
        return None
    return changed


class _Path:
    """The deliveries that some sessions get, one behind the other: those who got the same go on together."""

    __slots__ = ("before", "following", "last", "longer", "sessions")

    def __init__(self, before: _Path | None, last: Delivery | None) -> None:
        self.before = before
        self.last = last
        #: The delivery that was appended most recently, and the path with it.
        self.following: Delivery | None = None
        self.longer: _Path | None = None
        #: Who is at its end when all is appended; None for nobody.
        self.sessions: list[Session] | None = None

    def append(self, delivery: Delivery) -> _Path:
        """Return the path that goes on with *delivery*."""
        self.following, self.longer = delivery, _Path(self, delivery)
        return self.longer

    def walk(self) -> list[Delivery]:
        """Return the deliveries in their order. What is before it forgets what is behind.

        In a circle they would wait for the collector, which costs more than all this.
        """
        backwards: list[Delivery] = []
        path: _Path | None = self
        while path is not None:
            path.longer = None
            if path.last is not None:
                backwards.append(path.last)
            path = path.before
        return backwards[::-1]


def _hand_to_each(
    entries: Sequence[tuple[Subscribers, Delivery]], queue: Queue, now: float, promise: Promise | None
) -> None:
    # Once per subscriber and entry: 0.13 µs, where a list for each session and its key take 0.26.
    start = _Path(None, None)
    paths: dict[Session, _Path] = {}
    for subscribers, delivery in entries:
        for session in subscribers:
            path = paths.get(session, start)
            longer = path.longer
            paths[session] = (
                longer if longer is not None and path.following is delivery else path.append(delivery)
            )
    ends: list[tuple[_Path, list[Session]]] = []
    for session, path in paths.items():
        if path.sessions is None:
            path.sessions = [session]
            ends.append((path, path.sessions))
        else:
            path.sessions.append(session)
    for path, sessions in ends:
        deliveries = path.walk()
        _hand_to_all(sessions, deliveries, coalesce(deliveries), queue, now, promise)
