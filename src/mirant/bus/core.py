"""The core of a bus: its parts at work, and what hosts and applications ask of them.

It is driven from outside. A host passes in messages and the time; the core tells it through `Host` when it
wants `flush` to be called and when `advance`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from typing import Any, Final

from mirant.bayeux.channels import Channel
from mirant.bayeux.messages import Delivery, Message
from mirant.bus.batch import Batch
from mirant.bus.carrier import Carrier, Link
from mirant.bus.clock import Clock
from mirant.bus.contracts import Engine, Guard, Host, Result
from mirant.bus.hooks import Pipeline
from mirant.bus.parts import Parts
from mirant.bus.party import Party
from mirant.bus.plain_connect import KnownConnect
from mirant.bus.progress import ClientProgress
from mirant.bus.record import SessionRecord
from mirant.bus.session import Ending, Session
from mirant.bus.statistics import Statistics
from mirant.bus.traits import CLOSING
from mirant.bus.turn import Turn
from mirant.options.settings import Settings

# When a session is looked at again whose turn failed, in seconds.
_AGAIN: Final = 1.0


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
        parts = Parts(settings, host, engine, clock, secret=secret, chance=chance)
        #: The options that are in force. `configure` changes them.
        self.settings = settings
        self.observers = parts.observers
        self.hooks = parts.hooks
        self.extensions = parts.extensions
        self.browsers = parts.browsers
        self.hub = parts.hub
        self._host = host
        self._engine = engine
        self._clock = clock
        self._in_force = parts.in_force
        self._registry = parts.registry
        self._counters = parts.counters
        self._timetable = parts.timetable
        self._farewells = parts.farewells
        self._windows = parts.windows
        self._deliveries = parts.deliveries
        self._polls = parts.polls
        self._flushing = parts.flushing
        self._links = parts.links
        self._sessions = parts.sessions
        self._enforcing = parts.enforcing
        self._enter(parts)

    def _enter(self, parts: Parts) -> None:
        """Take the parts' functions that are called for each message: a call between would cost."""
        #: Process messages that came in: `mirant.bus.receive.Receiver.receive`.
        self.receive: Callable[[Sequence[Message], Carrier[Session], float], Pipeline]
        self.receive = parts.make_receiver(self.dismiss).receive
        #: Accept a message of the application's for all subscribers: `mirant.bus.hub.Hub.publish`.
        self.publish: Callable[[Channel, Delivery], Result[int]] = parts.hub.publish
        #: Accept a message of a party that has no session: `mirant.bus.publishing.Publishing.publish_as`.
        self.publish_as: Callable[[Party, Channel, Message], Generator[Awaitable[Any], Any, Result[int]]]
        self.publish_as = parts.publishing.publish_as
        #: Hold a connect if it is plain: `mirant.bus.polls.Polls.hold_plain`.
        self.hold_plain: Callable[
            [bytes, Carrier[Session], float, KnownConnect | None], KnownConnect | None
        ] = parts.polls.hold_plain
        #: Send what is to be sent: `mirant.bus.flushing.Flushing.flush`.
        self.flush: Callable[[float], None] = parts.flushing.flush

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
        self.browsers.configure(settings.cookie_name, settings.cookie_secret)
        self._windows.restrict(settings.max_windows)
        self._engine.configure(settings)

    def enforce(self, guard: Guard | None) -> int:
        """Let *guard* judge from now on; return how many subscriptions that revoked."""
        return self._enforcing.install(guard, list(self._registry.values()))

    # --- Sessions and their carriers ---

    @property
    def sessions(self) -> dict[str, Session]:
        """The sessions there are, by clientId. To be read."""
        return self._registry

    def join(self, family: bytes, has_siblings: Callable[[], bool]) -> None:
        """Be one process of a *family* that has a bus in each; *has_siblings* says whether others live now.

        It is logged when the client of a sibling comes here.
        """
        self._sessions.join(family, has_siblings)

    def adopt(self, record: SessionRecord) -> Session:
        """Go on with a session that another process had, until it is heard of or expires."""
        now = self._clock.time()
        session = self._sessions.adopt(record, now)
        self.hub.adopt(session)
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

    def lose_carriers(self) -> None:
        """Take note that every carrier is gone: the event loop that ran them has ended, and another begins.

        A poll that stayed held would take the next message with it.
        """
        self._links.lose_all(self._registry.values(), self._clock.time())

    def let_go(self, carrier: Carrier[Session], now: float) -> None:
        """Answer the connect that is held on *carrier* now, with advice to come back later."""
        self._polls.let_go(carrier, now)
        self.flush(now)

    def resume(self, link: Link[Session]) -> None:
        """Take note that *link* is writable again."""
        self._links.resume(link)

    def watch(self, session: Session | None, download: ClientProgress) -> None:
        """Let *session* live while its client is busy with *download*, a large answer that was just sent."""
        if session is not None and not session.ended:
            self._sessions.watch(session, download)

    def dismiss(self, session: Session, turn: Turn | None = None) -> None:
        """End *session* on behalf of the application; its client gets what waits and stays away.

        *turn* is one of its own that is being processed, if there is one.
        """
        now = self._clock.time()
        self._flushing.hand_out(now)
        self._sessions.dismiss(session, now, turn)

    def farewell(self, client_id: str | None, carrier: Carrier[Session]) -> Sequence[Delivery] | None:
        """Return the last messages for the client of a session that was dismissed, once.

        None: no such session was dismissed lately, or *carrier* may not have it.
        """
        return self._sessions.farewell(client_id, carrier)

    # --- Messages out ---

    def check(self) -> None:
        """Return if the application may use the bus here.

        Raises:
            RuntimeError: this is another thread, or another event loop than the one that serves the bus.
        """
        self._host.check()

    def deliver(self, session: Session, delivery: Delivery) -> None:
        """Accept *delivery* for *session* alone, whatever it subscribed to. To one that ended, nothing."""
        self.hub.deliver(session, delivery)

    # --- Time ---

    def now(self) -> float:
        """Return the time: monotonic seconds."""
        return self._clock.time()

    def next_deadline(self) -> float | None:
        """Return when `advance` has to be called next, or None if there is nothing to wait for."""
        times = (self._timetable.next(), self._deliveries.gathered_until, self._farewells.next())
        return min([when for when in times if when is not None], default=None)

    def advance(self, now: float) -> None:
        """Answer the polls that were held long enough, send what was lazy, end what was not heard of."""
        self._deliveries.go_on(now)
        self._farewells.advance(now)
        for session in self._timetable.due(now):
            try:
                if not session.ended:
                    self._look_at(session, now)
            except Exception as error:  # one session's failure must not keep the others from their time
                self.observers.fail("session.failed", error, session=session.label)
                self._timetable.wait(session, now + _AGAIN)

    def _look_at(self, session: Session, now: float) -> None:
        """Do what *session* is due for."""
        if self._timetable.is_lazy_due(session, now):
            self._deliveries.hurry(session)
        if session.identity_until <= now:
            self._sessions.end(session, Ending.IDENTITY_EXPIRED)
        elif session.until > now:
            self._timetable.resume(session)
        elif session.held is not None:
            self._polls.release(session, now)
        elif not self._sessions.spare(session, now):
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
