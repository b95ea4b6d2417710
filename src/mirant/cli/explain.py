"""``mirant explain``: who may do what according to a file, and which line of it says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from mirant.bayeux.channels import HANDSHAKE, Channel, ChannelInvalid, Kind, Pattern
from mirant.bus.identity import Identity
from mirant.cli.check import is_filters, policy_file, read_policy
from mirant.policy.decisions import Decision, decide, decide_subscription
from mirant.policy.limits import LIMITS
from mirant.policy.rule_tree import ScopedRule
from mirant.policy.rulebook import Rulebook
from mirant.policy.rules import Operation

_OPERATIONS: Final = [operation.value for operation in Operation]

#: For each operation, the limits that do not concern it.
_BESIDE: Final = {
    Operation.SUBSCRIBE: {"max_message", "rate"},
    Operation.PUBLISH: {"max_members"},
    Operation.CALL: {"max_members"},
    Operation.CREATE: set(LIMITS),
}


@click.command()
@policy_file
@click.argument("operation", type=click.Choice(_OPERATIONS))
@click.argument("channel")
@click.option("--user", help="The name of the identity; without it the client is anonymous.")
@click.option("--role", "roles", multiple=True, help="A role it has; may be given several times.")
@click.option("--claim", "claims", multiple=True, metavar="NAME=VALUE", help="A claim it has; several times.")
def explain(
    file: Path,
    operation: str,
    channel: str,
    user: str | None,
    roles: tuple[str, ...],
    claims: tuple[str, ...],
) -> None:
    """Say whether a client may do something by FILE, and which rule decides.

    \b
    For example:
        mirant explain mirant.toml publish /chat/demo --user alice --role member
        mirant explain mirant.toml subscribe "/chat/*"

    The exit status is 0 if it is allowed, 1 if it is denied, 2 if the file or the question is wrong.
    """
    identity = _identity(user, roles, claims)
    pattern = _target(Operation(operation), channel)
    policy, complaints = read_policy(file)
    if policy is None:
        click.echo("\n".join(complaints), err=True)
        raise SystemExit(2)
    question = _Question(file, policy.book or Rulebook([]), Operation(operation), pattern, identity)
    allowed = question.decision.allowed or is_filters(file)
    click.echo(f"{'allowed' if allowed else 'denied'}: {operation} {pattern.name} for {_spell(identity)}")
    for label, text in question.reasons():
        click.echo(f"  {label:<8} {text}")
    if not allowed:
        raise SystemExit(1)


@dataclass(frozen=True, slots=True)
class _Question:
    file: Path
    book: Rulebook
    operation: Operation
    target: Pattern
    identity: Identity | None

    @property
    def channel(self) -> Channel:
        return Channel.parse(self.target.name)

    @property
    def decision(self) -> Decision:
        if self.operation is Operation.SUBSCRIBE:
            return decide_subscription(self.book, self.target, self.identity)
        return decide(self.book, self.operation, self.channel, self.identity)

    def reasons(self) -> Iterator[tuple[str, str]]:
        """Yield pairs of a label and a text: the rule that decides, and what else holds if it allows."""
        decision = self.decision
        if is_filters(self.file):
            yield "rule", "there are none: everybody may do everything"
        elif decision.entry is None:
            yield "rule", self._nobody(decision)
        else:
            yield "rule", self._line(decision.entry, self.operation)
        if self.target.depth == 0 and (decision.allowed or is_filters(self.file)):
            yield from self._details()

    def _nobody(self, decision: Decision) -> str:
        """Say that no rule decides."""
        if decision.allowed:
            if self.operation is Operation.CREATE:
                return "none says who may create it, so everybody who may use it may"
            return f"none says who may {self.operation.value} it, so everybody may"
        everything = "all of " if self.target.depth else ""
        preposition = "to " if self.operation in (Operation.SUBSCRIBE, Operation.PUBLISH) else ""
        return f"none says who may {self.operation.value} {preposition}{everything}it"

    def _details(self) -> Iterator[tuple[str, str]]:
        rules = self.book.of(self.channel)
        creation = rules.entries.get(Operation.CREATE.value)
        creates = self.operation in (Operation.SUBSCRIBE, Operation.PUBLISH) and not is_filters(self.file)
        if creation is not None and creates:
            may = decide(self.book, Operation.CREATE, self.channel, self.identity).allowed
            yield "create", self._line(creation, Operation.CREATE) + ("" if may else "; only once it exists")
        if self.operation in (Operation.PUBLISH, Operation.CALL):
            for each in self.book.filters_of(self.channel):
                yield "filter", each.name
        for key in LIMITS:
            limit = rules.entries.get(key)
            if limit is not None and key not in _BESIDE[self.operation]:
                value = _spell_value(getattr(limit.rule.limits, key))
                yield "limit", f"{key} = {value}   ({self.file}:{limit.rule.line(key)})"

    def _line(self, entry: ScopedRule, operation: Operation) -> str:
        place = f"{self.file}:{entry.rule.line(operation.value)}"
        return f"{place}: {entry.scope.name}: {operation.value} = {entry.rule.permissions[operation]}"


def _target(operation: Operation, text: str) -> Pattern:
    """Return the channel or pattern that *text* names.

    Raises:
        BadParameter: it is not a channel, or *operation* is impossible on it.
    """
    try:
        pattern = Pattern.parse(text)
    except ChannelInvalid as error:
        raise click.BadParameter(f"{error}.", param_hint="CHANNEL") from None
    name = pattern.name
    sentence = None
    if pattern.depth and operation is not Operation.SUBSCRIBE:
        sentence = f"{name} is many channels, which one can only subscribe to."
    elif pattern.kind is Kind.META and (name, operation) != (HANDSHAKE.name, Operation.CALL):
        sentence = f"of the meta channels only {HANDSHAKE.name} has a rule: ask for call {HANDSHAKE.name}."
    elif pattern.kind is Kind.SERVICE and operation is not Operation.CALL:
        sentence = f"nothing is distributed on service channels: ask for call {name}."
    elif pattern.kind is Kind.BROADCAST and operation is Operation.CALL:
        sentence = f"{name} is not a service channel: ask for publish or subscribe."
    if sentence is not None:
        raise click.BadParameter(sentence, param_hint="CHANNEL")
    return pattern


def _identity(user: str | None, roles: tuple[str, ...], claims: tuple[str, ...]) -> Identity | None:
    pairs = [claim.partition("=") for claim in claims]
    if not all(name and equals for name, equals, _ in pairs):
        raise click.BadParameter("write it as NAME=VALUE.", param_hint="--claim")
    if user is not None:
        return Identity(user, frozenset(roles), {name: value for name, _, value in pairs})
    if pairs or roles:
        raise click.UsageError("Only a client with a name has roles or claims; add --user.")
    return None


def _spell(identity: Identity | None) -> str:
    if identity is None:
        return "anyone without identity"
    parts = [f"role {role}" for role in sorted(identity.roles)]
    parts += [f"claim {name}={value}" for name, value in sorted(identity.claims.items())]
    return f"{identity.name} ({', '.join(parts)})" if parts else identity.name


def _spell_value(value: object) -> str:
    """Return a limit's *value* as a file could spell it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
