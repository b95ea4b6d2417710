"""Decisions: may one client do one operation on one channel, and which rule says so."""

from __future__ import annotations

from dataclasses import dataclass

from mirant.bayeux.channels import HANDSHAKE, Channel, Pattern
from mirant.bus.identity import Identity
from mirant.policy.rule_tree import ScopedRule
from mirant.policy.rulebook import Rulebook
from mirant.policy.rules import Operation


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed or not. `entry` is the rule that decided; None if no rule says anything about it."""

    allowed: bool
    entry: ScopedRule | None
    operation: Operation

    @property
    def rule(self) -> str:
        """The rule that decided, for a log: its line in the file."""
        if self.entry is None:
            return "none"
        return f"{self.entry.scope.name}@{self.entry.rule.line(self.operation.value)}"


def decide(book: Rulebook, operation: Operation, channel: Channel, identity: Identity | None) -> Decision:
    """Return whether *identity* may do *operation* on *channel*, by the most specific rule about it.

    Without a rule, two operations are allowed: creating a channel and handshaking.
    """
    entry = book.of(channel).entries.get(operation.value)
    if entry is None:
        return Decision(operation is Operation.CREATE or channel == HANDSHAKE, None, operation)
    parameters = entry.scope.bind(channel)
    return Decision(entry.rule.permissions[operation].admits(identity, parameters), entry, operation)


def decide_subscription(book: Rulebook, pattern: Pattern, identity: Identity | None) -> Decision:
    """Return whether *identity* may subscribe to *pattern*.

    A wildcard needs the right to every channel that it covers, whether the channel exists yet or not. So each
    rule that decides for some of these channels must allow it, and each of them must have a rule.
    """
    if pattern.depth == 0:
        return decide(book, Operation.SUBSCRIBE, Channel.parse(pattern.name), identity)
    coverage = book.coverage(pattern, Operation.SUBSCRIBE)
    for grant, entry in coverage.parts:
        if not grant.admits(identity):
            return Decision(allowed=False, entry=entry, operation=Operation.SUBSCRIBE)
    return Decision(allowed=True, entry=coverage.last, operation=Operation.SUBSCRIBE)
