"""The last messages of channels that keep some, with their positions."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from itertools import islice
from typing import Final

from mirant.bayeux.channels import Channel
from mirant.bayeux.messages import Delivery
from mirant.bus.contracts import Position

# What they take beside the payload: an object, a name and its place in the table; two objects and bytes.
_CHANNEL: Final = 900
_MESSAGE: Final = 280


class _Past:
    """What is kept of one channel."""

    __slots__ = ("channel", "dropped_to", "items")

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.items: deque[tuple[Position, Delivery]] = deque()
        self.dropped_to = 0  # the position of the newest message that was forgotten


class History:
    """Some deliveries per channel, and so many bytes of all. Publishers choose the names of channels.

    Bytes are those that it takes in memory: a channel for each of many small messages would otherwise take
    thirty times what was allowed. When it is full, the channel that was not
    published to for longest is forgotten.
    """

    __slots__ = ("_channels", "_forgotten_to", "_limit", "size")

    def __init__(self, limit: int) -> None:
        """Keep at most *limit* bytes."""
        self._limit = limit
        self.size = 0
        self._channels: OrderedDict[str, _Past] = OrderedDict()
        # The newest position of all channels that were forgotten whole: nothing before it can be vouched for.
        self._forgotten_to = 0

    def restrict(self, limit: int) -> None:
        """Keep at most *limit* bytes from now on."""
        self._limit = limit
        self._make_room()

    def keep(self, channel: Channel, delivery: Delivery, count: int, position: Position) -> None:
        """Keep *delivery* at *position* as the newest of *channel*, which keeps *count*."""
        past = self._channels.get(channel.name)
        if past is None:
            past = self._channels[channel.name] = _Past(channel)
            past.dropped_to = self._forgotten_to
            self.size += _CHANNEL
        self._channels.move_to_end(channel.name)
        past.items.append((position, delivery))
        self.size += _size(delivery)
        self._shorten(past, count)
        self._make_room()

    def since(self, channel: Channel, position: Position) -> tuple[list[tuple[Position, Delivery]], bool]:
        """Return what is kept of *channel* after *position*, and whether that is all there was."""
        past = self._channels.get(channel.name)
        if past is None:
            return [], position >= self._forgotten_to
        items = past.items
        skipped = sum(1 for at, _ in items if at <= position)
        return list(islice(items, skipped, None)), position >= past.dropped_to

    def top(self, channel: Channel) -> Position:
        """Return the position of the newest message that is kept of *channel*; 0 if there is none."""
        past = self._channels.get(channel.name)
        return past.items[-1][0] if past is not None and past.items else 0

    def trim(self, keeps: Callable[[Channel], int]) -> None:
        """Keep of each channel only as many messages as *keeps* says."""
        for past in list(self._channels.values()):
            count = keeps(past.channel)
            if count > 0:
                self._shorten(past, count)
            else:
                self._forget(past)

    def _make_room(self) -> None:
        while self.size > self._limit and self._channels:
            self._forget(next(iter(self._channels.values())))

    def _shorten(self, past: _Past, count: int) -> None:
        while len(past.items) > count:
            past.dropped_to, delivery = past.items.popleft()
            self.size -= _size(delivery)

    def _forget(self, past: _Past) -> None:
        del self._channels[past.channel.name]
        self.size -= _CHANNEL + sum(_size(delivery) for _, delivery in past.items)
        if past.items:
            self._forgotten_to = max(self._forgotten_to, past.items[-1][0])


def _size(delivery: Delivery) -> int:
    return _MESSAGE + len(delivery.payload)
