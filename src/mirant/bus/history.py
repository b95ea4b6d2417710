"""The last messages of channels that keep some, for the application and for subscribers who ask for them."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Final

from mirant.bayeux.channels import Channel
from mirant.bayeux.messages import Delivery

# What they take beside the payload: a deque, a name and its place in the table; an object and its bytes.
_CHANNEL: Final = 900
_MESSAGE: Final = 200


class History:
    """Some deliveries per channel, and so many bytes of all. Publishers choose the names of channels.

    Bytes are those that it takes in memory, or a channel for each of many small messages would take thirty
    times what was allowed. When it is full, the channel that was not published to for longest is forgotten.
    """

    __slots__ = ("_channels", "limit", "size")

    def __init__(self, limit: int) -> None:
        """Keep at most *limit* bytes."""
        self.limit = limit
        self.size = 0
        self._channels: OrderedDict[str, deque[Delivery]] = OrderedDict()

    def keep(self, channel: Channel, delivery: Delivery, count: int) -> None:
        """Keep *delivery* as the newest of *channel*, which keeps *count*."""
        kept = self._channels.get(channel.name)
        if kept is None:
            kept = self._channels[channel.name] = deque()
            self.size += _CHANNEL
        self._channels.move_to_end(channel.name)
        kept.append(delivery)
        self.size += _size(delivery)
        while len(kept) > count:
            self.size -= _size(kept.popleft())
        while self.size > self.limit:
            self._forget_oldest()

    def last(self, channel: Channel, count: int) -> Sequence[Delivery]:
        """Return the newest deliveries of *channel*, at most *count*, the oldest of them first."""
        kept = self._channels.get(channel.name, ())
        return [*kept][-count:] if count > 0 else []

    def clear(self) -> None:
        """Forget everything."""
        self._channels.clear()
        self.size = 0

    def _forget_oldest(self) -> None:
        _, forgotten = self._channels.popitem(last=False)
        self.size -= _CHANNEL + sum(map(_size, forgotten))


def _size(delivery: Delivery) -> int:
    return _MESSAGE + len(delivery.payload)
