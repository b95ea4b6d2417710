"""What a session needs around it: a carrier, timers, and somebody to report to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol


class Carrier(Protocol):
    """How messages of one session get to the server and back."""

    @property
    def is_open(self) -> bool:
        """Whether something can be sent now."""

    def open(self) -> None:
        """Begin to connect; `Session.opened` or `Session.lost` is called in the end."""

    def send(self, batch: Sequence[bytes]) -> None:
        """Send messages in one request. They stay in order."""

    def send_connect(self, message: bytes) -> None:
        """Send a /meta/connect, which may be held."""

    def close(self, reason: str = "") -> None:
        """Close; if there is a reason, `Session.lost` is called with it."""


class Timer(Protocol):
    """A call that is going to be made."""

    def cancel(self) -> None:
        """Do not make it."""


class Timers(Protocol):
    """What a session needs of an event loop. Seconds."""

    def time(self) -> float:
        """Return the time."""

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Timer:
        """Call after *delay*."""


class Outside(Protocol):
    """What a session needs from its worker."""

    failures: Counter[str]

    def replied(self, message_id: str, error: str | None) -> None:
        """Note the reply to a publish; *error* is None if it was accepted."""
