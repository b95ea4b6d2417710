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
from mirant.bus.contracts import Population
from mirant.bus.party import Party
from mirant.bus.refusal import Refusal
from mirant.extensions.binary import is_binary
from mirant.policy.decisions import Decision, decide, decide_subscription
from mirant.policy.filters import Chain
from mirant.policy.filters.contract import Dropped
from mirant.policy.rulebook import ChannelRules, Rulebook
from mirant.policy.rules import Operation


class RuleGuard:
    """Judges by a `Rulebook`. A `Refusal` says which rule decided, for the audit log."""

    def __init__(self, book: Rulebook, population: Population) -> None:
        """Judge by *book*; *population* tells which channels there are, and how many are on them."""
        self.book = book
        self._population = population

    def enter(self, party: Party, now: float) -> None:
        decision = decide(self.book, Operation.CALL, HANDSHAKE, party.identity)
        if not decision.allowed:
            name = None if party.identity is None else party.identity.name
            facts = {"session": None, "user": name, "rule": decision.rule}
            raise Refusal(HANDSHAKE_DENIED, advice=GO_AWAY, event="handshake.denied", facts=facts)

    def subscribe(self, party: Party, pattern: Pattern, now: float) -> None:
        decision = decide_subscription(self.book, pattern, party.identity)
        _require(decision, Operation.SUBSCRIBE, pattern.name, SUBSCRIBE_DENIED)
        if pattern.depth:
            return
        channel = Channel.parse(pattern.name)
        self._check_creation(party, channel, CREATE_DENIED)
        limit = self.book.of(channel).limits.max_members
        if limit is not None and self._population.members(pattern) >= limit:
            raise Refusal(CHANNEL_FULL, str(limit))

    def publish(self, party: Party, channel: Channel, message: Message, now: float) -> None:
        rules = self._admit(party, channel)
        if rules.limited:
            _limit(party, channel, message, rules, now)
            _filter(message, rules)

    def confirm(
        self, party: Party, channel: Channel, message: Message, now: float, *, filtered: bool
    ) -> None:
        rules = self._admit(party, channel)
        if not filtered:
            _filter(message, rules)

    def call(self, party: Party, channel: Channel, message: Message, now: float) -> None:
        rules = self.book.of(channel)
        if rules.call is None or not rules.call.admits(party.identity):
            self._deny(party, channel, Operation.CALL)
        if rules.limited:
            _limit(party, channel, message, rules, now)
            _filter(message, rules)

    def chain(self, channel: Channel) -> Chain | None:
        return self.book.of(channel).chain

    def options(self, channel: Channel) -> ChannelOptions:
        return self.book.of(channel).limits.options()

    def revoked(self, party: Party, patterns: Iterable[Pattern]) -> Iterable[Pattern]:
        return [
            pattern
            for pattern in patterns
            if not decide_subscription(self.book, pattern, party.identity).allowed
        ]

    def _admit(self, party: Party, channel: Channel) -> ChannelRules:
        """Return the rules for *channel*, to which *party* may publish."""
        rules = self.book.of(channel)
        if rules.publish is None or not rules.publish.admits(party.identity):
            self._deny(party, channel, Operation.PUBLISH)
        self._check_creation(party, channel, CHANNEL_CREATE_DENIED)
        return rules

    def _check_creation(self, party: Party, channel: Channel, error: ErrorKind) -> None:
        if Operation.CREATE.value not in self.book.of(channel).entries:
            return
        if not self._population.exists(Pattern(channel.segments, 0)):
            decision = decide(self.book, Operation.CREATE, channel, party.identity)
            if not decision.allowed:
                self.book.forget(channel)
            _require(decision, Operation.CREATE, channel.name, error)

    def _deny(self, party: Party, channel: Channel, operation: Operation) -> NoReturn:
        decision = decide(self.book, operation, channel, party.identity)
        self.book.forget(channel)
        facts = {"channel": channel.name, "rule": decision.rule}
        event = f"{operation.value}.denied"
        raise Refusal(PUBLISH_DENIED, DENIED_BY_POLICY, event=event, facts=facts)


def _limit(party: Party, channel: Channel, message: Message, rules: ChannelRules, now: float) -> None:
    size = rules.limits.max_message
    if size is not None and _size(message) > size:
        facts = {"channel": channel.name}
        raise Refusal(MESSAGE_TOO_LARGE, str(size), event="message.too-large", facts=facts)
    _check_rate(party, channel, rules, now)


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


def _check_rate(party: Party, channel: Channel, rules: ChannelRules, now: float) -> None:
    rate = rules.limits.rate
    if rate is None:
        return
    entry = rules.entries["rate"]
    rates = party.rates
    key = entry.scope.name  # as many as there are rules in the file, and no more
    following = rate.admits(rates.get(key, 0.0), now)
    if following is None:
        facts = {"channel": channel.name, "rule": f"{key}@{entry.rule.line('rate')}"}
        raise Refusal(RATE_EXCEEDED, str(rate), event="rate.exceeded", facts=facts)
    rates[key] = following


def _require(decision: Decision, operation: Operation, name: str, error: ErrorKind) -> None:
    if not decision.allowed:
        facts = {"channel": name, "rule": decision.rule}
        raise Refusal(error, DENIED_BY_POLICY, event=f"{operation.value}.denied", facts=facts)
