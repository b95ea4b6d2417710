"""What a bus has done and what it holds, as numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from mirant.bus.contracts import Observer
from mirant.bus.deliveries import Deliveries
from mirant.bus.hub import Hub
from mirant.bus.party import Party
from mirant.bus.refusal import Refusal
from mirant.bus.session import Ending, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """The numbers of one moment. Counts are since the bus was made, the others are of now."""

    #: Sessions there are, subscriptions they have, and patterns that somebody is subscribed to.
    sessions: int
    subscriptions: int
    channels: int
    #: Sessions that began, and sessions that ended by why (`Ending`).
    opened: int
    ended: dict[str, int] = field(default_factory=dict)
    #: Messages that were accepted on broadcast channels.
    published: int
    #: Messages that were handed to sessions: a publish to ten subscribers counts ten. What was handed to a
    #: session may still wait for it.
    delivered: int
    #: Batches that were written into connections at once, without waiting.
    pushed: int
    #: Messages that did not fit into an outbox.
    dropped: int
    #: Refused messages by error, such as ``403::publish_denied``.
    refused: dict[str, int] = field(default_factory=dict)
    #: Bytes that wait in the outboxes of all sessions.
    waiting: int
    #: Seconds between the moment at which the last flush was asked for and the flush: how late the event
    #: loop is. And the most it ever was.
    lag: float
    worst_lag: float


class Counters(Observer):
    """Counts what happens seldom. What happens with each message is counted where it happens."""

    __slots__ = ("_dropped", "_endings", "_opened", "_refusals")

    def __init__(self) -> None:
        self._opened = 0
        self._dropped = 0
        self._endings: Counter[str] = Counter()
        self._refusals: Counter[str] = Counter()

    def opened(self, session: Session) -> None:
        self._opened += 1

    def ended(self, session: Session, ending: Ending) -> None:
        self._endings[ending.value] += 1

    def refused(self, party: Party, channel: str | None, refusal: Refusal) -> None:
        # Without the argument: clients choose some of these, and the table must stay small.
        self._refusals[refusal.error.wire()] += 1

    def dropped(self, session: Session, channel: str, count: int) -> None:
        self._dropped += count

    def read(self, sessions: int, hub: Hub, deliveries: Deliveries) -> Statistics:
        """Return the numbers of this moment, with those that *hub* and *deliveries* keep."""
        return Statistics(
            sessions=sessions,
            subscriptions=hub.count,
            channels=len(hub.subscriptions),
            opened=self._opened,
            ended=dict(self._endings),
            published=hub.published,
            delivered=deliveries.delivered,
            pushed=deliveries.tick.pushed,
            dropped=self._dropped,
            refused=dict(self._refusals),
            waiting=deliveries.waiting,
            lag=deliveries.lag,
            worst_lag=deliveries.worst_lag,
        )
