"""The meta channels for subscriptions: subscribe and unsubscribe (Bayeux 1.0, sections 4.3 and 4.4)."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Any, Final

import msgspec

from mirant.bayeux.channels import (
    CONNECT,
    DISCONNECT,
    HANDSHAKE,
    SUBSCRIBE,
    UNSUBSCRIBE,
    Channel,
    ChannelInvalid,
    Kind,
    Pattern,
)
from mirant.bayeux.errors import (
    CHANNEL_MISSING,
    CREATE_DENIED,
    DENIED_BY_POLICY,
    FIELD_INVALID,
    SESSION_UNKNOWN,
    SUBSCRIBE_DENIED,
    SUBSCRIPTION_INVALID,
    SUBSCRIPTION_LIMIT,
    SUBSCRIPTION_MISSING,
    UNSUBSCRIBE_FAILED,
)
from mirant.bayeux.messages import Message, Reply
from mirant.bus.carrier import Turn
from mirant.bus.core import Core
from mirant.bus.extension import Veto
from mirant.bus.refusal import Refusal
from mirant.bus.session import Session

#: Whether the reply is to be sent now, for handlers that may have to wait for the application.
Answered = Generator[Awaitable[Any], Any, bool]

_META_NAMES: Final = {channel.name for channel in (HANDSHAKE, CONNECT, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT)}

_decode_count = msgspec.json.Decoder(int).decode
_decode_names = msgspec.json.Decoder(str | list[str]).decode


def subscribe(core: Core, turn: Turn, message: Message, reply: Reply) -> Answered:
    """Subscribe to one pattern or a list of them (section 4.3).

    A list is worked through in order up to the first that is refused, as the reference server does; those
    before it stay subscribed.
    """
    session = session_of(turn)
    recalled = _history_asked(message)
    for pattern in _patterns(core, turn, message):
        if pattern.kind is Kind.META:
            exists = pattern.name in _META_NAMES
            raise Refusal(SUBSCRIBE_DENIED if exists else CREATE_DENIED, DENIED_BY_POLICY)
        if pattern.kind is Kind.SERVICE:
            continue  # succeeds and is not recorded: service channels are never distributed
        if pattern not in session.subscriptions:
            yield from _grant(core, session, pattern)
            _check_subscribable(core, session)
            core.subscribe(session, pattern)
            if recalled and pattern.depth == 0:
                past = core.history.last(Channel.parse(pattern.name), recalled)
                turn.named += len(past)  # or one body could have a channel's past delivered 500 times
                for delivery in past:
                    core.recall(session, delivery)
    reply.successful = True
    return True


def unsubscribe(core: Core, turn: Turn, message: Message, reply: Reply) -> bool:
    """Undo a subscription (section 4.4). To undo one that the session does not have succeeds too, as long as
    somebody is subscribed: the reference server tells an unknown channel, not a missing subscription."""
    session = session_of(turn)
    for pattern in _patterns(core, turn, message):
        if pattern.kind is Kind.META:
            raise Refusal(UNSUBSCRIBE_FAILED)
        # Under rules the answer must not tell whether somebody else is subscribed.
        if core.guard is None and pattern.kind is Kind.BROADCAST and not _is_known(core, pattern):
            raise Refusal(CHANNEL_MISSING)
        core.unsubscribe(session, pattern)
    reply.successful = True
    return True


def session_of(turn: Turn) -> Session:
    """Return the session of *turn*, which has one: the pipeline has checked it."""
    assert turn.session is not None, "the pipeline checks the session first"
    return turn.session


def _is_known(core: Core, pattern: Pattern) -> bool:
    return pattern in core.subscriptions or core.channels.exists(pattern)


def _history_asked(message: Message) -> int:
    """Return how many past messages a new subscriber asks for: ``"ext": {"history": 10}``."""
    if message.ext is None or "history" not in message.ext:
        return 0
    try:
        return _decode_count(message.ext["history"])
    except msgspec.ValidationError:
        raise Refusal(FIELD_INVALID, "ext.history") from None


def _check_subscribable(core: Core, session: Session) -> None:
    # Both may have changed while the application was asked.
    if session.ended:
        raise Refusal(SESSION_UNKNOWN)
    if len(session.subscriptions) >= core.settings.max_subscriptions:
        raise Refusal(SUBSCRIPTION_LIMIT)


def _patterns(core: Core, turn: Turn, message: Message) -> list[Pattern]:
    if not message.subscription or bytes(message.subscription) == b"null":
        raise Refusal(SUBSCRIPTION_MISSING)
    try:
        names = _decode_names(message.subscription)
        names = [names] if isinstance(names, str) else names
        turn.named += len(names)
        if turn.named > max(core.settings.max_subscriptions, core.settings.max_batch):
            raise Refusal(SUBSCRIPTION_LIMIT)  # a body of 1 MiB has room for 100,000: seconds of work
        patterns = [Pattern.parse(name) for name in names]
    except (msgspec.ValidationError, ChannelInvalid):
        raise Refusal(SUBSCRIPTION_INVALID) from None
    if not patterns:
        raise Refusal(SUBSCRIPTION_MISSING)
    return patterns


def _grant(core: Core, session: Session, pattern: Pattern) -> Generator[Awaitable[Any], Any, None]:
    """Ask the rules, then the application, whether *session* may subscribe to *pattern*."""
    _check_subscribable(core, session)
    if core.guard is not None:
        core.guard.subscribe(core, session, pattern)
    if pattern.depth:
        # A hook guards its channels one by one; a wildcard that covers one of them must not get round it.
        if core.hooks.subscribe.covered_by(pattern):
            raise Refusal(SUBSCRIBE_DENIED, "wildcard_covers_guarded_channel")
        return
    waited = False
    for hook, parameters in core.hooks.subscribe.find(Channel.parse(pattern.name)):
        try:
            waiting = hook(session, parameters)
            if waiting is not None:
                waited = True
                yield waiting
        except Veto as veto:
            raise Refusal(SUBSCRIBE_DENIED, str(veto)) from None
    if waited and core.guard is not None:
        core.guard.subscribe(core, session, pattern)  # rules, identity and members may be others now
