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
from mirant.policy.rules import OPERATIONS, Operation, Rule
from mirant.policy.scope import ChannelScope
from mirant.policy.who import Permission

# Most channels whose result is kept, about 1 KB each. There must be a limit, because clients choose the
# names. A result that was not kept is found again in 9 µs.
_MAX_KEPT: Final = 16_384


@dataclass(frozen=True, slots=True)
class ScopedRule:
    """A rule with one of its scopes."""

    rule: Rule
    scope: ChannelScope


class _Node:
    """A place in the tree: the rules that end here, and those that go on."""

    __slots__ = ("any", "closed", "literal", "open")

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.closed: ScopedRule | None = None  # its scope ends with this segment
        self.open: ScopedRule | None = None  # its scope goes on with anything


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission for one channel."""

    permission: Permission
    parameters: Mapping[str, str]

    def admits(self, identity: Identity | None) -> bool:
        """Whether the permission includes *identity*."""
        return self.permission.admits(identity, self.parameters)


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
        self._entries = sorted(
            (ScopedRule(rule, scope) for rule in rules for scope in rule.scopes),
            key=lambda entry: entry.scope.rank,
        )
        self._root = _Node()
        self._kept: dict[str, ChannelRules] = {}
        for entry in self._entries:
            self._plant(entry)

    def of(self, channel: Channel) -> ChannelRules:
        """Return the rules that decide each matter for *channel*."""
        found = self._kept.get(channel.name)
        if found is None:
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            deciding: dict[str, ScopedRule] = {}
            for entry in _find(self._root, channel.segments, 0):
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
        limits = RuleLimits(**found)
        return ChannelRules(
            deciding,
            limited=bool(filters) or limits.max_message is not None or limits.rate is not None,
            limits=limits,
            chain=Chain(filters) if filters else None,
            publish=_grant(deciding.get(Operation.PUBLISH.value), Operation.PUBLISH, channel),
            call=_grant(deciding.get(Operation.CALL.value), Operation.CALL, channel),
        )

    def covering(self, scope: ChannelScope, operation: Operation) -> Iterator[ScopedRule | None]:
        """Yield every entry that decides *operation* for some channel of *scope*, the most specific first.

        The last one is None if some channel of *scope* may be without a rule.
        """
        for entry in self._entries:  # in the order of their rank
            if entry.scope.kind is not scope.kind or not entry.rule.says(operation.value):
                continue
            if entry.scope.contains(scope):
                yield entry
                return  # a less specific rule never decides for a channel of this scope
            if entry.scope.meet(scope) is not None:
                yield entry
        yield None

    def _plant(self, entry: ScopedRule) -> None:
        node = self._root
        for segment in entry.scope.segments:
            if segment is None:
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.literal.setdefault(segment, _Node())
        if entry.scope.open:
            node.open = node.open or entry
        else:
            node.closed = node.closed or entry


#: What a rule may decide.
KEYS: Final = (*OPERATIONS, "filters", *LIMITS)


def _grant(entry: ScopedRule | None, operation: Operation, channel: Channel) -> Grant | None:
    if entry is None:
        return None
    return Grant(entry.rule.permissions[operation], entry.scope.bind(channel))


def _find(node: _Node, segments: Sequence[str], depth: int) -> Iterator[ScopedRule]:
    """Yield the entries for *segments* below *node*, the most specific first."""
    if depth == len(segments):
        if node.closed is not None:
            yield node.closed
        return
    following = node.literal.get(segments[depth])
    if following is not None:
        yield from _find(following, segments, depth + 1)
    if node.any is not None:
        yield from _find(node.any, segments, depth + 1)
    if node.open is not None:
        yield node.open
