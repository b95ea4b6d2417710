"""The way of a message in: from a decoded body to its answers.

Every message takes the same steps, top to bottom: is it well-formed, whose is it, what do the extensions
say, and what does its channel mean. Each step either goes on or refuses with one row of the error table; a
message that is refused spoils only itself.

The steps are generators that yield only what an application's hook asks to be awaited. A host runs them
with a plain `next` when nothing is asynchronous, and keeps the order of a session's messages by finishing
one turn before it begins the next.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Generator, Sequence
from typing import Any

from msgspec import UNSET

from mirant.bayeux.advice import GO_AWAY, HANDSHAKE_NOW
from mirant.bayeux.channels import CONNECT, HANDSHAKE, Channel, ChannelInvalid, Kind
from mirant.bayeux.errors import (
    APPLICATION_FAILED,
    CALL_LIMIT,
    CHANNEL_CREATE_DENIED,
    CHANNEL_INVALID,
    CHANNEL_MISSING,
    DATA_MISSING,
    DENIED_BY_POLICY,
    MESSAGE_DELETED,
    MESSAGE_ID_INVALID,
    SESSION_UNKNOWN,
)
from mirant.bayeux.messages import MAX_ID, Delivery, Message, Reply
from mirant.bus import meta
from mirant.bus.carrier import Carrier, Link, Turn
from mirant.bus.core import Core
from mirant.bus.extension import Dismiss, Veto
from mirant.bus.hooks import Pipeline
from mirant.bus.refusal import Refusal
from mirant.bus.session import Session

log = logging.getLogger("mirant")

#: A step that may have to wait, and results in nothing: the reply is filled in place.
Step = Generator[Awaitable[Any], Any, None]


def receive(core: Core, messages: Sequence[Message], carrier: Carrier, now: float) -> Pipeline:
    """Process *messages*, which came in at once on *carrier* at *now*, and have them answered.

    Answers are sent in the next `Core.flush`, except that of a /meta/connect that is held.
    """
    core.now = now
    alone = len(messages) == 1
    if alone or not any(message.target == HANDSHAKE for message in messages):
        turn = Turn(carrier, _session_of(core, messages[0], carrier), now, alone=alone)
        for message in messages:
            reply = yield from _process(core, turn, message)
            if reply is not None:
                turn.answers.append((message, reply))
    else:
        turn = yield from _handshake_among_others(core, messages, carrier)
    if turn.answers:
        core.complete(turn)


def _handshake_among_others(
    core: Core, messages: Sequence[Message], carrier: Carrier
) -> Generator[Awaitable[Any], Any, Turn]:
    """Process the first handshake of a body; the other messages in it cannot know the new clientId.

    Bayeux 1.0, section 4.1: a server must ignore any other message sent with a handshake. They are not acted
    on, but answered: a client that waits for each of its replies would hang otherwise. Further handshakes are
    among the others, or one body could try a thousand passwords.
    """
    turn = Turn(carrier, None, core.now, alone=True)
    first = next(message for message in messages if message.target == HANDSHAKE)
    for message in messages:
        if message is first:
            reply = yield from _process(core, turn, message)
        else:
            reply = _reply_to(message)
            _refuse(reply, Refusal(SESSION_UNKNOWN))
        if reply is not None:
            turn.answers.append((message, reply))
    return turn


def _session_of(core: Core, message: Message, carrier: Carrier) -> Session | None:
    """Return the session that the first *message* decides on for its whole body.

    A connection that is bound to a session stays with it; an unbound one adopts the session that its first
    message names. Over HTTP each request says it anew, and must come from the session's browser.
    """
    if not isinstance(carrier, Link) or carrier.session is None:
        carrier.session = core.find(message.client_id, carrier)
    return carrier.session


def _process(core: Core, turn: Turn, message: Message) -> Generator[Awaitable[Any], Any, Reply | None]:
    """Return the reply to *message*, or None if it is to be answered later."""
    reply = _reply_to(message)
    try:
        answered = yield from _act(core, turn, message, reply)
    except Refusal as refusal:
        _refuse(reply, refusal)
    except Dismiss:
        if turn.session is not None:
            core.dismiss(turn.session, turn)
        _refuse(reply, Refusal(SESSION_UNKNOWN, advice=GO_AWAY))
    except Veto as veto:
        _refuse(reply, Refusal(MESSAGE_DELETED, str(veto)))
    except Exception:
        log.exception("hook.failed channel=%s", message.channel)
        _refuse(reply, Refusal(APPLICATION_FAILED))
    else:
        return reply if answered else None
    return reply


def _act(core: Core, turn: Turn, message: Message, reply: Reply) -> meta.Answered:
    """Take *message* through its steps and fill the *reply*; return whether that is to be sent now."""
    channel = _check_form(message)
    if channel == HANDSHAKE:
        return (yield from meta.handshake(core, turn, message, reply))
    session = _check_session(turn, message, channel)
    if isinstance(turn.carrier, Link) and session.link is not turn.carrier:
        core.attach(session, turn.carrier)
    for extension in core.extensions_of(session):
        waiting = extension.incoming(message, turn, core.now)
        if waiting is not None:
            yield waiting
            _check_session(turn, message, channel)  # it may have ended meanwhile
    core.heard(session)
    if channel.kind is Kind.META:
        handler = meta.HANDLERS.get(channel)
        if handler is None:
            raise Refusal(CHANNEL_CREATE_DENIED, DENIED_BY_POLICY)
        answered = handler(core, turn, message, reply)
        return answered if isinstance(answered, bool) else (yield from answered)
    if channel.kind is Kind.SERVICE:
        _service(core, session, channel, message)
    else:
        yield from _publish(core, session, channel, message)
    reply.successful = True
    return True


def _reply_to(message: Message) -> Reply:
    return Reply(
        channel=message.channel,
        id=message.reply_id,
        subscription=message.subscription if message.subscription else UNSET,
    )


def _refuse(reply: Reply, refusal: Refusal) -> None:
    reply.successful = False
    reply.error = refusal.error.wire(refusal.argument)
    reply.advice = refusal.advice


def _check_form(message: Message) -> Channel:
    if message.fault is not None:
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
    if session is None or session.ended or message.client_id != session.id:
        # Without this advice on a connect no client ever recovers; on others it would be obeyed twice.
        raise Refusal(SESSION_UNKNOWN, advice=HANDSHAKE_NOW if channel == CONNECT else None)
    return session


def _publish(core: Core, session: Session, channel: Channel, message: Message) -> Step:
    if not message.data:
        raise Refusal(DATA_MISSING)
    if core.hooks.publish:
        for hook, parameters in core.hooks.publish.find(channel):
            waiting = hook(session, channel, message, parameters)
            if waiting is not None:
                yield waiting
    core.publish(channel, Delivery.forward(channel, message), session)


def _service(core: Core, session: Session, channel: Channel, message: Message) -> None:
    """Hand *message* to the application's service; without one it is accepted and goes nowhere."""
    found = core.hooks.services.find(channel)
    if not found:
        return
    if session.calls >= core.settings.max_calls:
        raise Refusal(CALL_LIMIT)
    # One service answers: of "/city/paris" and "/city/{name}" the one that is spelt out.
    hook, parameters = min(found, key=lambda route: len(route[1]))
    core.host.background(_counted(session, hook(session, channel, message, parameters)))


def _counted(session: Session, work: Pipeline) -> Pipeline:
    session.calls += 1
    try:
        yield from work
    finally:
        session.calls -= 1
