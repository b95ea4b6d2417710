"""How single channels behave, where they differ from the rest of the bus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final

from mirant.bayeux.channels import Channel, Pattern
from mirant.options.values import Overflow

# Most channels whose options are kept ready; publishers choose the names.
_MAX_KEPT: Final = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelOptions:
    """Options of a channel; None leaves it to the next wider pattern, and at last to the bus."""

    #: How many seconds a message may wait for another occasion to be sent. 0: it is sent at once.
    lazy: float | None = None
    #: Whether a publisher who is subscribed gets its own message.
    echo: bool | None = None
    #: Whether only the newest message of the channel waits in an outbox, for what is outdated by the next.
    latest: bool | None = None
    #: Whether the channel exists without subscribers, so that to unsubscribe from it is no error.
    persistent: bool | None = None
    #: What gives way when an outbox is full, for messages of this channel.
    overflow: Overflow | None = None
    #: How many of its last messages are kept, for subscribers who ask for them.
    history: int | None = None


#: The options of a channel about which nothing was said.
NO_OPTIONS: Final = ChannelOptions()


class ChannelTable:
    """The options by pattern; the narrowest pattern that says something about an option decides.

    What no pattern decides is left to the `rules` of a policy, if there are any.
    """

    __slots__ = ("_kept", "_patterns", "_rules", "some")

    def __init__(self) -> None:
        self._patterns: dict[str, ChannelOptions] = {}
        self._kept: dict[str, ChannelOptions] = {}
        self._rules: Callable[[Channel], ChannelOptions] | None = None
        #: Whether anything was said of any channel. An attribute, because each publish asks.
        self.some = False

    def follow(self, rules: Callable[[Channel], ChannelOptions] | None) -> None:
        """Ask *rules* about what no pattern decides, from now on."""
        self._rules = rules
        self._kept.clear()
        self.some = bool(self._patterns) or rules is not None

    def set(self, pattern: Pattern, options: ChannelOptions) -> None:
        """Let *options* hold for the channels that *pattern* matches."""
        self._patterns[pattern.name] = options
        self._kept.clear()
        self.some = True

    def of(self, channel: Channel) -> ChannelOptions:
        """Return the options of *channel*."""
        if not self.some:
            return NO_OPTIONS
        found = self._kept.get(channel.name)
        if found is None:
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            found = self._kept[channel.name] = self._merge(channel)
        return found

    def exists(self, pattern: Pattern) -> bool:
        """Whether *pattern* is a channel that exists without subscribers."""
        return bool(pattern.depth == 0 and self.of(Channel.parse(pattern.name)).persistent)

    def _merge(self, channel: Channel) -> ChannelOptions:
        given = [self._patterns[name] for name in channel.expansion if name in self._patterns]
        if self._rules is not None:
            given.append(self._rules(channel))
        merged = {}
        for option in fields(ChannelOptions):
            values = (getattr(options, option.name) for options in given)
            merged[option.name] = next((value for value in values if value is not None), None)
        return ChannelOptions(**merged)
