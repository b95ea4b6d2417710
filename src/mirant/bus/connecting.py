"""A /meta/connect that is not plain: whose it is, how long it may be held, and what its answer says.

Bayeux 1.0, section 4.2. Holding and answering is for `mirant.bus.polls`.
"""

from __future__ import annotations

from inspect import isawaitable
from typing import Final

import msgspec

from mirant.bayeux.advice import HANDSHAKE_NOW
from mirant.bayeux.errors import SESSION_UNKNOWN
from mirant.bayeux.messages import Message, Reply
from mirant.bus.clock import Clock
from mirant.bus.enforcing import Enforcing
from mirant.bus.handling import Steps, session_of
from mirant.bus.hooks import Hooks
from mirant.bus.identity import CredentialRefused, Identity
from mirant.bus.in_force import InForce
from mirant.bus.links import Links
from mirant.bus.observer import Observers
from mirant.bus.party import Visitor
from mirant.bus.polls import Polls
from mirant.bus.refusal import Refusal
from mirant.bus.session import Session
from mirant.bus.traits import CLOSING, CONNECT_ONLY, CROWDED, NEW
from mirant.bus.turn import Answer, Turn
from mirant.bus.windows import Windows

# The longest pause between connects that a client may ask for, in seconds. It lengthens the life of a
# session that nobody reads from; a client that is away for longer can handshake again.
MAX_CLIENT_INTERVAL: Final = 60.0

_EVENTSOURCE: Final = b'"eventsource"'


class Connecting:
    """Handles /meta/connect."""

    __slots__ = (
        "_clock",
        "_enforcing",
        "_hooks",
        "_in_force",
        "_links",
        "_observers",
        "_polls",
        "_windows",
    )

    def __init__(
        self,
        polls: Polls,
        links: Links,
        windows: Windows,
        enforcing: Enforcing,
        in_force: InForce,
        hooks: Hooks,
        observers: Observers,
        clock: Clock,
    ) -> None:
        self._polls = polls
        self._links = links
        self._windows = windows
        self._enforcing = enforcing
        self._in_force = in_force
        self._hooks = hooks
        self._observers = observers
        self._clock = clock

    def connect(self, turn: Turn, message: Message, reply: Reply) -> bool | Steps:
        """Answer at once or hold until there is something to say."""
        if self._hooks.renew is not None:
            identity = session_of(turn).record.identity
            if identity is None or identity.valid_for is not None:
                return self._renew_and_connect(turn, message, reply)
        return self._connect(turn, message, reply)

    def _renew_and_connect(self, turn: Turn, message: Message, reply: Reply) -> Steps:
        """Take the fresh credential that *message* may bring, then go on as ever.

        The identity that it names has to be let in as by a handshake, or a rule for handshakes would hold
        only for clients that show their credential there. If it is not let in, the session stays what it was.
        """
        session = session_of(turn)
        renew = self._hooks.renew
        try:
            fresh = renew and renew(session, message, turn.carrier.request)
            if isawaitable(fresh):
                fresh = yield fresh
        except CredentialRefused as error:
            if error.event is not None:
                visitor = Visitor(address=turn.carrier.request.address)
                self._observers.note(error.event, visitor, **error.facts)
            raise
        if self._hooks.renew is not renew:  # the files were read again meanwhile
            return (yield from self._renew_and_connect(turn, message, reply))
        if session.ended:
            raise Refusal(SESSION_UNKNOWN, advice=HANDSHAKE_NOW)
        if isinstance(fresh, Identity):
            now = self._clock.time()
            self._enforcing.admit(fresh, turn.carrier.request.address, now)
            self._enforcing.identify(session, fresh, now)
        return self._connect(turn, message, reply)

    def _connect(self, turn: Turn, message: Message, reply: Reply) -> bool:
        """Do what a connect is for, once it is settled whose it is.

        The first connect of a session is answered at once, even if the client does not ask for it: several
        wait for that answer before they call themselves connected.
        """
        session = session_of(turn)
        if session.held is not None:
            self._polls.supersede(session)
        first = bool(session.traits & NEW)
        if first:
            session.begin()
        timeout = self._pace(turn, session, message)
        self._advise(turn, session, message, reply)
        reply.successful = True
        # Over HTTP the other replies of the body would be held too. On a WebSocket they are sent at once.
        holdable = turn.alone or turn.carrier.is_link
        closing = self._in_force.traits & CLOSING
        now = self._clock.time()
        if holdable and timeout > 0 and not first and not closing and self._has_room(turn, session, reply):
            self._polls.hold(session, turn, Answer(message, reply), timeout, now)
            return False
        self._polls.expect(session, now, session.record.interval)
        return True

    def _pace(self, turn: Turn, session: Session, message: Message) -> float:
        """Settle the pause before the next connect; return for how long this one may be held."""
        timeout, interval = session.record.timeout, self._in_force.settings.interval
        if _is_stream_heartbeat(message):
            if not session.traits & CONNECT_ONLY:
                # Its deliveries come down a stream; the connect is a sign of life, once per timeout.
                timeout, interval = 0.0, session.record.timeout
        elif not turn.carrier.is_link:
            self._links.unlink(session)  # the client polls, so it has given up its connection
        if message.advice is not None:
            # "advice" in a connect overrides ours for this one request.
            timeout = _clamp(message.advice.timeout, timeout, timeout)
            interval = _clamp(message.advice.interval, interval, MAX_CLIENT_INTERVAL)
        if interval != session.record.interval:
            self._polls.pace(session, interval)
        return timeout

    def _advise(self, turn: Turn, session: Session, message: Message, reply: Reply) -> None:
        """Give the client our advice, if it does not have it for this transport, or had one of its own."""
        transport = "eventsource" if _is_stream_heartbeat(message) else turn.carrier.transport
        closing = self._in_force.traits & CLOSING
        if message.advice is not None or session.record.advised != transport or closing:
            session.advise(transport)
            reply.advice = self._polls.advice(session)

    def _has_room(self, turn: Turn, session: Session, reply: Reply) -> bool:
        """Whether the browser has a connection to spare for this poll; if not, the *reply* says so.

        A window that was told so before and has room now is told that first: the reference server leaves it
        at the slow interval for good.
        """
        if turn.carrier.is_link or turn.carrier.request.multiplexed:
            return True
        if self._windows.admits(session):
            if not session.traits & CROWDED:
                return True
            self._windows.relieve(session)
            reply.advice = self._polls.advice(session)
            return False
        self._windows.crowd(session)
        self._polls.pace(session, self._in_force.settings.windows_interval)
        advice = self._polls.advice(session)
        reply.advice = msgspec.structs.replace(advice, timeout=None, multiple_clients=True)
        return False


def _is_stream_heartbeat(message: Message) -> bool:
    """Whether *message* is the connect of a client whose deliveries come down an event stream."""
    return bytes(message.connection_type) == _EVENTSOURCE


def _clamp(asked: float | None, default: float, most: float) -> float:
    """Return what a client *asked* for in milliseconds as seconds, between 0 and *most*."""
    # The bounds come first: an integer of JSON may be too large for a float.
    return default if asked is None else min(max(asked, 0), most * 1000) / 1000
