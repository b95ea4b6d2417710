"""The core of a bus: the sessions there are, what happens to them, and what has to be sent when.

It is driven from outside. A host passes in messages (`mirant.bus.receive.receive`) and the time; the core
tells it through `Host` when it wants `flush` to be called and when `advance`. All sending happens in
`flush`, in one order: what was published, then the answers, then the polls that have something to say.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from mirant.bayeux.advice import GO_AWAY, HANDSHAKE_NOW, Advice
from mirant.bayeux.channels import Channel, Kind, Pattern
from mirant.bayeux.errors import APPLICATION_FAILED, CONNECT_SUPERSEDED, SESSION_UNKNOWN, ErrorKind
from mirant.bayeux.messages import Delivery, Reply
from mirant.bus.browsers import Browsers, Windows
from mirant.bus.carrier import Carrier, Link, Turn
from mirant.bus.deadlines import Deadlines
from mirant.bus.extension import Extension
from mirant.bus.hooks import Hooks, LeaveHook, Pipeline
from mirant.bus.outbox import Batch, OutboxFull, coalesce
from mirant.bus.session import Ending, Session, State
from mirant.bus.settings import Settings
from mirant.bus.subscriptions import Subscriptions
from mirant.bus.tick import Tick

# How much of an outbox is handed to a connection at once. What is handed over is lost if the connection
# breaks, what is not waits for the next one; 256 KiB keeps a fast link busy for a turn of the event loop.
MAX_HANDED_OVER: Final = 256 * 1024

#: Told to clients of sessions that the server ends (Bayeux 1.0 has no word for it; the reference does this).
DISMISSAL: Final = Delivery("/meta/disconnect", b'{"channel":"/meta/disconnect","successful":true}')

log = logging.getLogger("mirant")


class Host(Protocol):
    """What the core asks of whoever runs it. The calls must return at once, without calling the core."""

    def flush_soon(self) -> None:
        """See to it that `Core.flush` is called at the end of this turn of the event loop."""

    def wake_at(self, when: float) -> None:
        """See to it that `Core.advance` is called at *when*, if not earlier."""

    def background(self, pipeline: Pipeline) -> None:
        """Run *pipeline* beside everything else."""


class Core:
    """Sessions, subscriptions and deliveries of one bus."""

    def __init__(self, settings: Settings, host: Host, *, secret: bytes | None = None) -> None:
        self.settings = settings
        self.host = host
        self.hooks = Hooks()
        self.extensions: list[Extension] = []
        self.sessions: dict[str, Session] = {}
        self.subscriptions: Subscriptions[Session] = Subscriptions()
        self.browsers = Browsers(secret)
        self.windows = Windows(settings.max_windows)
        self._deadlines: Deadlines[Session] = Deadlines()
        self._tick = Tick()
        self._completed: list[Turn] = []
        self._dirty: list[Session] = []
        self._flush_wanted = False
        #: Whether the server is going away: nothing is held any more.
        self.closing = False

    # --- The life of a session ---

    def open(self, now: float) -> Session:
        """Register a new session. It expires if nothing is heard of it for `Settings.max_interval`."""
        session = Session(secrets.token_hex(16), self.settings.max_outbox)
        session.interval = self.settings.interval
        self.sessions[session.id] = session
        self.expect(session, now)
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
            log.warning("session.stranger session=%s address=%s", session.id[:8], carrier.request.address)
            return None
        return session

    def end(self, session: Session, ending: Ending, now: float) -> None:
        """End *session*: the bus forgets it, its subscriptions and what waits for it. Twice is once."""
        if session.state is State.ENDED:
            return
        self._part(session, ending)
        session.state, session.ending = State.ENDED, ending
        del self.sessions[session.id]
        self._deadlines.remove(session)
        self.windows.leave(session)
        for pattern in session.subscriptions:
            self.subscriptions.remove(session, pattern)
        session.outbox.clear()
        log.info("session.%s session=%s", ending.value, session.id[:8])
        self.host.background(tell_leave(self.hooks.leave, session))

    def dismiss(self, session: Session, now: float) -> None:
        """End *session* on behalf of the application; its client is told not to come back."""
        self.end(session, Ending.DISMISSED, now)

    def expect(self, session: Session, now: float, pause: float = 0.0) -> None:
        """Let *session* expire unless it is heard of within *pause* and the maximum interval."""
        self._set_deadline(session, now + pause + self.settings.max_interval)

    def heard(self, session: Session, now: float) -> None:
        """Put off the expiry of a session that sent something other than a /meta/connect."""
        if session.held is None:
            self._set_deadline(session, max(session.deadline, now + self.settings.max_interval))

    # --- Holding a /meta/connect, and letting it go ---

    def hold(self, session: Session, turn: Turn, timeout: float, now: float) -> None:
        """Keep *turn*, a /meta/connect, until there is something to say or *timeout* has passed."""
        session.held = turn
        self._set_deadline(session, now + timeout)
        if session.outbox.size:
            self._mark(session)

    def release(self, session: Session, now: float) -> None:
        """Answer the /meta/connect that is held, and expect the next one."""
        turn = session.held
        if turn is not None:
            session.held = None
            self.complete(turn)
            self.expect(session, now, session.interval)

    def supersede(self, session: Session) -> None:
        """Let go the /meta/connect that is held, because a newer one took its place."""
        self._refuse_held(session, CONNECT_SUPERSEDED, None)

    # --- Carriers that come and go ---

    def attach(self, session: Session, link: Link) -> None:
        """Let *link* be where deliveries for *session* are pushed. The link it had is closed."""
        former, session.link = session.link, link
        self.windows.leave(session)
        if former is not None and former is not link:
            former.session = None
            former.close(1000, "the session moved to another connection")
        if session.outbox.size:
            self._mark(session)

    def detach(self, carrier: Carrier, now: float, unsent: Iterable[Batch] = ()) -> None:
        """Take note that *carrier* is gone. The session waits for the next, and so does what was *unsent*."""
        session = carrier.session
        carrier.session = None
        if session is None or session.state is State.ENDED:
            return
        if session.link is carrier:
            session.link = None
            session.outbox.put_back(delivery for batch in unsent for delivery in batch.deliveries)
            self._mark(session)
        if session.held is not None and session.held.carrier is carrier:
            session.held = None
        if session.held is None:
            self.expect(session, now, session.interval)

    def resume(self, link: Link) -> None:
        """Take note that *link* is writable again."""
        session = link.session
        if session is not None and session.outbox.size:
            self._mark(session)

    # --- Messages out ---

    def subscribe(self, session: Session, pattern: Pattern) -> None:
        """Let *session* get what is published to channels that *pattern* matches."""
        session.subscriptions.add(pattern)
        self.subscriptions.add(session, pattern)

    def unsubscribe(self, session: Session, pattern: Pattern) -> None:
        """Undo `subscribe`."""
        session.subscriptions.discard(pattern)
        self.subscriptions.remove(session, pattern)

    def publish(self, channel: Channel, delivery: Delivery) -> int:
        """Accept *delivery* for all subscribers of *channel*, a broadcast channel; return how many."""
        assert channel.kind is Kind.BROADCAST, f"{channel} is never distributed"
        subscribers = self.subscriptions.match(channel)
        if subscribers:
            self._tick.add(subscribers, delivery)
            self._want_flush()
        return len(subscribers)

    def deliver(self, session: Session, delivery: Delivery) -> None:
        """Accept *delivery* for *session* alone, whatever it subscribed to."""
        self._tick.add((session,), delivery)
        self._want_flush()

    def complete(self, turn: Turn) -> None:
        """Let the answers of *turn* be sent in the next flush."""
        self._completed.append(turn)
        self._want_flush()

    def flush(self, now: float) -> None:
        """Send what is to be sent: publishes to whom can be written, answers, polls with something to say."""
        self._flush_wanted = True  # what is added meanwhile is sent too, unless it comes too late
        try:
            self._tick.hand_out(lambda session, deliveries: self._queue(session, deliveries, now))
            self._finish(now)
            dirty, self._dirty = self._dirty, []
            for session in dirty:
                session.dirty = False
                self._emit(session, now)
            self._finish(now)
        finally:
            self._flush_wanted = False
            if self._tick or self._dirty or self._completed:
                self._want_flush()

    # --- Time ---

    def next_deadline(self) -> float | None:
        """Return when `advance` has to be called next, or None if there is nothing to wait for."""
        return self._deadlines.next()

    def advance(self, now: float) -> None:
        """Answer the polls that were held long enough, and end the sessions that were not heard of."""
        for session in self._deadlines.due(now):
            if session.held is not None:
                self.release(session, now)
            else:
                self.end(session, Ending.EXPIRED, now)

    def reopen(self) -> None:
        """Hold polls again, after `close`."""
        self.closing = False

    def close(self, now: float) -> None:
        """Answer every poll that is held, close every connection with 1001, and hold no poll from now on."""
        self.closing = True
        for session in list(self.sessions.values()):
            self.release(session, now)
        self.flush(now)
        for session in list(self.sessions.values()):
            if session.link is not None:
                session.link.close(1001, "the server is going away")

    # --- Inside ---

    def _set_deadline(self, session: Session, deadline: float) -> None:
        if self._deadlines.set(session, deadline):
            self.host.wake_at(deadline)

    def _want_flush(self) -> None:
        if not self._flush_wanted:
            self.host.flush_soon()
            self._flush_wanted = True

    def _mark(self, session: Session) -> None:
        if not session.dirty:
            session.dirty = True
            self._dirty.append(session)
            self._want_flush()

    def _queue(self, session: Session, deliveries: Sequence[Delivery], now: float) -> None:
        try:
            for delivery in deliveries:
                session.outbox.put(delivery)
        except OutboxFull as full:
            log.warning("session.outbox-full session=%s %s", session.id[:8], full)
            self.end(session, Ending.OUTBOX_FULL, now)
        else:
            self._mark(session)

    def _emit(self, session: Session, now: float) -> None:
        if not session.outbox.size:
            return
        link = session.link
        if link is None:
            self.release(session, now)
        elif link.writable:
            link.write(coalesce(session.outbox.take(MAX_HANDED_OVER)))

    def _finish(self, now: float) -> None:
        while self._completed:
            turns, self._completed = self._completed, []
            by_carrier: dict[Carrier, list[Turn]] = {}
            for turn in turns:
                by_carrier.setdefault(turn.carrier, []).append(turn)
            for carrier, finished in by_carrier.items():
                carrier.finish(finished, [reply for turn in finished for reply in self._seal(turn, now)])

    def _seal(self, turn: Turn, now: float) -> Iterable[bytes]:
        for message, reply in turn.answers:
            try:
                for extension in self.extensions:
                    extension.outgoing(reply, message, turn, now)
                yield reply.encode()
            except Exception:  # an extension's fault is its message's, and no other's
                log.exception("extension.failed channel=%s", message.channel)
                yield _apology(reply)

    def _part(self, session: Session, ending: Ending) -> None:
        """Tell the client, in the way that suits the *ending*, where it can still be told."""
        link, turn = session.link, session.held
        if ending is Ending.OUTBOX_FULL:
            self._refuse_held(session, SESSION_UNKNOWN, HANDSHAKE_NOW)
            if link is not None:
                link.close(1008, "the session's outbox is full: it reads too slowly")
        elif turn is not None:
            message, reply = turn.answers[0]
            reply.advice = GO_AWAY
            if ending is Ending.DISMISSED:
                turn.answers.insert(0, (message, Reply(channel="/meta/disconnect", successful=True)))
            self.complete(turn)
        elif ending is Ending.DISMISSED and link is not None and link.writable:
            link.write([Batch([DISMISSAL])])
        session.held = session.link = None
        if link is not None:
            link.session = None

    def _refuse_held(self, session: Session, error: ErrorKind, advice: Advice | None) -> None:
        turn, session.held = session.held, None
        if turn is not None:
            reply = turn.answers[0][1]
            reply.successful, reply.error, reply.advice = False, error.wire(), advice
            self.complete(turn)


def _apology(reply: Reply) -> bytes:
    failed = APPLICATION_FAILED.wire()
    return Reply(channel=reply.channel, id=reply.id, successful=False, error=failed).encode()


def tell_leave(hooks: Iterable[LeaveHook], session: Session) -> Pipeline:
    """Call the application's *hooks* for a session that ended; what they raise is logged."""
    for hook in hooks:
        try:
            result = hook(session)
            if result is not None:
                yield result
        except Exception:
            log.exception("hook.failed hook=on_leave session=%s", session.id[:8])
