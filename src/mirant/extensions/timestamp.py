"""timestamp: every message from the server says when it left.

The reference server writes the time as ``Sun Nov 22 17:33:18 UTC 2026``, its clients write RFC 1123 dates,
and Bayeux 1.0 asks for ISO 8601, which nobody sends. Receivers must take any text for what it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec

from mirant.bayeux.messages import Delivery, Message, Reply
from mirant.bus.extension import Extension
from mirant.bus.turn import Turn

# Not strftime's %a and %b: they speak the language of the server's locale.
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def reference_format(moment: datetime) -> str:
    """Return *moment* as the reference server writes it."""
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    return f"{day} {month} {moment:%d %H:%M:%S} UTC {moment.year}"


class TimeStamp(Extension):
    """Puts a ``timestamp`` into every reply and delivery, instead of a publisher's own."""

    def __init__(
        self, clock: Callable[[], float] = time.time, form: Callable[[datetime], str] = reference_format
    ) -> None:
        """*clock* returns the time of day in seconds since 1970, *form* how a moment (in UTC) is written."""
        self._clock = clock
        self._form = form

    def incoming(self, message: Message, turn: Turn, now: float) -> None:
        """Forget when the client says that it sent *message*: the server's time takes its place."""
        message.timestamp = msgspec.Raw()

    def publishing(self, delivery: Delivery, now: float) -> Delivery:
        """Return *delivery* with the time."""
        return delivery.with_fields(b'"timestamp":' + msgspec.json.encode(self._now()))

    def outgoing(self, reply: Reply, message: Message, turn: Turn, now: float) -> None:
        """Put the time into *reply*."""
        reply.timestamp = self._now()

    def _now(self) -> str:
        return self._form(datetime.fromtimestamp(self._clock(), UTC))
