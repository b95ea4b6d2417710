"""Who gets a message: the index of subscriptions.

A message on ``/a/b/c`` is for the subscribers of ``/a/b/c``, ``/a/b/*``, ``/a/b/**``, ``/a/**`` and
``/**``: a handful of look-ups, however many channels and subscribers there are. The union is kept per
channel until a subscription that concerns it changes, so that a busy channel costs one look-up.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from mirant.bayeux.channels import Channel, Pattern

# Most channels whose subscribers are kept ready. Publishers choose the names, so it must be bounded; what
# is not kept is found again by the look-ups above.
MAX_MATCHES: Final = 65_536

S = TypeVar("S")


class Subscriptions(Generic[S]):
    """Which subscribers each pattern has. Subscribers are compared by identity or as they define it."""

    __slots__ = ("_matches", "_patterns")

    def __init__(self) -> None:
        self._patterns: dict[str, dict[S, None]] = {}  # dicts, because they keep the order of arrival
        self._matches: dict[str, tuple[S, ...]] = {}

    def __contains__(self, pattern: Pattern) -> bool:
        """Whether anybody is subscribed to *pattern*."""
        return pattern.name in self._patterns

    def __len__(self) -> int:
        """The number of patterns that somebody is subscribed to."""
        return len(self._patterns)

    def add(self, subscriber: S, pattern: Pattern) -> None:
        """Subscribe; to do it twice changes nothing."""
        self._patterns.setdefault(pattern.name, {})[subscriber] = None
        self._forget(pattern)

    def remove(self, subscriber: S, pattern: Pattern) -> None:
        """Unsubscribe. What nobody is subscribed to any more leaves no trace."""
        subscribers = self._patterns.get(pattern.name)
        if subscribers is None:
            return
        subscribers.pop(subscriber, None)
        if not subscribers:
            del self._patterns[pattern.name]
        self._forget(pattern)

    def match(self, channel: Channel) -> tuple[S, ...]:
        """Return the subscribers of *channel*, each once. While nothing changes it is the same tuple."""
        found = self._matches.get(channel.name)
        if found is None:
            if len(self._matches) >= MAX_MATCHES:
                self._matches.clear()
            found = self._matches[channel.name] = self._find(channel)
        return found

    def _find(self, channel: Channel) -> tuple[S, ...]:
        lists = [self._patterns[name] for name in channel.expansion if name in self._patterns]
        if len(lists) < 2:
            return tuple(lists[0]) if lists else ()
        return tuple({subscriber: None for subscribers in lists for subscriber in subscribers})

    def _forget(self, pattern: Pattern) -> None:
        if pattern.depth:
            self._matches.clear()  # it may concern any of them; wildcard subscriptions are rare
        else:
            self._matches.pop(pattern.name, None)
