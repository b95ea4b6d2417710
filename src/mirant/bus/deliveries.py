"""The one door out: what may leave is collected here, and leaves by `Carrier.send`.

Theory, per tick:

- Messages precede replies in an HTTP response: clients rely on that order.
- A publisher's own message rides on the reply to its publish, not on its held poll.
- Each subscriber gets one frame for all that a tick published.

So a flush (`mirant.bus.flushing`) first hands out what was published, then sends the answers, and then looks
at the sessions for which something waits. What a carrier did not take goes back to the front of the outbox.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mirant.bayeux.messages import Delivery
from mirant.bus.batch import coalesce
from mirant.bus.carrier import MAX_HANDED_OVER, Carrier, Outgoing
from mirant.bus.clock import Clock
from mirant.bus.contracts import Host
from mirant.bus.extension import Extensions, change_for
from mirant.bus.observer import Observers
from mirant.bus.outbox import OutboxFull
from mirant.bus.replies import Replies
from mirant.bus.session import Session
from mirant.bus.tick import Remainder, Subscribers, Tick
from mirant.bus.timetable import Timetable
from mirant.bus.traits import ENDED, EXTENDED
from mirant.bus.turn import Turn


class Deliveries:
    """Collects what is to leave, asks the host for one flush at the end of the tick, and sends it then."""

    __slots__ = (
        "_asked",
        "_asked_at",
        "_clock",
        "_completed",
        "_gathered",
        "_host",
        "_observers",
        "_overflowed",
        "_released",
        "_replies",
        "_timetable",
        "delivered",
        "gathered_until",
        "lag",
        "marked",
        "tick",
        "waiting",
        "worst_lag",
    )

    def __init__(
        self,
        host: Host,
        clock: Clock,
        extensions: Extensions,
        timetable: Timetable,
        observers: Observers,
        overflowed: Callable[[Session, OutboxFull], None],
    ) -> None:
        """*overflowed* ends a session whose outbox is full."""
        self._host = host
        self._clock = clock
        self._replies = Replies(extensions, observers, self.take, self.put_back, self.send)
        self._timetable = timetable
        self._observers = observers
        self._overflowed = overflowed
        #: What was published since the last flush.
        self.tick = Tick(observers)
        #: Sessions for which something waits that should be sent.
        self.marked: list[Session] = []
        #: Sessions that stay marked until `gathered_until`, because polls are not answered before.
        self._gathered: list[Session] = []
        self.gathered_until: float | None = None
        #: Sessions that were gathered long enough.
        self._released: list[Session] = []
        self._completed: list[Turn] = []
        self._asked = False
        self._asked_at = 0.0
        #: Bytes that wait in all outboxes.
        self.waiting = 0
        #: How many deliveries were handed to sessions.
        self.delivered = 0
        #: How many seconds after it was asked for the last flush came, and the most it ever was.
        self.lag = self.worst_lag = 0.0

    def __len__(self) -> int:
        """How much there is to send."""
        marked = len(self.marked) + len(self._gathered) + len(self._released)
        return len(self.tick.entries) + len(self._completed) + marked

    # --- Collecting ---

    def publish(self, subscribers: Subscribers, delivery: Delivery) -> None:
        """Let *subscribers* get *delivery*."""
        if not self._asked:
            self._ask()
        self.delivered += len(subscribers)
        self.tick.add(subscribers, delivery)

    def complete(self, turn: Turn, now: float | None = None) -> None:
        """Let the answers of *turn* be sent; *now* spares a look at the clock where it is known."""
        if not self._asked:
            self._ask(now)
        self._completed.append(turn)

    def mark(self, session: Session) -> None:
        """Let what waits for *session* be sent, if it can be written or polls."""
        if not session.dirty:
            if not self._asked:
                self._ask()
            session.dirty = True
            self.marked.append(session)

    def queue(self, session: Session, deliveries: Sequence[Delivery], now: float) -> None:
        """Let *deliveries* wait for *session*, changed as its own extensions want them."""
        if session.traits & ENDED:
            return
        if session.traits & EXTENDED:
            deliveries = change_for(session, deliveries, now, self._observers)
            if not deliveries or session.traits & ENDED:
                return
        outbox, before = session.outbox, session.outbox.size
        try:
            for delivery in deliveries:
                for dropped in outbox.put(delivery):
                    for tell in self._observers.dropped:
                        tell(session, dropped.channel, 1)
        except OutboxFull as full:
            self.waiting += outbox.size - before
            self._overflowed(session, full)
            return
        self.waiting += outbox.size - before
        if outbox.urgent:
            self.mark(session)
        else:
            self._timetable.wait_lazily(session, now + min(each.lazy or 0.0 for each in deliveries))

    def _queue_for_all(self, sessions: Sequence[Session], delivery: Delivery, now: float) -> None:
        """Let *delivery* wait for each of *sessions*: 0.4 µs each, where `queue` takes 1."""
        unusual = ENDED | EXTENDED
        usual_delivery = delivery.lazy is None and not delivery.latest
        size, marked, waiting = len(delivery.payload), self.marked, 0
        for session in sessions:
            outbox = session.outbox
            if usual_delivery and not session.traits & unusual and outbox.size + size <= outbox.ceiling:
                outbox.put(delivery)
                waiting += size
                if not session.dirty:
                    session.dirty = True
                    marked.append(session)
            else:
                self.queue(session, (delivery,), now)
        self.waiting += waiting

    def take(self, session: Session, most: int) -> list[Delivery]:
        """Take what waits for *session*, at most *most* bytes of it, to be sent now."""
        outbox, before = session.outbox, session.outbox.size
        taken = outbox.take(most)
        self.waiting += outbox.size - before
        return taken

    def take_all(self, session: Session) -> list[Delivery]:
        """Take all that waits for *session*."""
        taken: list[Delivery] = []
        while session.outbox:  # where the client acknowledges, little is taken at once
            taken += self.take(session, session.outbox.size)
        return taken

    def put_back(self, session: Session, deliveries: Sequence[Delivery]) -> None:
        """Let *deliveries*, which were taken and could not be sent, wait for *session* again."""
        if session.traits & ENDED:
            return
        outbox, before = session.outbox, session.outbox.size
        outbox.put_back(deliveries)
        self.waiting += outbox.size - before

    def wake(self, session: Session) -> None:
        """Let what waits for *session* be sent at the next occasion, if any of it is urgent."""
        if session.outbox.urgent:
            self.mark(session)

    def hurry(self, session: Session) -> None:
        """Let what waits lazily for *session* be sent now."""
        session.outbox.hurry()
        self.mark(session)

    def forget(self, session: Session) -> None:
        """Take note that *session* is ending, and with it what waits for it."""
        self.waiting -= session.outbox.size

    # --- Sending ---

    def begin_flush(self, now: float, *, rests: bool) -> list[Remainder]:
        """Write what was published, but not to polls while it *rests*; return what could not be written."""
        if self._asked:
            self.lag = now - self._asked_at
            if self.lag > self.worst_lag:
                self.worst_lag = self.lag
        self._asked = True  # what is added meanwhile is sent too, unless it comes too late
        if not self.tick.entries:
            return []
        if rests:
            self.tick.set_aside(lambda sessions, delivery: self._queue_for_all(sessions, delivery, now))
        return self.tick.hand_out()

    def end_flush(self) -> None:
        """Report, and ask the host anew if something came too late."""
        self._asked = False
        for tell in self._observers.flushed:
            tell(self.delivered, self.tick.pushed, self.lag)
        if self.tick.entries or self._completed or self.marked or self._released:
            self._ask()

    def ask_again(self) -> None:
        """Ask the host anew, if there is something to send: what was asked before may have been lost."""
        self._asked = False
        if self.tick.entries or self._completed or self.marked or self._released:
            self._ask()

    def answered(self) -> set[Session | None]:
        """Return the sessions that get an answer in this flush anyway."""
        return {turn.session for turn in self._completed}

    def take_marked(self, rest: float | None) -> list[Session]:
        """Return the sessions for which something waits and may be sent now.

        *rest* says until when polls are not answered, if they are not: those sessions stay marked until then.
        """
        marked, self.marked = self.marked, []
        # What was gathered long enough is not gathered again, whatever went on meanwhile.
        ready, self._released = self._released, []
        for session in ready:
            session.dirty = False
        for session in marked:
            if rest is not None and session.link is None:
                self._gathered.append(session)
            else:
                session.dirty = False
                ready.append(session)
        if self._gathered and self.gathered_until is None and rest is not None:
            self.gathered_until = rest
            self._host.wake_at(rest)
        return ready

    def go_on(self, now: float) -> None:
        """Let the sessions that were gathered be looked at again, if it is time."""
        if self.gathered_until is not None and self.gathered_until <= now:
            self.gathered_until = None
            self._released += self._gathered
            self._gathered = []
            if not self._asked:
                self._ask()

    def push(self, session: Session) -> None:
        """Write what waits for *session* into its link, as much as that takes."""
        link = session.link
        while link is not None and session.outbox.urgent and link.writable:
            taken = self.take(session, MAX_HANDED_OVER)
            if not self.send(link, Outgoing(coalesce(taken))):
                self.put_back(session, taken)
                return

    def finish(self, now: float) -> bool:
        """Send the answers that are complete; return whether there are sessions that were marked."""
        while self._completed:
            turns, self._completed = self._completed, []
            alone = len(turns) == 1
            for carrier, finished in ((turns[0].carrier, turns),) if alone else _by_carrier(turns):
                try:
                    self._replies.answer(carrier, finished, now)
                except Exception as error:  # what fails here must not keep the others from their answers
                    self._observers.fail("carrier.failed", error, transport=carrier.transport)
        return bool(self.marked or self._released)

    def send(self, carrier: Carrier[Session], out: Outgoing) -> bool:
        """Send *out*; a carrier that fails must not keep the other clients from their messages."""
        try:
            return carrier.send(out)
        except Exception as error:
            self._observers.fail("carrier.failed", error, transport=carrier.transport)
            return True

    def _ask(self, now: float | None = None) -> None:
        self._host.flush_soon()
        self._asked = True
        self._asked_at = self._clock.time() if now is None else now


def _by_carrier(turns: Iterable[Turn]) -> Iterable[tuple[Carrier[Session], list[Turn]]]:
    found: dict[Carrier[Session], list[Turn]] = {}
    for turn in turns:
        found.setdefault(turn.carrier, []).append(turn)
    return found.items()
