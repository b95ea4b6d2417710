"""What left an outbox and may be lost on its way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from mirant.bayeux.messages import Delivery


@runtime_checkable
class Retention(Protocol):
    """Keeps what left an outbox until its client has it. An extension gives it to a session.

    What it keeps counts towards the outbox's limits: a client that never acknowledges is no different from
    one that never reads.
    """

    @property
    def reserved(self) -> int:
        """How many bytes it keeps."""

    @property
    def count(self) -> int:
        """How many deliveries it keeps."""

    @property
    def due(self) -> int:
        """How many deliveries are to leave again, before anything newer."""

    def again(self, most: int) -> list[Delivery]:
        """Return deliveries that leave again now: at least one if any is due, and at most *most* bytes."""

    def left(self, deliveries: Sequence[Delivery], dropped: Mapping[str, int] | None) -> None:
        """Keep *deliveries*, which leave now, and with them the report of what was *dropped*, by channel."""
