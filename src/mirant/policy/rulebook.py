"""Finding the rule that decides, however many there are.

A tree holds the rules by the segments of their scopes, so a look-up walks the channel's own segments. Its
result is kept per channel. Of the rules for a channel, the most specific one that says something about a
matter decides it. `ChannelScope.rank` is the order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mirant.bayeux.channels import Channel, Kind, Pattern
from mirant.bus.identity import Identity
from mirant.policy.filters import Chain, Filter
from mirant.policy.limits import LIMITS, RuleLimits
from mirant.policy.rule_tree import RuleTree, ScopedRule
from mirant.policy.rules import OPERATIONS, Operation, Rule
from mirant.policy.scope import ChannelScope
from mirant.policy.who import Permission

# Most channels whose result is kept, about 1 KB each. There must be a limit, because clients choose the
# names. A result that was not kept is found again in 9 µs.
_MAX_KEPT: Final = 16_384


#: Bytes of a message where there are filters and no rule says `max_message`, and no ``size`` allows more.
#: Filters take time in proportion, and nobody is served meanwhile.
MAX_FILTERED: Final = 64 * 1024

_NOBODY: Final = Permission()
_NOTHING: Final[frozenset[tuple[str, str]]] = frozenset()

# Most permissions that are kept for wildcards, all in all: 20 MB. What was not kept is found again.
_MAX_COVERED: Final = 65_536


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission for one channel."""

    permission: Permission
    parameters: Mapping[str, str]

    def admits(self, identity: Identity | None) -> bool:
        """Whether the permission includes *identity*."""
        return self.permission.admits(identity, self.parameters)


@dataclass(frozen=True, slots=True)
class Coverage:
    """The permissions that decide for the channels of a wildcard: all of them must admit a client."""

    #: Each once, with the most specific rule that gives it; None: some channel may be without a rule.
    parts: tuple[tuple[Grant, ScopedRule | None], ...]
    #: The least specific rule of all.
    last: ScopedRule | None


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """The rules that decide each matter for one channel."""

    entries: Mapping[str, ScopedRule] = field(default_factory=dict)  # by key of the file
    #: Whether a message's size, its rate or its data has to be looked at.
    limited: bool = False
    #: The filters that run, as one; None for none.
    chain: Chain | None = None
    #: Who may publish and who may call, kept ready because every message asks.
    publish: Grant | None = None
    call: Grant | None = None
    #: Each from the rule that decides it.
    limits: RuleLimits = field(default_factory=RuleLimits)


class Rulebook:
    """All rules of a policy, and the filters of Jetty's file, which run whatever the rules say."""

    def __init__(self, rules: Sequence[Rule], filters: Sequence[tuple[ChannelScope, Filter]] = ()) -> None:
        self.rules = rules
        self.filters = filters
        entries = sorted(
            (ScopedRule(rule, scope) for rule in rules for scope in rule.scopes),
            key=lambda entry: entry.scope.rank,
        )
        self._root = RuleTree()
        self._kept: dict[str, ChannelRules] = {}
        self._coverage: dict[tuple[str, Operation], Coverage] = {}
        self._covered = 0  # how many parts there are in them
        self._numbers = _number([_NOBODY, *(each for rule in rules for each in rule.permissions.values())])
        for entry in entries:
            self._root.plant(entry)

    def of(self, channel: Channel) -> ChannelRules:
        """Return the rules that decide each matter for *channel*."""
        found = self._kept.get(channel.name)
        if found is None:
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            deciding: dict[str, ScopedRule] = {}
            for entry in self._root.find(channel.segments):
                if channel.kind is Kind.META and entry.scope.kind is not Kind.META:
                    continue  # a rule for /** is about the application's channels, not the protocol's
                for key in KEYS:
                    if key not in deciding and entry.rule.says(key):
                        deciding[key] = entry
            found = self._kept[channel.name] = self._compile(channel, deciding)
        return found

    def forget(self, channel: Channel) -> None:
        """Do not keep the result for *channel*, so that clients who are denied cannot fill the memory."""
        self._kept.pop(channel.name, None)

    def filters_of(self, channel: Channel) -> list[Filter]:
        """Return the filters for *channel*, in their order."""
        chain = self.of(channel).chain
        return [] if chain is None else list(chain.filters)

    def _compile(self, channel: Channel, deciding: Mapping[str, ScopedRule]) -> ChannelRules:
        wanted = ChannelScope.of(Pattern(channel.segments, 0))
        filters = [found for scope, found in self.filters if scope.contains(wanted)]
        if "filters" in deciding:
            filters += deciding["filters"].rule.filters or ()
        found: dict[str, Any] = {
            key: getattr(deciding[key].rule.limits, key) for key in LIMITS if key in deciding
        }
        chain = Chain(filters) if filters else None
        if chain is not None:
            found.setdefault("max_message", max(MAX_FILTERED, chain.allowance))
        limits = RuleLimits(**found)
        return ChannelRules(
            deciding,
            limited=limits.max_message is not None or limits.rate is not None,
            limits=limits,
            chain=chain,
            publish=_grant(deciding.get(Operation.PUBLISH.value), Operation.PUBLISH, channel),
            call=_grant(deciding.get(Operation.CALL.value), Operation.CALL, channel),
        )

    def covering(self, scope: ChannelScope, operation: Operation) -> Iterator[ScopedRule | None]:
        """Yield every entry that decides *operation* for some channel of *scope*, the most specific first.

        The last one is None if some channel of *scope* may be without a rule.
        """
        entries = [
            entry
            for entry in self._root.meeting(scope)
            if entry.scope.kind is scope.kind and entry.rule.says(operation.value)
        ]
        for entry in sorted(entries, key=lambda each: each.scope.rank):
            yield entry
            if entry.scope.contains(scope):
                return  # a less specific rule never decides for a channel of this scope
        yield None

    def coverage(self, pattern: Pattern, operation: Operation) -> Coverage:
        """Return who has to be admitted for *operation* on all channels of *pattern*."""
        found = self._coverage.get((pattern.name, operation))
        if found is None:
            found = self._cover(ChannelScope.of(pattern), operation)
            self._covered += 1 + len(found.parts)
            if self._covered > _MAX_COVERED:
                self._coverage.clear()
                self._covered = 1 + len(found.parts)
            self._coverage[pattern.name, operation] = found
        return found

    def _cover(self, scope: ChannelScope, operation: Operation) -> Coverage:
        parts: dict[tuple[int, frozenset[tuple[str, str]]], tuple[Grant, ScopedRule | None]] = {}
        entry = None
        for entry in self.covering(scope, operation):
            permission = _NOBODY if entry is None else entry.rule.permissions[operation]
            parameters: Mapping[str, str] = {}
            number, depends = self._numbers[id(permission)]
            if entry is not None and depends:
                both = entry.scope.meet(scope)
                parameters = {} if both is None else entry.scope.bind(both)
            key = (number, frozenset(parameters.items()) if parameters else _NOTHING)
            if key not in parts:
                parts[key] = (Grant(permission, parameters), entry)
        return Coverage(tuple(parts.values()), entry)


#: What a rule may decide.
KEYS: Final = (*OPERATIONS, "filters", *LIMITS)


def _number(permissions: Sequence[Permission]) -> dict[int, tuple[int, bool]]:
    """Return, by the `id` of each permission, a number that equal ones share, and whether `self` is in it.

    To hash a permission takes 3 µs, and a wildcard meets all of them.
    """
    numbers: dict[Permission, int] = {}
    return {
        id(each): (numbers.setdefault(each, len(numbers)), each.depends_on_parameters) for each in permissions
    }


def _grant(entry: ScopedRule | None, operation: Operation, channel: Channel) -> Grant | None:
    if entry is None:
        return None
    return Grant(entry.rule.permissions[operation], entry.scope.bind(channel))
