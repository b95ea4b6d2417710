"""Who acts on the bus: a session, somebody who is about to get one, or a caller of an API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from mirant.bus.identity import Identity


class Party(Protocol):
    """What rules and the audit log need to know of an actor. A session is a party."""

    @property
    def identity(self) -> Identity | None:
        """Who it is; None if nobody said so."""

    @property
    def address(self) -> str | None:
        """The IP address that it speaks from, as far as it is known."""

    @property
    def rates(self) -> dict[str, float]:
        """What a guard remembers of how fast it acts, by rule. The guard writes into it."""

    @property
    def label(self) -> str | None:
        """What tells it from others in a log, without being a credential; None if nothing does."""


@dataclass(slots=True)
class Visitor:
    """A party without a session: a client that handshakes, or somebody who calls an API."""

    identity: Identity | None = None
    address: str | None = None
    label: str | None = None
    rates: dict[str, float] = field(default_factory=dict)
