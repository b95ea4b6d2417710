"""What was published since the last flush, and handing it out so that encoding and framing are shared.

The kernel's `send` is most of what a delivery costs, so everything published in one turn of the event loop
reaches a subscriber in one array. Most ticks have one list of subscribers: then the batch is made once and
written to each. Only where lists differ are deliveries collected per session, and sessions that get the
same deliveries still share one batch.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from mirant.bayeux.messages import Delivery
from mirant.bus.outbox import Batch, coalesce
from mirant.bus.session import Session, State

log = logging.getLogger("mirant")

Subscribers = tuple[Session, ...]
#: Puts deliveries into the outbox of a session that cannot be written now.
Queue = Callable[[Session, Sequence[Delivery]], None]


class Tick:
    """The deliveries of one turn of the event loop."""

    __slots__ = ("_entries",)

    def __init__(self) -> None:
        self._entries: list[tuple[Subscribers, Delivery]] = []

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, subscribers: Subscribers, delivery: Delivery) -> None:
        """Let *subscribers* get *delivery* when the tick is handed out."""
        self._entries.append((subscribers, delivery))

    def hand_out(self, queue: Queue, now: float) -> None:
        """Write the tick to every session that can be written; let the others *queue* it. Then start anew."""
        entries, self._entries = self._entries, []
        if not entries:
            return
        subscribers = entries[0][0]
        if all(entry[0] is subscribers for entry in entries):
            deliveries = [delivery for _, delivery in entries]
            _hand_to_all(subscribers, deliveries, coalesce(deliveries), queue, now)
        else:
            _hand_to_each(entries, queue, now)


def _hand_to_all(
    subscribers: Subscribers,
    deliveries: Sequence[Delivery],
    batches: Sequence[Batch],
    queue: Queue,
    now: float,
) -> None:
    immediate = all(delivery.lazy is None for delivery in deliveries)
    for session in subscribers:
        link = session.link
        if session.extensions:
            _hand_to_one(session, deliveries, queue, now)
        elif (
            link is not None
            and link.writable
            and immediate
            and not session.outbox
            and not session.connect_only
        ):
            link.write(batches)
        elif session.state is not State.ENDED:
            queue(session, deliveries)


def _hand_to_one(session: Session, deliveries: Sequence[Delivery], queue: Queue, now: float) -> None:
    """Give *deliveries* to a session whose own extensions change them."""
    changed = [own for delivery in deliveries if (own := _change(session, delivery, now)) is not None]
    if changed and session.state is not State.ENDED:
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


def _hand_to_each(entries: Sequence[tuple[Subscribers, Delivery]], queue: Queue, now: float) -> None:
    per_session: dict[Session, list[Delivery]] = {}
    for subscribers, delivery in entries:
        for session in subscribers:
            per_session.setdefault(session, []).append(delivery)
    shared: dict[tuple[int, ...], list[Batch]] = {}
    for session, deliveries in per_session.items():
        key = tuple(map(id, deliveries))
        batches = shared.get(key)
        if batches is None:
            batches = shared[key] = coalesce(deliveries)
        _hand_to_all((session,), deliveries, batches, queue, now)
