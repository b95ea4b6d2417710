"""binary: bytes in JSON.

``data`` is ``{"data": <Z85>, "last": bool, "meta": {…}?}``, and ``ext`` has ``binary``.

From client to client such messages pass untouched, with or without this extension. It checks them on their
way in, so that an application's function that declares its data as `Binary` gets bytes, and nobody gets what
is no Z85.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

import msgspec

from mirant.bayeux.channels import Kind
from mirant.bayeux.messages import Message
from mirant.bus.extension import Extension
from mirant.bus.turn import Turn
from mirant.bus.veto import Veto
from mirant.extensions import z85

_KEY: Final = "binary"

#: The ``ext`` of a message whose data is binary.
BINARY_EXT: Final[dict[str, Any]] = {_KEY: {}}


class _Wire(msgspec.Struct, omit_defaults=True):
    data: str
    last: bool = msgspec.field(default_factory=lambda: True)
    meta: dict[str, Any] | None = None


class Binary:
    """Bytes as the data of a message, whether they are the `last` part, and what the sender says of them."""

    __slots__ = ("data", "last", "meta")

    def __init__(self, data: bytes, *, last: bool = True, meta: dict[str, Any] | None = None) -> None:
        self.data = data
        self.last = last
        self.meta = meta

    def to_wire(self) -> object:
        """Return the ``data`` field to send; the message must have `BINARY_EXT`."""
        return _Wire(z85.encode(self.data), self.last, self.meta)

    @classmethod
    def from_wire(cls, data: bytes) -> Binary:
        """Return what a ``data`` field holds.

        Raises:
            ValueError: it is not of the form above, or no Z85.
        """
        wire = _decode(data)
        return cls(z85.decode(wire.data), last=wire.last, meta=wire.meta)


_decode = msgspec.json.Decoder(_Wire).decode


class BinaryData(Extension):
    """Refuses binary messages that are none (``404:binary_invalid:message_deleted``)."""

    sees_plain_connects: ClassVar[bool] = False

    def incoming(self, message: Message, turn: Turn, now: float) -> None:
        """Check the data of a binary message."""
        if not is_binary(message):
            return
        target = message.target
        if target is None or target.kind is Kind.META:
            return
        try:
            z85.check(_decode(message.data).data)
        except ValueError:
            raise Veto("binary_invalid") from None


def is_binary(message: Message) -> bool:
    """Whether the data of *message* is said to be binary."""
    return message.ext is not None and _KEY in message.ext
