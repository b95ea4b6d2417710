"""The way of a message in: from a decoded body to its answers.

Every message takes the same steps, top to bottom: is it well-formed, whose is it, what do the extensions
say, and what does its channel mean. Each step either goes on or refuses with one row of the error table; a
message that is refused spoils only itself.

`Receiver.receive` is a generator that yields what an application's hook asks to be awaited, and a `PAUSE`
where a body of many messages takes long. A host runs it with a plain `next` when there is neither, and keeps
the order of a session's messages by finishing one turn before it begins the next. The steps of a message are
plain functions; one that has to wait returns a generator for the rest of them. (Four generators, one in the
other, cost 0.4 µs; one costs 0.2.)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, Final

from mirant.bayeux.advice import GO_AWAY, HANDSHAKE_NOW
from mirant.bayeux.channels import CONNECT, HANDSHAKE, Channel, ChannelInvalid, Kind
from mirant.bayeux.errors import (
    APPLICATION_FAILED,
    CHANNEL_CREATE_DENIED,
    CHANNEL_INVALID,
    CHANNEL_MISSING,
    DENIED_BY_POLICY,
    MESSAGE_DELETED,
    MESSAGE_ID_INVALID,
    SESSION_UNKNOWN,
)
from mirant.bayeux.messages import MAX_ID, Message, Reply
from mirant.bus.calls import Calls
from mirant.bus.carrier import Carrier, Link
from mirant.bus.clock import Clock
from mirant.bus.deliveries import Deliveries
from mirant.bus.extension import Extensions, IncomingHook
from mirant.bus.farewells import farewell_answer
from mirant.bus.handling import Handler, Steps
from mirant.bus.hooks import Pipeline, contained, failure_of
from mirant.bus.links import Links
from mirant.bus.observer import Observers
from mirant.bus.pace import PAUSE, TurnShare
from mirant.bus.party import Visitor
from mirant.bus.publishing import Publishing
from mirant.bus.refusal import Refusal
from mirant.bus.session import Session
from mirant.bus.sessions import Sessions
from mirant.bus.traits import ENDED, EXTENDED
from mirant.bus.turn import Answer, Turn, reply_for
from mirant.bus.veto import Dismiss, Veto

# A member of an enumeration costs 0.1 µs to find.
_META: Final = Kind.META
_HANDSHAKE: Final = HANDSHAKE.name
_SERVICE: Final = Kind.SERVICE


class Receiver:
    """Takes messages through their steps. It has a handler for each meta channel; there are no others."""

    __slots__ = (
        "_calls",
        "_clock",
        "_deliveries",
        "_dismiss",
        "_extensions",
        "_handlers",
        "_handshake",
        "_links",
        "_observers",
        "_publishing",
        "_sessions",
    )

    def __init__(
        self,
        handshake: Handler,
        handlers: Mapping[Channel, Handler],
        publishing: Publishing,
        calls: Calls,
        sessions: Sessions,
        links: Links,
        deliveries: Deliveries,
        extensions: Extensions,
        observers: Observers,
        dismiss: Callable[[Session, Turn], None],
        clock: Clock,
    ) -> None:
        """*handlers* are for sessions that are known; *handshake* is apart, because it has none yet."""
        self._handshake = handshake
        # By name, because Python's own text compares faster than a channel does.
        self._handlers = {channel.name: handler for channel, handler in handlers.items()}
        self._publishing = publishing
        self._calls = calls
        self._sessions = sessions
        self._links = links
        self._deliveries = deliveries
        self._extensions = extensions
        self._observers = observers
        self._dismiss = dismiss
        self._clock = clock

    def receive(self, messages: Sequence[Message], carrier: Carrier[Session], now: float) -> Pipeline:
        """Process *messages*, which came in at once on *carrier* at *now*, and have them answered.

        Answers are sent in the next flush, except that of a /meta/connect that is held. No messages are a
        sign of life of the session that the connection has.
        """
        if not messages:
            if carrier.session is not None and not carrier.session.ended:
                self._sessions.heard(carrier.session, now)
            return
        alone = len(messages) == 1
        if alone or not any(message.target == HANDSHAKE for message in messages):
            turn = Turn(carrier, self._session_of(messages[0], carrier), now, alone=alone)
            share = None if alone else TurnShare(self._clock)
            for message in messages:
                if share is not None and share.is_over():
                    yield PAUSE
                    now = share.begin()
                reply = reply_for(message)
                answered = self._begin(turn, message, reply, now)
                if not isinstance(answered, bool):
                    answered = yield from self._go_on(turn, message, reply, answered)
                    now = self._clock.time()
                if answered:
                    turn.answers.append(Answer(message, reply))
        else:
            turn = yield from self._handshake_among_others(messages, carrier, now)
            now = self._clock.time()
        if turn.answers:
            self._deliveries.complete(turn, now)

    def _handshake_among_others(
        self, messages: Sequence[Message], carrier: Carrier[Session], now: float
    ) -> Generator[Awaitable[Any], Any, Turn]:
        """Process the first handshake of a body; the other messages in it cannot know the new clientId.

        Bayeux 1.0, section 4.1: a server must ignore any other message sent with a handshake. They are not
        acted on, but answered: a client that waits for each of its replies would hang otherwise. Further
        handshakes are among the others, or one body could try a thousand passwords.
        """
        turn = Turn(carrier, None, now, alone=True)
        first = next(message for message in messages if message.target == HANDSHAKE)
        for message in messages:
            reply = reply_for(message)
            answered: bool | Steps = True
            if message is first:
                answered = self._begin(turn, message, reply, now)
                if not isinstance(answered, bool):
                    answered = yield from self._go_on(turn, message, reply, answered)
            else:
                self._refuse(turn, message, reply, Refusal(SESSION_UNKNOWN))
            if answered:
                turn.answers.append(Answer(message, reply))
        return turn

    def _session_of(self, message: Message, carrier: Carrier[Session]) -> Session | None:
        """Return the session that the first *message* decides on for its whole body.

        A connection that is bound to a session stays with it until the session ends. An unbound one takes the
        session that the message names, and is bound to it when a message of it is well-formed. Over HTTP each
        request says it anew, and must come from the session's browser.
        """
        session = carrier.session
        if not carrier.is_link:
            session = carrier.session = self._sessions.find(message.client_id, carrier)
        elif session is None or session.traits & ENDED:
            session = self._sessions.find(message.client_id, carrier)
        return session

    def _begin(self, turn: Turn, message: Message, reply: Reply, now: float) -> bool | Steps:
        """Process *message*; return whether the *reply* is to be sent now, or the steps that are left."""
        try:
            return self._act(turn, message, reply, now)
        except BaseException as error:  # the application may raise anything: a CancelledError, say
            self._fail(turn, message, reply, failure_of(error))
            return True

    def _go_on(self, turn: Turn, message: Message, reply: Reply, steps: Steps) -> Steps:
        """Run the *steps* that are left of *message*."""
        try:
            return (yield from contained(steps))
        except Exception as error:
            self._fail(turn, message, reply, error)
            return True

    def _fail(self, turn: Turn, message: Message, reply: Reply, error: Exception) -> None:
        """Say in the *reply* which *error* was raised on the way."""
        if isinstance(error, Refusal):
            refusal = error
            if error.advice is HANDSHAKE_NOW and self._say_farewell(turn, message):
                refusal = Refusal(SESSION_UNKNOWN, advice=GO_AWAY)
        elif isinstance(error, Dismiss):
            if turn.session is not None:
                self._dismiss(turn.session, turn)
            refusal = Refusal(SESSION_UNKNOWN, advice=GO_AWAY)
        elif isinstance(error, Veto):
            refusal = Refusal(MESSAGE_DELETED, error.reason)
        else:
            self._observers.fail("hook.failed", error, channel=message.channel)
            refusal = Refusal(APPLICATION_FAILED)
        self._refuse(turn, message, reply, refusal)

    def _say_farewell(self, turn: Turn, message: Message) -> bool:
        """Let a client that was sent away have its last messages with *turn*; return whether it was."""
        deliveries = self._sessions.farewell(message.client_id, turn.carrier)
        if deliveries is None:
            return False
        turn.deliveries = [*turn.deliveries, *deliveries]
        turn.answers.append(farewell_answer())
        return True

    def _refuse(self, turn: Turn, message: Message, reply: Reply, refusal: Refusal) -> None:
        reply.successful = False
        reply.error = refusal.error.wire(refusal.argument)
        reply.advice = refusal.advice
        party = turn.session or turn.carrier.session or Visitor(address=turn.carrier.request.address)
        for tell in self._observers.refused:
            tell(party, message.channel, refusal)

    def _act(self, turn: Turn, message: Message, reply: Reply, now: float) -> bool | Steps:
        """Take *message* through its steps and fill the *reply*; return whether that is to be sent now."""
        channel = _check_form(message)
        if channel.kind is _META and channel.name == _HANDSHAKE:
            turn.session = None  # that of the connection, if it has one, is over if this succeeds
            return self._handshake(turn, message, reply)
        session = _check_session(turn, message, channel)
        if turn.carrier.is_link and session.link is not turn.carrier and isinstance(turn.carrier, Link):
            self._links.attach(session, turn.carrier)
        hooks = (
            self._extensions.incoming_of(session) if session.traits & EXTENDED else self._extensions.incoming
        )
        if hooks:
            remaining = iter(hooks)
            for incoming in remaining:
                waiting = incoming(message, turn, now)
                if waiting is not None:
                    return self._act_later(turn, message, reply, waiting, remaining)
        return self._act_on(session, channel, turn, message, reply, now)

    def _act_later(
        self,
        turn: Turn,
        message: Message,
        reply: Reply,
        waiting: Awaitable[Any],
        hooks: Iterator[IncomingHook],
    ) -> Steps:
        """Go on when the extension that asked for it has waited: with the *hooks* of others, then as ever."""
        channel = _check_form(message)
        yield waiting
        session = _check_session(turn, message, channel)  # it may have ended meanwhile
        for incoming in hooks:
            following = incoming(message, turn, self._clock.time())
            if following is not None:
                yield following
                session = _check_session(turn, message, channel)
        answered = self._act_on(session, channel, turn, message, reply, self._clock.time())
        return answered if isinstance(answered, bool) else (yield from answered)

    def _act_on(
        self, session: Session, channel: Channel, turn: Turn, message: Message, reply: Reply, now: float
    ) -> bool | Steps:
        """Do what the *channel* means."""
        self._sessions.heard(session, now)
        kind = channel.kind
        if kind is _META:
            handler = self._handlers.get(channel.name)
            if handler is None:
                raise Refusal(CHANNEL_CREATE_DENIED, DENIED_BY_POLICY)
            return handler(turn, message, reply)
        if kind is _SERVICE:
            self._calls.call(session, channel, message)
            reply.successful = True
            return True
        return self._publishing.publish(turn, session, channel, message, reply)


def _check_form(message: Message) -> Channel:
    if type(message) is not Message and message.fault is not None:  # only an `OddMessage` can have one
        raise Refusal(*message.fault)
    if message.channel is None:
        raise Refusal(CHANNEL_MISSING)
    if message.id is not None and not 0 < len(str(message.id)) <= MAX_ID:
        raise Refusal(MESSAGE_ID_INVALID)
    try:
        return Channel.parse(message.channel)
    except ChannelInvalid:
        raise Refusal(CHANNEL_INVALID) from None


def _check_session(turn: Turn, message: Message, channel: Channel) -> Session:
    session = turn.session
    if session is None or session.traits & ENDED or message.client_id != session.record.id:
        # Without this advice on a connect no client ever recovers; on others it would be obeyed twice.
        raise Refusal(SESSION_UNKNOWN, advice=HANDSHAKE_NOW if channel == CONNECT else None)
    return session
