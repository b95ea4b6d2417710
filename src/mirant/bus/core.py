"""The core of a bus: the sessions there are, what happens to them, and what has to be sent when.

It is driven from outside. A host passes in messages (`mirant.bus.receive.receive`) and the time; the core
tells it through `Host` when it wants `flush` to be called and when `advance`.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable
from typing import Final

from mirant.bayeux.advice import Advice
from mirant.bayeux.channels import Channel, Kind, Pattern
from mirant.bayeux.errors import CONNECT_SUPERSEDED
from mirant.bayeux.messages import Delivery
from mirant.bus.audit import Audit
from mirant.bus.browsers import Browsers, Windows
from mirant.bus.carrier import Carrier, Link, Turn
from mirant.bus.channel_options import ChannelTable
from mirant.bus.deadlines import Deadlines
from mirant.bus.extension import Extensions
from mirant.bus.flush import Flush
from mirant.bus.guard import Guard
from mirant.bus.history import History
from mirant.bus.hooks import Hooks, tell
from mirant.bus.host import Host
from mirant.bus.outbox import Batch
from mirant.bus.parting import farewell, part, refuse_held
from mirant.bus.session import Ending, Session, State
from mirant.bus.subscriptions import Subscriptions
from mirant.options.settings import Settings

# How long clients whose poll is answered because the server goes away wait before the next, in seconds: by
# then its port is closed, and they wait longer and longer.
_CLOSING_PAUSE: Final = 1.0

_BROADCAST: Final = Kind.BROADCAST  # a member of an enumeration costs 0.1 µs to find

log = logging.getLogger("mirant")


class Core:
    """Sessions, subscriptions and deliveries of one bus."""

    def __init__(self, settings: Settings, host: Host, *, secret: bytes | None = None) -> None:
        self.settings = settings
        self.host = host
        #: The time, as it was last told. Whoever calls in sets it: monotonic seconds.
        self.now = 0.0
        self.hooks = Hooks()
        #: Who may do what; None: everybody everything.
        self.guard: Guard | None = None
        self.audit = Audit()
        self.extensions = Extensions()
        self.channels = ChannelTable()
        self.history = History(settings.max_history)
        self.sessions: dict[str, Session] = {}
        self.subscriptions: Subscriptions[Session] = Subscriptions()
        self.browsers = Browsers(secret)
        self.windows = Windows(settings.max_windows)
        #: Whether the server is going away: nothing is held any more.
        self.closing = False
        self._deadlines: Deadlines[Session] = Deadlines()
        self._flush = Flush(self)

    def configure(self, settings: Settings) -> None:
        """Go by *settings* from now on; sessions that there are keep what they began with."""
        self.settings = settings
        self.history.limit = settings.max_history
        self.windows.limit = settings.max_windows

    # --- The life of a session ---

    def open(self) -> Session:
        """Register a new session. Whoever opens it calls `expect` when its client is about to learn of it."""
        session = Session(secrets.token_hex(16), self.settings)
        self.sessions[session.id] = session
        log.debug("session.opened session=%s", session.id[:8])
        return session

    def find(self, client_id: str | None, carrier: Carrier) -> Session | None:
        """Return the session with *client_id*, if *carrier* may have it.

        A clientId is a secret, but pages leak. So a session is bound to its browser's cookie as soon as a
        request presents both, and from then on needs both. A client that keeps no cookies is never bound.
        """
        session = self.sessions.get(client_id or "")
        if session is None:
            return None
        if session.browser is None:
            session.browser = carrier.browser
        elif session.browser != carrier.browser:
            # Whoever knows the id and is not the browser has it from somewhere: a hijack, most likely.
            self.audit.event(self.now, "session.stranger", carrier.request.address, session=session.id[:8])
            return None
        return session

    def end(self, session: Session, ending: Ending) -> None:
        """End *session*: the bus forgets it, its subscriptions and what waits for it. Twice is once."""
        if session.state is State.ENDED:
            return
        part(self, session, ending)
        session.state, session.ending = State.ENDED, ending
        del self.sessions[session.id]
        self._deadlines.remove(session)
        self.windows.leave(session)
        for pattern in session.subscriptions:
            self.subscriptions.remove(session, pattern)
        session.outbox.clear()
        log.info("session.%s session=%s", ending.value, session.id[:8])
        self.host.background(tell("on_leave", self.hooks.leave, session))

    def dismiss(self, session: Session, turn: Turn | None = None) -> None:
        """End *session* on behalf of the application; its client gets what waits and stays away.

        *turn* is one of its own that is being processed, if there is one: the client may be told with it.
        """
        self._flush.hand_out()
        if turn is not None and session.link is None and session.held is None:
            turn.deliveries = session.outbox.take(session.outbox.size)
            turn.answers.append(farewell())
        self.end(session, Ending.DISMISSED)

    def expect(self, session: Session, pause: float = 0.0) -> None:
        """Let *session* expire unless it is heard of within *pause* and the maximum interval."""
        if session.ended:
            return
        session.until = self.now + pause + session.max_interval
        self.schedule(session)

    def heard(self, session: Session) -> None:
        """Put off the expiry of a session that sent something other than a /meta/connect."""
        if session.held is None:
            session.until = max(session.until, self.now + session.max_interval)
            self.schedule(session)

    # --- Holding a /meta/connect, and letting it go ---

    def hold(self, session: Session, turn: Turn, timeout: float) -> None:
        """Keep *turn*, a /meta/connect, until there is something to say or *timeout* has passed."""
        turn.slim(session)
        session.held = turn
        session.until = self.now + timeout
        self.schedule(session)
        if session.outbox.urgent:
            self._flush.mark(session)

    def release(self, session: Session) -> None:
        """Answer the /meta/connect that is held, and expect the next one."""
        turn = session.held
        if turn is not None:
            session.held = None
            self._flush.complete(turn)
            self.expect(session, session.interval)

    def supersede(self, session: Session) -> None:
        """Let go the /meta/connect that is held, because a newer one took its place."""
        refuse_held(self, session, CONNECT_SUPERSEDED, None)

    # --- Carriers that come and go ---

    def attach(self, session: Session, link: Link) -> None:
        """Let *link* be where deliveries for *session* are pushed. The link it had is closed."""
        self.unlink(session)
        link.session, session.link = session, link
        self.windows.leave(session)
        if session.outbox.urgent:
            self._flush.mark(session)

    def unlink(self, session: Session) -> None:
        """Take *session* off the link it has: its client has moved, whether or not that link knows."""
        link, session.link = session.link, None
        if link is not None:
            link.session = None
            self._take_back(session, link.take_back())
            link.close(1000, "the session moved to another connection")

    def detach(self, carrier: Carrier, now: float, unsent: Iterable[Batch] = ()) -> None:
        """Take note that *carrier* is gone. The session waits for the next, and so does what was *unsent*."""
        self.now = now
        session, carrier.session = carrier.session, None
        if session is None or session.state is State.ENDED:
            return
        if session.link is carrier:
            session.link = None
            self._take_back(session, unsent)
        if session.held is not None and session.held.carrier is carrier:
            session.held = None
        if session.held is None:
            self.expect(session, session.interval)

    def resume(self, link: Link) -> None:
        """Take note that *link* is writable again."""
        session = link.session
        if session is not None and session.outbox.urgent:
            self._flush.mark(session)

    # --- Messages out ---

    def subscribe(self, session: Session, pattern: Pattern) -> None:
        """Let *session* get what is published to channels that *pattern* matches."""
        session.subscriptions.add(pattern)
        self.subscriptions.add(session, pattern)

    def unsubscribe(self, session: Session, pattern: Pattern) -> None:
        """Undo `subscribe`."""
        session.subscriptions.discard(pattern)
        self.subscriptions.remove(session, pattern)

    def publish(self, channel: Channel, delivery: Delivery, sender: Session | None = None) -> int:
        """Accept *delivery* for all subscribers of *channel*, a broadcast channel; return how many.

        *sender* is the session that published it: whether it gets its own message is an option.
        """
        assert channel.kind is _BROADCAST, f"{channel} is never distributed"
        subscribers = self.subscriptions.match(channel)
        options = self.channels.of(channel)
        if sender is not None and not (sender.echo if options.echo is None else options.echo):
            subscribers = tuple(session for session in subscribers if session is not sender)
        if not subscribers and not options.history:
            return 0
        delivery.lazy = (options.lazy if delivery.lazy is None else delivery.lazy) or None
        delivery.latest = delivery.latest or bool(options.latest)
        delivery.overflow = options.overflow
        for extension in self.extensions:
            delivery = extension.publishing(delivery, self.now)
        if options.history:
            self.history.keep(channel, delivery, options.history)
        if subscribers:
            self._flush.publish(subscribers, delivery)
        return len(subscribers)

    def deliver(self, session: Session, delivery: Delivery) -> None:
        """Accept *delivery* for *session* alone, whatever it subscribed to."""
        for extension in self.extensions:
            delivery = extension.publishing(delivery, self.now)
        self._flush.publish((session,), delivery)

    def recall(self, session: Session, delivery: Delivery) -> None:
        """Accept for *session* what was published before; extensions have seen it then."""
        self._flush.publish((session,), delivery)

    def complete(self, turn: Turn) -> None:
        """Let the answers of *turn* be sent in the next flush."""
        self._flush.complete(turn)

    def flush(self, now: float) -> None:
        """Send what is to be sent."""
        self.now = now
        self._flush.run()

    def wait_lazily(self, session: Session, seconds: float) -> None:
        """Let what waits for *session* be sent in *seconds*, unless there is an earlier occasion."""
        when = self.now + seconds
        if session.lazy_until is None or when < session.lazy_until:
            session.lazy_until = when
            self.schedule(session)

    # --- Time ---

    def next_deadline(self) -> float | None:
        """Return when `advance` has to be called next, or None if there is nothing to wait for."""
        return self._deadlines.next()

    def advance(self, now: float) -> None:
        """Answer the polls that were held long enough, send what was lazy, end what was not heard of."""
        self.now = now
        for session in self._deadlines.due(now):
            if session.lazy_until is not None and session.lazy_until <= now:
                session.lazy_until = None
                session.outbox.urgent = len(session.outbox) > 0
                self._flush.mark(session)
            if session.identity_until <= now:
                self.end(session, Ending.IDENTITY_EXPIRED)
            elif session.until > now:
                self.schedule(session)
            elif session.held is not None:
                self.release(session)
            else:
                self.end(session, Ending.EXPIRED)

    def reopen(self) -> None:
        """Hold polls again, after `close`, and ask the host anew for what was asked before."""
        self.closing = False
        self._flush.ask_again()
        upcoming = self.next_deadline()
        if upcoming is not None:
            self.host.wake_at(upcoming)

    def close(self, now: float) -> None:
        """Answer every poll that is held, close every connection with 1001, and hold no poll from now on."""
        self.now = now
        self.closing = True
        for session in list(self.sessions.values()):
            if session.held is not None:
                session.interval = _CLOSING_PAUSE
                session.held.answers[0][1].advice = self.advice(session)
                self.release(session)
        self._flush.run()
        for session in list(self.sessions.values()):
            if session.link is not None:
                session.link.close(1001, "the server is going away")

    def advice(self, session: Session) -> Advice:
        """Return what *session*'s client is to do: connect again, how soon, and how long that may be held."""
        interval = _CLOSING_PAUSE if self.closing else session.interval
        return Advice(
            reconnect="retry", interval=round(interval * 1000), timeout=round(session.timeout * 1000)
        )

    def schedule(self, session: Session) -> None:
        """Look at *session* again when the first of its times has come."""
        when = session.until
        if session.identity_until < when:
            when = session.identity_until
        if session.lazy_until is not None and session.lazy_until < when:
            when = session.lazy_until
        if self._deadlines.set(session, when):
            self.host.wake_at(when)

    # --- Inside ---

    def _take_back(self, session: Session, unsent: Iterable[Batch]) -> None:
        session.outbox.put_back(delivery for batch in unsent for delivery in batch.deliveries)
        if session.outbox.urgent:
            self._flush.mark(session)
