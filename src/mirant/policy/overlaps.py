"""Rules that contradict each other, found when the file is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from mirant.options.declaring import Fault
from mirant.policy.rule_tree import ScopedRule
from mirant.policy.rulebook import KEYS
from mirant.policy.rules import Rule
from mirant.policy.scope import ANY, ChannelScope


def check_overlaps(rules: Sequence[Rule]) -> list[Fault]:
    """Return a fault for any two rules that decide the same matter while neither is more specific."""
    faults: list[Fault] = []
    by_form: dict[object, ScopedRule] = {}
    entries = [ScopedRule(rule, scope) for rule in rules for scope in rule.scopes]
    for entry in entries:
        first = by_form.setdefault(entry.scope.form, entry)
        if first is not entry:
            where = "this rule" if first.rule is entry.rule else f"the rule in line {first.rule.line()}"
            sentence = f"{entry.scope.name} is the same as {first.scope.name} in {where}; put them together"
            faults.append(Fault(("channel", entry.rule.index, "match"), sentence))
    earlier = _Place()
    for index, one in enumerate(entries):
        if by_form[one.scope.form] is not one:
            continue  # reported already; comparing each with each takes seconds for some thousand rules
        for number in sorted(earlier.meeting(one.scope)):
            other = entries[number]
            if other.rule is not one.rule:
                faults += _check_crossing(other, one, by_form)
        earlier.plant(one.scope, index)
    return faults


class _Place:
    """A place in a tree of scopes by their segments. Without it, comparing 2,000 rules takes seconds."""

    __slots__ = ("below", "closed", "open")

    def __init__(self) -> None:
        self.below: dict[str | None, _Place] = {}
        self.closed: list[int] = []  # the entries whose scope ends with this segment
        self.open: list[int] = []  # the entries whose scope goes on with ``**``

    def plant(self, scope: ChannelScope, number: int) -> None:
        """Add the entry *number*, which has *scope*, to the tree below this place."""
        place = self
        for segment in scope.segments:
            place = place.below.setdefault(segment, _Place())
        (place.open if scope.open else place.closed).append(number)

    def meeting(self, scope: ChannelScope, depth: int = 0) -> Iterator[int]:
        """Yield the entries below, *depth* segments down, that have a channel in common with *scope*."""
        if depth < len(scope.segments):
            yield from self.open
            for place in self._following(scope.segments[depth]):
                yield from place.meeting(scope, depth + 1)
        elif scope.open:
            yield from self.open
            for place in self.below.values():
                yield from place.closed
                yield from place.meeting(scope, depth + 1)
        else:
            yield from self.closed

    def _following(self, segment: str | None) -> Iterable[_Place]:
        if segment is ANY:
            return self.below.values()
        return [self.below[each] for each in (segment, ANY) if each in self.below]


def _check_crossing(
    first: ScopedRule, second: ScopedRule, by_form: Mapping[object, ScopedRule]
) -> Iterator[Fault]:
    one, other = first.scope, second.scope
    if one.contains(other) or other.contains(one):
        return
    both = one.meet(other)
    if both is None:
        return
    between = by_form.get(both.form)
    for key in KEYS:
        if first.rule.says(key) and second.rule.says(key) and not (between and between.rule.says(key)):
            sentence = (
                f"{other.name} and {one.name} in line {first.rule.line()} both decide {key!r} "
                f"for {both.name}; "
                f"say which in a rule with match = {both.name!r}"
            )
            yield Fault(("channel", second.rule.index, key), sentence)
