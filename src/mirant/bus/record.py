"""What of a session survives its node: a value that can be written down and read again."""

from __future__ import annotations

from typing import Any

import msgspec

from mirant.bayeux.channels import Pattern
from mirant.bus.identity import Identity


class SessionRecord(msgspec.Struct, gc=False):
    """The part of a session that another process could go on with. Durations are seconds."""

    id: str
    #: For how long its connects are held, how long its client waits between two of them, and for how long
    #: the session lives without hearing of its client.
    timeout: float
    interval: float
    max_interval: float
    #: Whether it gets what it publishes itself.
    echo: bool
    #: Whether deliveries leave with answers to connects only.
    connect_only: bool
    #: The browser that it is bound to.
    browser: str | None = None
    #: Where its handshake came from.
    address: str | None = None
    identity: Identity | None = None
    #: For how long the identity still held when the record was given out; None if it lasts.
    identity_left: float | None = None
    #: The transport for which the client has our advice.
    advised: str | None = None
    subscriptions: set[Pattern] = msgspec.field(default_factory=set)
    #: What extensions negotiated for the session, by their keys: a `msgspec.Struct` each.
    extensions: dict[str, Any] | None = None

    def encode(self) -> bytes:
        """Return the record as bytes (MessagePack)."""
        return msgspec.msgpack.encode(self, enc_hook=_spell)

    @classmethod
    def decode(cls, data: bytes) -> SessionRecord:
        """Return the record that `encode` made *data* of; what is in `extensions` are plain values.

        Raises:
            msgspec.DecodeError: *data* is not a record.
        """
        return msgspec.msgpack.decode(data, type=cls, dec_hook=_read)


def _spell(value: object) -> object:
    if isinstance(value, Pattern):
        return value.name
    raise NotImplementedError(f"a record cannot hold {type(value).__name__}")


def _read(kind: type, value: Any) -> object:
    if kind is Pattern:
        return Pattern.parse(value)
    if kind is object:
        return value  # a claim
    raise NotImplementedError(f"a record does not hold {kind.__name__}")
