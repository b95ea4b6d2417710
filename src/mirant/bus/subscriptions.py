"""Who gets a message: the index of subscriptions.

A message on ``/a/b/c`` is for the subscribers of ``/a/b/c``, ``/a/b/*``, ``/a/b/**``, ``/a/**`` and
``/**``: a handful of look-ups, however many channels and subscribers there are. All channels beside
``/a/b/c`` share the wildcards among these, so their union is kept once for all of them, until a wildcard
subscription changes. Then most channels cost two look-ups, were they published to before or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Final, Generic, TypeVar

from mirant.bayeux.channels import Channel, Pattern

# How much is kept ready: answers, and the subscribers in them, 8 bytes each. Publishers choose the names, and
# clients how many subscribe, so the sum is bounded; what is not kept is found again by the look-ups above.
MAX_MATCHES: Final = 4_194_304

# What an answer takes beside its subscribers, counted in subscribers: its name, its entry and its objects.
_ANSWER: Final = 40

# Up to so many subscribers of a pattern are a tuple, which is copied when it changes. A session's own channel
# has one: the dict for it would take 230 bytes of its 2 KiB, and the tuple takes 56.
_FEW: Final = 4

# Among so many groups of siblings those are looked for that a change of ``/a/**`` concerns: 10 µs, less than
# the message that changed it. Where there are more, all are found again: 3 µs for each, when it is next used.
_SEARCHED: Final = 64

S = TypeVar("S")


class _Siblings(Generic[S]):
    """What is kept of channels that differ in their last segment only."""

    __slots__ = ("shared", "unions", "weight")

    def __init__(self, shared: tuple[S, ...]) -> None:
        self.shared = shared  # the subscribers of all of them, by wildcards
        self.unions: dict[str, tuple[S, ...]] = {}  # by channel, with its own
        self.weight = _ANSWER + len(shared)  # what all of it takes


class Subscriptions(Generic[S]):
    """Which subscribers each pattern has. Subscribers are compared by identity or as they define it."""

    __slots__ = ("_crowds", "_kept", "_lists", "_matches", "_wildcards")

    def __init__(self) -> None:
        # Who is subscribed to just this pattern, in the order of arrival; None: to be made from the crowd.
        self._lists: dict[str, tuple[S, ...] | None] = {}
        self._crowds: dict[str, dict[S, None]] = {}
        self._wildcards = 0  # how many of these patterns are
        self._matches: dict[str, _Siblings[S]] = {}  # by `Channel.siblings`
        self._kept = 0  # how much they take

    def __contains__(self, pattern: Pattern) -> bool:
        """Whether anybody is subscribed to *pattern*."""
        return pattern.name in self._lists

    def count(self, pattern: Pattern) -> int:
        """Return how many are subscribed to just *pattern*."""
        return len(self._crowds.get(pattern.name) or self._lists.get(pattern.name) or ())

    def __len__(self) -> int:
        """The number of patterns that somebody is subscribed to."""
        return len(self._lists)

    def add(self, subscriber: S, pattern: Pattern) -> None:
        """Subscribe; to do it twice changes nothing."""
        name = pattern.name
        if name not in self._lists and pattern.depth:
            self._wildcards += 1
        crowd = self._crowds.get(name)
        if crowd is None:
            few = self._lists.get(name) or ()
            if subscriber in few:
                return
            self._lists[name] = few = (*few, subscriber)
            if len(few) > _FEW:
                self._crowds[name] = dict.fromkeys(few)
        else:
            crowd[subscriber] = None
            self._lists[name] = None
        self._forget(pattern)

    def remove(self, subscriber: S, pattern: Pattern) -> None:
        """Unsubscribe. What nobody is subscribed to any more leaves no trace."""
        name = pattern.name
        if name not in self._lists:
            return
        crowd = self._crowds.get(name)
        if crowd is None:
            left = tuple(other for other in self._lists[name] or () if other != subscriber)
            self._lists[name] = left
            empty = not left
        else:
            crowd.pop(subscriber, None)
            self._lists[name] = None
            empty = not crowd
        if empty:
            del self._lists[name]
            self._crowds.pop(name, None)
            if pattern.depth:
                self._wildcards -= 1
        self._forget(pattern)

    def match(self, channel: Channel) -> tuple[S, ...]:
        """Return the subscribers of *channel*, each once. While nothing changes it is the same tuple."""
        own = self._lists.get(channel.name, ())
        if own is None:
            own = self._list(channel.name)
        if not self._wildcards:
            return own
        siblings = self._matches.get(channel.siblings)
        if siblings is None:
            siblings = _Siblings(self._find(channel.siblings))
            self._make_room(siblings.weight)
            self._kept += siblings.weight
            self._matches[channel.siblings] = siblings
        shared = siblings.shared
        if not shared:
            return own
        if not own:
            return shared
        found = siblings.unions.get(channel.name)
        if found is None:
            found = _unite((own, shared))
            weight = _ANSWER + len(found)
            if self._make_room(weight):
                self._kept += weight
                siblings.weight += weight
                siblings.unions[channel.name] = found
        return found

    def _list(self, name: str) -> tuple[S, ...]:
        found = self._lists.get(name, ())
        if found is None:
            found = self._lists[name] = tuple(self._crowds[name])
        return found

    def _find(self, name: str) -> tuple[S, ...]:
        """Return the subscribers of ``/a/b/*``, of ``/a/b/**`` and of all that are above."""
        patterns = [name]
        above = name[:-2]
        while above:
            patterns.append(above + "/**")
            above = above[: above.rindex("/")]
        patterns.append("/**")
        return _unite([self._list(pattern) for pattern in patterns if pattern in self._lists])

    def _make_room(self, weight: int) -> bool:
        """Drop everything if *weight* does not fit beside it; return whether it fitted."""
        fits = self._kept + weight <= MAX_MATCHES
        if not fits:
            self._clear()
        return fits

    def _forget(self, pattern: Pattern) -> None:
        """Drop what was found and the change of *pattern* concerns."""
        name = pattern.name
        if not self._wildcards or (pattern.depth == 2 and len(self._matches) > _SEARCHED):
            self._clear()
        elif pattern.depth == 2:
            for concerned in [other for other in self._matches if other.startswith(name[:-2])]:
                self._drop(concerned)
        elif pattern.depth == 1:
            self._drop(name)
        else:
            siblings = self._matches.get(name[: name.rindex("/")] + "/*")
            union = None if siblings is None else siblings.unions.pop(name, None)
            if siblings is not None and union is not None:
                siblings.weight -= _ANSWER + len(union)
                self._kept -= _ANSWER + len(union)

    def _drop(self, name: str) -> None:
        siblings = self._matches.pop(name, None)
        if siblings is not None:
            self._kept -= siblings.weight

    def _clear(self) -> None:
        self._matches.clear()
        self._kept = 0


def _unite(lists: Sequence[tuple[S, ...]]) -> tuple[S, ...]:
    if len(lists) < 2:
        return lists[0] if lists else ()
    return tuple(dict.fromkeys(chain.from_iterable(lists)))
