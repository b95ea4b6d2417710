"""The rules by the segments of their scopes, so that few of them are looked at to find those that matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mirant.policy.rules import Rule
from mirant.policy.scope import ANY, ChannelScope


@dataclass(frozen=True, slots=True)
class ScopedRule:
    """A rule with one of its scopes."""

    rule: Rule
    scope: ChannelScope


class RuleTree:
    """A place in the tree: the rules that end here, and those that go on."""

    __slots__ = ("any", "closed", "literal", "open")

    def __init__(self) -> None:
        self.literal: dict[str, RuleTree] = {}
        self.any: RuleTree | None = None
        self.closed: ScopedRule | None = None  # its scope ends with this segment
        self.open: ScopedRule | None = None  # its scope goes on with anything

    def plant(self, entry: ScopedRule) -> None:
        """Add *entry* below this place, the root."""
        node = self
        for segment in entry.scope.segments:
            if segment is ANY:
                node.any = node.any or RuleTree()
                node = node.any
            else:
                node = node.literal.setdefault(segment, RuleTree())
        if entry.scope.open:
            node.open = node.open or entry
        else:
            node.closed = node.closed or entry

    def find(self, segments: Sequence[str], depth: int = 0) -> Iterator[ScopedRule]:
        """Yield the entries for the channel of *segments*, the most specific first."""
        if depth == len(segments):
            if self.closed is not None:
                yield self.closed
            return
        following = self.literal.get(segments[depth])
        if following is not None:
            yield from following.find(segments, depth + 1)
        if self.any is not None:
            yield from self.any.find(segments, depth + 1)
        if self.open is not None:
            yield self.open

    def meeting(self, scope: ChannelScope, depth: int = 0) -> Iterator[ScopedRule]:
        """Yield the entries that have a channel in common with *scope*, in any order."""
        if depth < len(scope.segments):
            if self.open is not None:
                yield self.open
            for child in self._following(scope.segments[depth]):
                yield from child.meeting(scope, depth + 1)
        elif scope.open:
            if self.open is not None:
                yield self.open
            for child in self._following(ANY):
                if child.closed is not None:
                    yield child.closed
                yield from child.meeting(scope, depth)
        elif self.closed is not None:
            yield self.closed

    def _following(self, segment: str | None) -> Iterable[RuleTree]:
        if segment is ANY:
            found = [*self.literal.values(), self.any]
        else:
            found = [self.literal.get(segment), self.any]
        return [child for child in found if child is not None]
