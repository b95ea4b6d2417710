"""The core of a bus: its parts, made and wired, and what hosts and applications ask of them.

It is driven from outside. A host passes in messages and the time; the core tells it through `Host` when it
wants `flush` to be called and when `advance`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

from mirant.bayeux.channels import CONNECT, DISCONNECT, SUBSCRIBE, UNSUBSCRIBE, Channel
from mirant.bayeux.messages import Delivery, Message, Reply
from mirant.bus.audit import Audit
from mirant.bus.batch import Batch
from mirant.bus.browsers import Browsers
from mirant.bus.calls import Calls
from mirant.bus.carrier import Carrier, Link
from mirant.bus.clock import Clock
from mirant.bus.connecting import Connecting
from mirant.bus.contracts import Engine, Guard, Host, Result
from mirant.bus.deliveries import Deliveries
from mirant.bus.enforcing import Enforcing
from mirant.bus.extension import Extensions
from mirant.bus.handling import session_of
from mirant.bus.handshaking import Handshaking
from mirant.bus.hooks import Hooks, Pipeline, tell
from mirant.bus.hub import Hub
from mirant.bus.in_force import InForce
from mirant.bus.links import Links
from mirant.bus.log import SessionLog
from mirant.bus.observer import Observers
from mirant.bus.outbox import OutboxFull
from mirant.bus.plain_connect import KnownConnect
from mirant.bus.polls import Polls
from mirant.bus.publishing import Publishing
from mirant.bus.receive import Receiver
from mirant.bus.record import SessionRecord
from mirant.bus.session import Ending, Session
from mirant.bus.sessions import Sessions
from mirant.bus.statistics import Counters, Statistics
from mirant.bus.subscribing import Subscribing
from mirant.bus.timetable import Timetable
from mirant.bus.traits import CLOSING, RENEWING, WATCHED
from mirant.bus.turn import Turn
from mirant.bus.windows import Windows
from mirant.options.settings import Settings

log = logging.getLogger("mirant")


class Core:
    """One bus, without a network and without a clock."""

    def __init__(
        self,
        settings: Settings,
        host: Host,
        engine: Engine,
        clock: Clock,
        *,
        secret: bytes | None = None,
        chance: Callable[[], float],
    ) -> None:
        """Make the parts of a bus that runs on *host*.

        *chance* gives a number from 0 to 1, another one each time. Nothing secret depends on it.
        """
        #: The options that are in force. `configure` changes them.
        self.settings = settings
        self._host = host
        self._engine = engine
        self._clock = clock
        self._in_force = in_force = InForce(settings)
        self._registry: dict[str, Session] = {}
        self._counters = Counters()
        self.observers = observers = Observers(Audit(clock), SessionLog(), self._counters)
        self.hooks = Hooks(self._note_hooks)
        self.extensions = extensions = Extensions(self._note_extensions)
        self.browsers = Browsers(secret)

        self._timetable = timetable = Timetable(host)
        self._windows = windows = Windows(settings.max_windows)
        self._deliveries = deliveries = Deliveries(
            host, clock, extensions, timetable, observers, self._end_full
        )
        self._polls = polls = Polls(self._registry, deliveries, timetable, windows, in_force, clock, chance)
        self._links = links = Links(deliveries, polls, windows)
        self._sessions = sessions = Sessions(
            self._registry,
            deliveries,
            polls,
            links,
            windows,
            timetable,
            extensions,
            in_force,
            observers,
            self._forget,
        )
        self.hub = hub = Hub(engine, self._registry, deliveries, extensions, observers, clock)
        self._enforcing = Enforcing(sessions, hub, in_force, observers, clock)
        self._receiver = self._make_receiver()
        #: Process messages that came in: `mirant.bus.receive.Receiver.receive`.
        self.receive: Callable[[Sequence[Message], Carrier[Session], float], Pipeline]
        self.receive = self._receiver.receive
        #: Accept a message of the application's for all subscribers: `mirant.bus.hub.Hub.publish`.
        self.publish: Callable[[Channel, Delivery], Result[int]] = hub.publish
        #: Hold a connect if it is plain: `mirant.bus.polls.Polls.hold_plain`.
        self.hold_plain: Callable[
            [bytes, Carrier[Session], float, KnownConnect | None], KnownConnect | None
        ] = polls.hold_plain

    # --- What is in force ---

    @property
    def guard(self) -> Guard | None:
        """Who decides who may do what; None: everybody may do everything."""
        return self._in_force.guard

    @property
    def closing(self) -> bool:
        """Whether the server is going away: nothing is held any more."""
        return bool(self._in_force.traits & CLOSING)

    def configure(self, settings: Settings) -> None:
        """Go by *settings* from now on; sessions that there are keep what they began with."""
        self.settings = self._in_force.settings = settings
        self._windows.restrict(settings.max_windows)
        self._engine.configure(settings)

    def enforce(self, guard: Guard | None) -> None:
        """Let *guard* judge from now on; subscriptions that it would not grant are revoked."""
        self._enforcing.install(guard, list(self._registry.values()))

    # --- Sessions and their carriers ---

    @property
    def sessions(self) -> dict[str, Session]:
        """The sessions there are, by clientId. To be read."""
        return self._registry

    def adopt(self, record: SessionRecord) -> Session:
        """Go on with a session that another process had, until it is heard of or expires."""
        session = self._sessions.adopt(record)
        self.hub.adopt(session)
        now = self._clock.time()
        self._enforcing.identify(session, record.identity, now)
        self._enforcing.review(session)  # other rules may be in force here
        self._polls.expect(session, now)
        return session

    def find(self, client_id: str | None, carrier: Carrier[Session]) -> Session | None:
        """Return the session with *client_id*, if *carrier* may have it."""
        return self._sessions.find(client_id, carrier)

    def attach(self, session: Session, link: Link[Session]) -> None:
        """Let *link* be where deliveries for *session* are pushed."""
        self._links.attach(session, link)

    def detach(self, carrier: Carrier[Session], now: float, unsent: Iterable[Batch] = ()) -> None:
        """Take note that *carrier* is gone, and that what is *unsent* never left."""
        self._links.detach(carrier, now, unsent)

    def let_go(self, carrier: Carrier[Session], now: float) -> None:
        """Answer the connect that is held on *carrier* now, with advice to come back later."""
        self._polls.let_go(carrier, now)
        self.flush(now)

    def resume(self, link: Link[Session]) -> None:
        """Take note that *link* is writable again."""
        self._links.resume(link)

    def dismiss(self, session: Session, turn: Turn | None = None) -> None:
        """End *session* on behalf of the application; its client gets what waits and stays away.

        *turn* is one of its own that is being processed, if there is one.
        """
        self._hand_out(self._clock.time())
        self._sessions.dismiss(session, turn)

    # --- Messages out ---

    def deliver(self, session: Session, delivery: Delivery) -> None:
        """Accept *delivery* for *session* alone, whatever it subscribed to. To one that ended, nothing."""
        self.hub.deliver(session, delivery)

    def flush(self, now: float) -> None:
        """Send what is to be sent: what was published, then the answers, then what waits."""
        deliveries = self._deliveries
        try:
            rest = self._polls.rest(now)
            remainders = deliveries.begin_flush(now, rests=rest is not None)
            if remainders:
                self._polls.offer(remainders, deliveries.answered(), now)
            if deliveries.finish(now):
                self._send_what_waits(now, rest)
            elif remainders:
                self._polls.end_burst()
        finally:
            deliveries.end_flush()

    def _send_what_waits(self, now: float, rest: float | None) -> None:
        """Send what waits for marked sessions: into their links, or as answers to their polls."""
        for session in self._deliveries.take_marked(rest):
            try:
                if session.link is not None and not session.record.connect_only:
                    self._deliveries.push(session)
                elif session.outbox.urgent:
                    self._polls.answer(session, now)
            except Exception:  # one session's failure must not keep the others from their messages
                log.exception("session.failed session=%s", session.label)
        self._deliveries.finish(now)
        self._polls.end_burst()

    def _hand_out(self, now: float) -> None:
        """Give what was published to the sessions: into their connections, or into their outboxes."""
        for remainder in self._deliveries.tick.hand_out():
            for session in remainder.sessions:
                self._deliveries.queue(session, remainder.deliveries, now)

    # --- Time ---

    def next_deadline(self) -> float | None:
        """Return when `advance` has to be called next, or None if there is nothing to wait for."""
        times = [
            when for when in (self._timetable.next(), self._deliveries.gathered_until) if when is not None
        ]
        return min(times, default=None)

    def advance(self, now: float) -> None:
        """Answer the polls that were held long enough, send what was lazy, end what was not heard of."""
        self._deliveries.go_on(now)
        for session in self._timetable.due(now):
            if self._timetable.is_lazy_due(session, now):
                self._deliveries.hurry(session)
            if session.identity_until <= now:
                self._sessions.end(session, Ending.IDENTITY_EXPIRED)
            elif session.until > now:
                self._timetable.resume(session)
            elif session.held is not None:
                self._polls.release(session, now)
            else:
                self._sessions.end(session, Ending.EXPIRED)

    def reopen(self) -> None:
        """Hold polls again, after `close`, and ask the host anew for what was asked before."""
        self._in_force.mark(CLOSING, when=False)
        self._deliveries.ask_again()
        upcoming = self.next_deadline()
        if upcoming is not None:
            self._host.wake_at(upcoming)

    def close(self, now: float) -> None:
        """Answer every poll that is held, close every connection with 1001, and hold no poll from now on."""
        self._in_force.mark(CLOSING)
        self._polls.close(now)
        self.flush(now)
        for session in list(self._registry.values()):
            if session.link is not None:
                session.link.close(1001, "the server is going away")

    def statistics(self) -> Statistics:
        """Return what the bus has done so far and what it holds."""
        return self._counters.read(len(self._registry), self.hub, self._deliveries)

    # --- Inside ---

    def _make_receiver(self) -> Receiver:
        """Make the way in: a handler for each kind of message, and what takes messages to them."""
        in_force, hooks, clock = self._in_force, self.hooks, self._clock
        polls, links = self._polls, self._links
        handshaking = Handshaking(
            self._registry,
            self._sessions,
            polls,
            links,
            self._enforcing,
            self.extensions,
            in_force,
            hooks,
            self.observers,
            clock,
        )
        connecting = Connecting(
            polls, links, self._windows, self._enforcing, in_force, hooks, self.observers, clock
        )
        subscribing = Subscribing(self.hub, in_force, hooks, clock)
        return Receiver(
            handshaking.handshake,
            {
                CONNECT: connecting.connect,
                SUBSCRIBE: subscribing.subscribe,
                UNSUBSCRIBE: subscribing.unsubscribe,
                DISCONNECT: self._disconnect,
            },
            Publishing(self.hub, in_force, hooks, clock),
            Calls(self._host, in_force, hooks, clock),
            self._sessions,
            links,
            self._deliveries,
            self.extensions,
            self.observers,
            self.dismiss,
            clock,
        )

    def _disconnect(self, turn: Turn, message: Message, reply: Reply) -> bool:
        """End the session (section 4.5). The connect that is held is answered, with advice to stay away."""
        self._sessions.end(session_of(turn), Ending.DISCONNECTED)
        reply.successful = True
        return True

    def _end_full(self, session: Session, full: OutboxFull) -> None:
        self._sessions.end_full(session, full)

    def _forget(self, session: Session) -> None:
        self.hub.forget(session)
        self._host.background(tell("on_leave", self.hooks.leave, session))

    def _note_extensions(self) -> None:
        self._in_force.mark(WATCHED, when=self.extensions.see_plain_connects)

    def _note_hooks(self) -> None:
        self._in_force.mark(RENEWING, when=self.hooks.renew is not None)
