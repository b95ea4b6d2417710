"""The guard that judges by a file of rules: a session may do what a rule allows, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from msgspec import Raw

from mirant.bayeux.advice import GO_AWAY
from mirant.bayeux.channels import HANDSHAKE, Channel, Pattern
from mirant.bayeux.errors import (
    CHANNEL_CREATE_DENIED,
    CHANNEL_FULL,
    CREATE_DENIED,
    DENIED_BY_POLICY,
    HANDSHAKE_DENIED,
    MESSAGE_TOO_LARGE,
    PUBLISH_DENIED,
    RATE_EXCEEDED,
    SUBSCRIBE_DENIED,
    ErrorKind,
)
from mirant.bayeux.messages import Message, OddMessage
from mirant.bus.channel_options import ChannelOptions
from mirant.bus.core import Core
from mirant.bus.identity import Identity
from mirant.bus.refusal import Refusal
from mirant.bus.session import Session
from mirant.extensions.binary import is_binary
from mirant.policy.decisions import Decision, decide, decide_subscription
from mirant.policy.filters import Chain
from mirant.policy.filters.contract import Dropped
from mirant.policy.rulebook import ChannelRules, Rulebook
from mirant.policy.rules import Operation


class RuleGuard:
    """Judges by a `Rulebook`. Denials go to the audit log, with the line of the rule."""

    def __init__(self, book: Rulebook) -> None:
        self.book = book

    def enter(self, core: Core, identity: Identity | None, address: str | None) -> None:
        decision = decide(self.book, Operation.CALL, HANDSHAKE, identity)
        if not decision.allowed:
            name = None if identity is None else identity.name
            core.audit.event(core.now, "handshake.denied", address, user=name, rule=decision.rule)
            raise Refusal(HANDSHAKE_DENIED, advice=GO_AWAY)

    def subscribe(self, core: Core, session: Session, pattern: Pattern) -> None:
        decision = decide_subscription(self.book, pattern, session.identity)
        _require(decision, core, session, Operation.SUBSCRIBE, pattern.name, SUBSCRIBE_DENIED)
        if pattern.depth:
            return
        channel = Channel.parse(pattern.name)
        self._check_creation(core, session, channel, CREATE_DENIED)
        limit = self.book.of(channel).limits.max_members
        if limit is not None and core.subscriptions.count(pattern) >= limit:
            raise Refusal(CHANNEL_FULL, str(limit))

    def publish(self, core: Core, session: Session, channel: Channel, message: Message) -> None:
        rules = self._admit(core, session, channel)
        if rules.limited:
            _limit(core, session, channel, message, rules)
            _filter(message, rules)

    def confirm(
        self, core: Core, session: Session, channel: Channel, message: Message, *, filtered: bool
    ) -> None:
        rules = self._admit(core, session, channel)
        if not filtered:
            _filter(message, rules)

    def call(self, core: Core, session: Session, channel: Channel, message: Message) -> None:
        rules = self.book.of(channel)
        if rules.call is None or not rules.call.admits(session.identity):
            self._deny(core, session, channel, Operation.CALL)
        if rules.limited:
            _limit(core, session, channel, message, rules)
            _filter(message, rules)

    def chain(self, channel: Channel) -> Chain | None:
        return self.book.of(channel).chain

    def options(self, channel: Channel) -> ChannelOptions:
        return self.book.of(channel).limits.options()

    def revoked(self, session: Session) -> Iterable[Pattern]:
        return [
            pattern
            for pattern in session.subscriptions
            if not decide_subscription(self.book, pattern, session.identity).allowed
        ]

    def _admit(self, core: Core, session: Session, channel: Channel) -> ChannelRules:
        """Return the rules for *channel*, to which *session* may publish."""
        rules = self.book.of(channel)
        if rules.publish is None or not rules.publish.admits(session.identity):
            self._deny(core, session, channel, Operation.PUBLISH)
        self._check_creation(core, session, channel, CHANNEL_CREATE_DENIED)
        return rules

    def _check_creation(self, core: Core, session: Session, channel: Channel, error: ErrorKind) -> None:
        if Operation.CREATE.value not in self.book.of(channel).entries:
            return
        pattern = Pattern(channel.segments, 0)
        if pattern not in core.subscriptions and not core.channels.exists(pattern):
            decision = decide(self.book, Operation.CREATE, channel, session.identity)
            if not decision.allowed:
                self.book.forget(channel)
            _require(decision, core, session, Operation.CREATE, channel.name, error)

    def _deny(self, core: Core, session: Session, channel: Channel, operation: Operation) -> NoReturn:
        decision = decide(self.book, operation, channel, session.identity)
        self.book.forget(channel)
        _audit(core, session, f"{operation.value}.denied", channel.name, rule=decision.rule)
        raise Refusal(PUBLISH_DENIED, DENIED_BY_POLICY)


def _limit(core: Core, session: Session, channel: Channel, message: Message, rules: ChannelRules) -> None:
    size = rules.limits.max_message
    if size is not None and _size(message) > size:
        _audit(core, session, "message.too-large", channel.name)
        raise Refusal(MESSAGE_TOO_LARGE, str(size))
    _check_rate(core, session, channel, rules)


def _filter(message: Message, rules: ChannelRules) -> None:
    if rules.chain is None:
        return
    if is_binary(message):
        raise Dropped("binary_data")  # filters are for JSON, and would damage the encoded bytes
    data = bytes(message.data) or b"null"  # a call may come without data
    left = rules.chain(data)
    if left is not data:
        message.data = Raw(left)
    _strip(message)


def _size(message: Message) -> int:
    """Return how many bytes of JSON *message* would have others receive."""
    carried = len(bytes(message.data)) + len(bytes(message.timestamp))
    for fields in (message.ext or {}, message.extra):
        carried += sum(len(name) + len(bytes(raw)) for name, raw in fields.items())
    return carried


def _strip(message: Message) -> None:
    """Remove from *message* all that the filters have not seen. They see `data` only."""
    message.ext = None
    message.timestamp = Raw()
    if isinstance(message, OddMessage):
        message.odd_fields = {}


def _check_rate(core: Core, session: Session, channel: Channel, rules: ChannelRules) -> None:
    rate = rules.limits.rate
    if rate is None:
        return
    entry = rules.entries["rate"]
    rates = session.rates = session.rates if session.rates is not None else {}
    key = entry.scope.name  # as many as there are rules in the file, and no more
    following = rate.admits(rates.get(key, 0.0), core.now)
    if following is None:
        _audit(core, session, "rate.exceeded", channel.name, rule=f"{key}@{entry.rule.line('rate')}")
        raise Refusal(RATE_EXCEEDED, str(rate))
    rates[key] = following


def _require(
    decision: Decision, core: Core, session: Session, operation: Operation, name: str, error: ErrorKind
) -> None:
    if decision.allowed:
        return
    _audit(core, session, f"{operation.value}.denied", name, rule=decision.rule)
    raise Refusal(error, DENIED_BY_POLICY)


def _audit(core: Core, session: Session, event: str, channel: str, **facts: object) -> None:
    user = None if session.identity is None else session.identity.name
    session_id = session.id[:8]
    core.audit.event(
        core.now, event, session.address, channel=channel, session=session_id, user=user, **facts
    )
