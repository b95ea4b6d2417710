"""Opening a session: /meta/handshake (Bayeux 1.0, section 4.1)."""

from __future__ import annotations

from collections.abc import Awaitable, Generator, Sized
from inspect import isawaitable
from typing import Any

import msgspec
from msgspec import Raw

from mirant.bayeux.advice import GO_AWAY, TRY_LATER, Advice
from mirant.bayeux.errors import ADDRESS_FULL, CONNECTION_TYPES_UNKNOWN, HANDSHAKE_DENIED, SERVER_FULL
from mirant.bayeux.messages import Message, Reply
from mirant.bus.clock import Clock
from mirant.bus.enforcing import Enforcing
from mirant.bus.extension import Extensions
from mirant.bus.handling import Steps
from mirant.bus.hooks import Hooks, call_hook, tell
from mirant.bus.identity import CredentialRefused, Identity
from mirant.bus.in_force import InForce
from mirant.bus.links import Links
from mirant.bus.observer import Observers
from mirant.bus.party import Visitor
from mirant.bus.polls import Polls
from mirant.bus.refusal import Refusal
from mirant.bus.session import Ending
from mirant.bus.sessions import Sessions
from mirant.bus.turn import Turn
from mirant.bus.veto import Veto

_decode_offer = msgspec.json.Decoder(list[str]).decode


class Handshaking:
    """Handles /meta/handshake."""

    __slots__ = (
        "_clock",
        "_enforcing",
        "_extensions",
        "_hooks",
        "_in_force",
        "_links",
        "_observers",
        "_polls",
        "_registry",
        "_sessions",
    )

    def __init__(
        self,
        registry: Sized,
        sessions: Sessions,
        polls: Polls,
        links: Links,
        enforcing: Enforcing,
        extensions: Extensions,
        in_force: InForce,
        hooks: Hooks,
        observers: Observers,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._sessions = sessions
        self._polls = polls
        self._links = links
        self._enforcing = enforcing
        self._extensions = extensions
        self._in_force = in_force
        self._hooks = hooks
        self._observers = observers
        self._clock = clock

    def handshake(self, turn: Turn, message: Message, reply: Reply) -> Steps:
        """Open a session.

        The version that a client offers is not negotiated, because there is one. The client picks one of the
        transports in the reply.
        """
        self._check_offer(message, reply)
        address = turn.carrier.request.address
        self._check_capacity(address)
        for incoming in self._extensions.incoming:
            waiting = incoming(message, turn, self._clock.time())
            if waiting is not None:
                yield waiting
        identity = yield from self._authenticate(turn, message)
        now = self._clock.time()
        self._enforcing.admit(identity, address, now)
        self._leave_former(turn, now)
        self._check_capacity(address)  # others may have come while we waited
        session = turn.session = turn.carrier.session = self._sessions.open(turn.carrier)
        turn.with_messages = self._in_force.settings.with_handshake
        try:
            self._enforcing.identify(session, identity, now)
            yield from tell("on_join", self._hooks.join, session, self._observers.fail)
        finally:
            # From now on: the application may have taken its time.
            self._polls.expect_first(session, self._clock.time())
        if session.ended:
            raise Refusal(HANDSHAKE_DENIED, advice=GO_AWAY)
        reply.successful = True
        reply.client_id = session.id
        reply.version = reply.minimum_version = "1.0"
        reply.supported_connection_types = list(self._in_force.settings.transports)
        reply.advice = self._polls.advice(session)
        return True

    def _check_offer(self, message: Message, reply: Reply) -> None:
        """Refuse a client that offers transports, none of which we have (sections 4.1.1 and 4.1.2).

        One that offers nothing is welcome: several clients rely on that.
        """
        offered = _read_offer(message.supported_connection_types)
        known = self._in_force.settings.transports
        if offered and offered.isdisjoint(known):
            reply.supported_connection_types = list(known)
            raise Refusal(CONNECTION_TYPES_UNKNOWN, ",".join(known), advice=GO_AWAY)

    def _leave_former(self, turn: Turn, now: float) -> None:
        """End the session that the connection was bound to: this handshake begins another one.

        Or one connection could fill the server with sessions that nobody uses any more.
        """
        former = turn.carrier.session
        if not turn.carrier.is_link or former is None:
            return
        self._polls.supersede(former)
        self._sessions.end(former, Ending.ABANDONED)
        self._links.detach(turn.carrier, now)

    def _check_capacity(self, address: str | None) -> None:
        settings = self._in_force.settings
        if len(self._registry) >= settings.max_sessions:
            raise Refusal(SERVER_FULL, advice=TRY_LATER)
        limit = settings.max_sessions_per_address
        if self._sessions.of_place(address) >= limit:
            raise Refusal(
                ADDRESS_FULL,
                str(limit),
                advice=TRY_LATER,
                event="sessions.address-full",
                facts={"limit": limit},
            )

    def _authenticate(self, turn: Turn, message: Message) -> Generator[Awaitable[Any], Any, Identity | None]:
        authenticate = self._hooks.authenticate
        if authenticate is None:
            return None
        try:
            identity = call_hook(authenticate, message, turn.carrier.request)
            if isawaitable(identity):
                identity = yield identity
        except CredentialRefused as error:
            if error.event is not None:
                self._observers.note(error.event, _visitor(turn), **error.facts)
            raise _denied(error.reason, TRY_LATER if error.temporary else GO_AWAY) from None
        except Veto as veto:
            raise _denied(veto.reason, GO_AWAY) from None
        except Exception as error:
            self._observers.fail("hook.failed", error, hook="authenticate")
            raise _denied("", GO_AWAY) from None
        if self._hooks.authenticate is not authenticate:  # the files were read again meanwhile
            return (yield from self._authenticate(turn, message))
        return identity if isinstance(identity, Identity) else None


def _read_offer(raw: Raw) -> frozenset[str]:
    """Return the transports that a client offers; none if it offers nothing, or nothing that can be read."""
    if not raw:
        return frozenset()
    try:
        return frozenset(_decode_offer(raw))
    except ValueError:
        return frozenset()


def _visitor(turn: Turn) -> Visitor:
    return Visitor(address=turn.carrier.request.address)


def _denied(reason: str, advice: Advice) -> Refusal:
    facts = {"reason": reason or None}
    return Refusal(HANDSHAKE_DENIED, reason, advice=advice, event="handshake.denied", facts=facts)
