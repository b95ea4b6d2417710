"""Subscribing and unsubscribing (Bayeux 1.0, sections 4.3 and 4.4)."""

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
    RATE_EXCEEDED,
    SESSION_UNKNOWN,
    SUBSCRIBE_DENIED,
    SUBSCRIPTION_INVALID,
    SUBSCRIPTION_LIMIT,
    SUBSCRIPTION_MISSING,
    UNSUBSCRIBE_FAILED,
)
from mirant.bayeux.messages import Message, Reply
from mirant.bus.clock import Clock
from mirant.bus.handling import Steps, session_of
from mirant.bus.hooks import Hooks
from mirant.bus.hub import Hub
from mirant.bus.in_force import InForce
from mirant.bus.pace import PAUSE, TurnShare
from mirant.bus.refusal import Refusal
from mirant.bus.session import Session
from mirant.bus.turn import Turn
from mirant.bus.veto import Veto

_META_NAMES: Final = {channel.name for channel in (HANDSHAKE, CONNECT, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT)}

# A session may have `max_subscriptions`, of so many bytes on average. A name of 30 characters in three parts
# has 310. Otherwise a thousand names of the longest kind would take 2 MiB of each session.
_MEAN_WEIGHT: Final = 512

# A session may ask for as many subscriptions at once as it may have, or for this many if that is more, and
# again in this time, in seconds. Each costs a decision by the rules, and what was kept of who gets what.
_AT_ONCE: Final = 1_000
_PERIOD: Final = 10.0

_decode_count = msgspec.json.Decoder(int).decode
_decode_names = msgspec.json.Decoder(str | list[str]).decode


class Subscribing:
    """Handles /meta/subscribe and /meta/unsubscribe."""

    __slots__ = ("_clock", "_hooks", "_hub", "_in_force")

    def __init__(self, hub: Hub, in_force: InForce, hooks: Hooks, clock: Clock) -> None:
        self._hub = hub
        self._in_force = in_force
        self._hooks = hooks
        self._clock = clock

    def subscribe(self, turn: Turn, message: Message, reply: Reply) -> Steps:
        """Subscribe to one pattern or a list of them (section 4.3).

        A list is worked through in order up to the first that is refused, as the reference server does; those
        before it stay subscribed.
        """
        session = session_of(turn)
        recalled = _history_asked(message)
        share = TurnShare(self._clock)
        for pattern in self._patterns(turn, message):
            if share.is_over():
                yield PAUSE
                share.begin()
            if pattern.kind is Kind.META:
                exists = pattern.name in _META_NAMES
                raise Refusal(SUBSCRIBE_DENIED if exists else CREATE_DENIED, DENIED_BY_POLICY)
            if pattern.kind is Kind.SERVICE:
                continue  # succeeds and is not recorded: service channels are never distributed
            if pattern not in session.record.subscriptions:
                yield from self._grant(session, pattern)
                self._check_subscribable(session)
                self._hub.subscribe(session, pattern)
                if recalled and pattern.depth == 0:
                    self._recall(turn, session, Channel.parse(pattern.name), recalled)
        reply.successful = True
        return True

    def unsubscribe(self, turn: Turn, message: Message, reply: Reply) -> Steps:
        """Undo a subscription (section 4.4).

        To undo one that the session does not have succeeds too, as long as somebody is subscribed: the
        reference server tells an unknown channel, not a missing subscription.
        """
        session = session_of(turn)
        share = TurnShare(self._clock)
        for pattern in self._patterns(turn, message):
            if share.is_over():
                yield PAUSE
                share.begin()
            if pattern.kind is Kind.META:
                raise Refusal(UNSUBSCRIBE_FAILED)
            # Under rules the answer must not tell whether somebody else is subscribed.
            open_bus = self._in_force.guard is None
            if open_bus and pattern.kind is Kind.BROADCAST and not self._hub.exists(pattern):
                raise Refusal(CHANNEL_MISSING)
            self._hub.unsubscribe(session, pattern)
        reply.successful = True
        return True

    def _recall(self, turn: Turn, session: Session, channel: Channel, count: int) -> None:
        """Let *session* have the last *count* messages of *channel*."""
        page = self._hub.history(channel, last=count)
        turn.named += len(page.items)  # or one body could have a channel's past delivered 500 times
        for _, delivery in page.items:
            self._hub.recall(session, delivery)

    def _check_subscribable(self, session: Session) -> None:
        # Both may have changed while the application was asked.
        if session.ended:
            raise Refusal(SESSION_UNKNOWN)
        limit = self._in_force.settings.max_subscriptions
        if len(session.record.subscriptions) >= limit or session.weight >= limit * _MEAN_WEIGHT:
            raise Refusal(SUBSCRIPTION_LIMIT)

    def _charge(self, session: Session) -> None:
        """Count one subscription that *session* asks for, granted or not, against its rate."""
        limit = max(self._in_force.settings.max_subscriptions, _AT_ONCE)
        step = _PERIOD / limit
        now = self._clock.time()
        following = max(session.busy_until, now) + step
        if following - now > _PERIOD + step / 2:
            raise Refusal(RATE_EXCEEDED, f"{limit}/{_PERIOD:g}s")
        session.busy_until = following

    def _patterns(self, turn: Turn, message: Message) -> list[Pattern]:
        if not message.subscription or bytes(message.subscription) == b"null":
            raise Refusal(SUBSCRIPTION_MISSING)
        settings = self._in_force.settings
        try:
            names = _decode_names(message.subscription)
            names = [names] if isinstance(names, str) else names
            turn.named += len(names)
            if turn.named > max(settings.max_subscriptions, settings.max_batch):
                raise Refusal(SUBSCRIPTION_LIMIT)  # a body of 1 MiB has room for 100,000: seconds of work
            patterns = [Pattern.parse(name) for name in names]
        except (msgspec.ValidationError, ChannelInvalid):
            raise Refusal(SUBSCRIPTION_INVALID) from None
        if not patterns:
            raise Refusal(SUBSCRIPTION_MISSING)
        return patterns

    def _grant(self, session: Session, pattern: Pattern) -> Generator[Awaitable[Any], Any, None]:
        """Ask the rules, then the application, whether *session* may subscribe to *pattern*."""
        self._check_subscribable(session)
        self._charge(session)
        self._judge(session, pattern)
        if pattern.depth:
            # A hook guards its channels one by one; a wildcard that covers one of them must not get round it.
            if self._hooks.subscribe.covered_by(pattern):
                raise Refusal(SUBSCRIBE_DENIED, "wildcard_covers_guarded_channel")
            return
        waited = False
        for hook, parameters in self._hooks.subscribe.find(Channel.parse(pattern.name)):
            try:
                waiting = hook(session, parameters)
                if waiting is not None:
                    waited = True
                    yield waiting
            except Veto as veto:
                raise Refusal(SUBSCRIBE_DENIED, veto.reason) from None
        if waited:
            self._judge(session, pattern)  # rules, identity and members may be others now

    def _judge(self, session: Session, pattern: Pattern) -> None:
        guard = self._in_force.guard
        if guard is not None:
            guard.subscribe(session, pattern, self._clock.time())


def _history_asked(message: Message) -> int:
    """Return how many past messages a new subscriber asks for: ``"ext": {"history": 10}``."""
    if message.ext is None or "history" not in message.ext:
        return 0
    try:
        return _decode_count(message.ext["history"])
    except msgspec.ValidationError:
        raise Refusal(FIELD_INVALID, "ext.history") from None
