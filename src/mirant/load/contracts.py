"""What a client of the load needs around it: a transport, timers, and somebody to report to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol


class ClientTransport(Protocol):
    """How messages of one client get to the server and back."""

    @property
    def is_open(self) -> bool:
        """Whether something can be sent now."""

    def open(self) -> None:
        """Begin to connect. `LoadClient.opened` or `LoadClient.lost` is called in the end."""

    def send(self, batch: Sequence[bytes]) -> None:
        """Send messages in one request. They stay in order."""

    def send_connect(self, message: bytes) -> None:
        """Send a /meta/connect, which the server may hold."""

    def close(self, reason: str = "") -> None:
        """Close. If there is a reason, `LoadClient.lost` is called with it."""


class Timer(Protocol):
    """A call that is going to be made."""

    def cancel(self) -> None:
        """Do not make it."""


class Timers(Protocol):
    """What a client needs of an event loop. Seconds."""

    def time(self) -> float:
        """Return the time."""

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Timer:
        """Call after *delay*."""


class Outside(Protocol):
    """What a client needs from its worker."""

    failures: Counter[str]

    def replied(self, message_id: str, error: str | None) -> None:
        """Note the reply to a publish; *error* is None if it was accepted."""
