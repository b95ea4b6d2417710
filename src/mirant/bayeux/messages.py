"""Messages as values: `Message` in, `Reply` and `Delivery` out. `mirant.bayeux.codec` reads them.

The bus forwards what a client publishes without decoding it. `data` stays the bytes that came, so numbers of
any size, the order of keys and the spelling survive, and a fan-out costs one encoding. Only an extension, a
filter or the application that asks for the value pays for decoding it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from mirant.bayeux.advice import Advice, RequestAdvice
from mirant.bayeux.channels import Channel, ChannelInvalid
from mirant.bayeux.errors import ErrorKind

# Longest message id. A UUID has 36 characters.
MAX_ID: Final = 128

#: Fields that only a server may set. They are not forwarded from what a client publishes.
SERVER_FIELDS: Final = frozenset({"successful", "error", "authSuccessful", "reestablish", "x-messages"})

_NOTHING: Final[Mapping[str, Raw]] = MappingProxyType({})
#: Encodes a `Reply`, or any value, as JSON. A function in C: each reply is encoded by one call.
encode = msgspec.json.Encoder().encode


class Message(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A message from a client (Bayeux 1.0, section 3), `data` and other free fields as raw JSON.

    Text fields are None when absent; raw fields are empty (false) then.
    """

    channel: str | None = None
    id: str | int | None = None
    client_id: str | None = msgspec.field(name="clientId", default=None)
    data: Raw = Raw()
    ext: dict[str, Raw] | None = None
    advice: RequestAdvice | None = None
    subscription: Raw = Raw()
    timestamp: Raw = Raw()
    # The server does not use these: it has one protocol version, and offers transports without negotiating.
    connection_type: Raw = msgspec.field(name="connectionType", default=Raw())
    version: Raw = Raw()
    minimum_version: Raw = msgspec.field(name="minimumVersion", default=Raw())
    supported_connection_types: Raw = msgspec.field(name="supportedConnectionTypes", default=Raw())

    @property
    def extra(self) -> Mapping[str, Raw]:
        """The fields that Bayeux does not know, as raw JSON: an application's own."""
        return _NOTHING

    @property
    def fault(self) -> tuple[ErrorKind, str] | None:
        """The error, with its argument, to answer because a field is of the wrong type; else None."""
        return None

    @property
    def target(self) -> Channel | None:
        """The channel that the message names; None if it names none. Compare this, never the text."""
        try:
            return None if self.channel is None else Channel.parse(self.channel)
        except (ChannelInvalid, TypeError):  # the latter if an extension made it something else than text
            return None

    @property
    def reply_id(self) -> str | Raw | None:
        """The id as replies echo it: a string. What is not an id is echoed as it came, in a refusal."""
        return None if self.id is None else str(self.id)


class OddMessage(Message, kw_only=True):
    """A message with fields beyond Bayeux's, or of the wrong type. Made by `decode`, never from the wire."""

    odd_fields: dict[str, Raw]
    odd_fault: tuple[ErrorKind, str] | None
    #: What there is instead of an id: neither text nor a number. It is empty (false) otherwise.
    odd_id: Raw = Raw()

    @property
    def extra(self) -> Mapping[str, Raw]:
        return self.odd_fields

    @property
    def fault(self) -> tuple[ErrorKind, str] | None:
        return self.odd_fault

    @property
    def reply_id(self) -> str | Raw | None:
        return self.odd_id or super().reply_id


class Reply(msgspec.Struct, omit_defaults=True, kw_only=True):
    """The server's answer to one message. It never has ``data``: that is how clients know it."""

    channel: str | None = None
    id: str | Raw | None = None
    client_id: str | None = msgspec.field(name="clientId", default=None)
    version: str | None = None
    minimum_version: str | None = msgspec.field(name="minimumVersion", default=None)
    supported_connection_types: list[str] | None = msgspec.field(
        name="supportedConnectionTypes", default=None
    )
    subscription: Raw | UnsetType = UNSET
    successful: bool | UnsetType = UNSET
    error: str | None = None
    advice: Advice | None = None
    timestamp: str | None = None
    #: How many messages follow a handshake's reply in the same body, if that is asked for.
    messages: int | None = msgspec.field(name="x-messages", default=None)
    ext: dict[str, Any] | None = None

    def encode(self) -> bytes:
        """Return the reply as one JSON object."""
        return encode(self)


class Delivery(msgspec.Struct, eq=False, gc=False):
    """A message on its way to subscribers: encoded once, immutable, shared by all of them."""

    # A struct, because one is made for each publish: 0.07 µs instead of 0.2.
    channel: str
    payload: bytes  # one JSON object
    lazy: float | None = None  # seconds that it may wait to be sent with something else; None: it may not
    latest: bool = False  # whether it replaces an earlier delivery of its channel that still waits
    overflow: str | None = None  # the policy if it does not fit; None: the session's

    def with_fields(self, fields: bytes) -> Delivery:
        """Return this delivery with further *fields* of its JSON object, such as ``"a":1,"b":2``."""
        return msgspec.structs.replace(self, payload=b"%b,%b}" % (self.payload[:-1], fields))

    @classmethod
    def forward(cls, channel: Channel, message: Message) -> Delivery:
        """Return what subscribers of *channel* get of the *message* that a client published.

        They get `data`, `ext`, `timestamp` and the application's own fields, never the publisher's
        clientId (a credential), id (it would be taken for one of their own) or advice (they would obey).
        """
        plain = type(message) is Message  # else it is an `OddMessage`, which has further fields
        if message.ext is None and not message.timestamp and (plain or not message.extra):
            name = channel.name  # `of_raw`, without a call: once for each publish
            return cls(name, b'{"channel":"%b","data":%b}' % (name.encode("ascii"), message.data))
        fields: dict[str, object] = {"channel": channel.name, "data": message.data}
        if message.ext is not None:
            fields["ext"] = message.ext
        if message.timestamp:
            fields["timestamp"] = message.timestamp
        fields.update((name, raw) for name, raw in message.extra.items() if name not in SERVER_FIELDS)
        return cls(channel.name, encode(fields))

    @classmethod
    def of_raw(cls, channel: str, data: bytes | Raw) -> Delivery:
        """Return the delivery of *data*, which is JSON already."""
        # A channel's characters need no escaping in JSON; the grammar sees to that.
        return cls(channel, b'{"channel":"%b","data":%b}' % (channel.encode("ascii"), data))

    @classmethod
    def of(cls, channel: Channel, data: object, **fields: object) -> Delivery:
        """Return the delivery of a Python value, with further *fields* of the message, such as an id.

        Raises:
            TypeError: *data* has no JSON form.
        """
        try:
            if not fields:
                return cls.of_raw(channel.name, encode(data))
            return cls(channel.name, encode({"channel": channel.name, "data": data, **fields}))
        except (ValueError, OverflowError, RecursionError) as error:
            raise TypeError(f"this has no JSON form: {error}") from error
