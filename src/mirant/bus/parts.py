"""The parts of one bus, made and wired: each is given at birth what it needs, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from mirant.bayeux.channels import CONNECT, DISCONNECT, SUBSCRIBE, UNSUBSCRIBE
from mirant.bus.audit import Audit
from mirant.bus.browsers import Browsers
from mirant.bus.calls import Calls
from mirant.bus.clock import Clock
from mirant.bus.connecting import Connecting
from mirant.bus.contracts import Engine, Host
from mirant.bus.deliveries import Deliveries
from mirant.bus.disconnecting import Disconnecting
from mirant.bus.enforcing import Enforcing
from mirant.bus.extension import Extensions
from mirant.bus.failures import FailureLog
from mirant.bus.farewells import Farewells
from mirant.bus.flushing import Flushing
from mirant.bus.handshaking import Handshaking
from mirant.bus.hooks import Hooks
from mirant.bus.hub import Hub
from mirant.bus.in_force import InForce
from mirant.bus.leaving import Leaving
from mirant.bus.links import Links
from mirant.bus.log import SessionLog
from mirant.bus.observer import Observers
from mirant.bus.outbox import OutboxFull
from mirant.bus.polls import Polls
from mirant.bus.publishing import Publishing
from mirant.bus.receive import Receiver
from mirant.bus.session import Session
from mirant.bus.sessions import Sessions
from mirant.bus.statistics import Counters
from mirant.bus.subscribing import Subscribing
from mirant.bus.timetable import Timetable
from mirant.bus.traits import RENEWING, WATCHED
from mirant.bus.turn import Turn
from mirant.bus.windows import Windows
from mirant.options.settings import Settings


class Parts:
    """What a core is made of. The file that is named like a part says what it does."""

    def __init__(
        self,
        settings: Settings,
        host: Host,
        engine: Engine,
        clock: Clock,
        *,
        secret: bytes | None,
        chance: Callable[[], float],
    ) -> None:
        self._host = host
        self._clock = clock
        self.in_force = InForce(settings)
        self.registry: dict[str, Session] = {}
        self.counters = Counters()
        self.observers = observers = Observers(
            Audit(clock), SessionLog(clock), FailureLog(clock), self.counters
        )
        self.hooks = Hooks(self._note_hooks)
        self.extensions = extensions = Extensions(self._note_extensions)
        self.browsers = Browsers(secret)
        self.browsers.configure(settings.cookie_name, settings.cookie_secret)
        self.timetable = Timetable(host)
        self.windows = Windows(settings.max_windows)
        self.farewells = Farewells(host)
        self.deliveries = Deliveries(host, clock, extensions, self.timetable, observers, self._end_full)
        self._make_what_serves_sessions(engine, chance)

    def _make_what_serves_sessions(self, engine: Engine, chance: Callable[[], float]) -> None:
        clock, in_force, observers = self._clock, self.in_force, self.observers
        deliveries, windows = self.deliveries, self.windows
        self.polls = polls = Polls(
            self.registry, deliveries, self.timetable, windows, in_force, clock, chance
        )
        self.leaving = leaving = Leaving(self._host, self.hooks, observers)
        self.flushing = Flushing(deliveries, polls, leaving, self.hooks, observers)
        self.links = Links(deliveries, polls, windows)
        self.sessions = sessions = self._make_sessions()
        self.hub = hub = Hub(engine, self.registry, deliveries, self.extensions, observers, clock)
        self.enforcing = Enforcing(sessions, hub, in_force, observers, clock)
        self.publishing = Publishing(hub, in_force, self.hooks, clock)

    def make_receiver(self, dismiss: Callable[[Session, Turn | None], None]) -> Receiver:
        """Make the way in: a handler for each kind of message, and what takes messages to them."""
        in_force, hooks, observers, clock = self.in_force, self.hooks, self.observers, self._clock
        connecting = Connecting(
            self.polls, self.links, self.windows, self.enforcing, in_force, hooks, observers, clock
        )
        subscribing = Subscribing(self.hub, in_force, hooks, clock)
        handlers = {
            CONNECT: connecting.connect,
            SUBSCRIBE: subscribing.subscribe,
            UNSUBSCRIBE: subscribing.unsubscribe,
            DISCONNECT: Disconnecting(self.sessions).disconnect,
        }
        calls = Calls(self._host, in_force, hooks, clock)
        return Receiver(
            self._make_handshaking().handshake,
            handlers,
            self.publishing,
            calls,
            self.sessions,
            self.links,
            self.deliveries,
            self.extensions,
            observers,
            dismiss,
            clock,
        )

    def _make_sessions(self) -> Sessions:
        return Sessions(
            self.registry,
            self.deliveries,
            self.polls,
            self.links,
            self.windows,
            self.timetable,
            self.extensions,
            self.in_force,
            self.observers,
            self.browsers,
            self.farewells,
            self._forget,
        )

    def _make_handshaking(self) -> Handshaking:
        return Handshaking(
            self.registry,
            self.sessions,
            self.polls,
            self.links,
            self.enforcing,
            self.extensions,
            self.in_force,
            self.hooks,
            self.observers,
            self._clock,
        )

    def _end_full(self, session: Session, full: OutboxFull) -> None:
        self.sessions.end_full(session, full)

    def _forget(self, session: Session) -> None:
        self.hub.forget(session)
        self.leaving.left(session)

    def _note_extensions(self) -> None:
        self.in_force.mark(WATCHED, when=self.extensions.see_plain_connects)

    def _note_hooks(self) -> None:
        self.in_force.mark(RENEWING, when=self.hooks.renew is not None)
