"""Messages: bytes of a request to `Message`, `Reply` and `Delivery` to bytes.

What a client publishes is forwarded, not understood: `data` stays the bytes it came as, so numbers of any
size, key order and spelling survive, and a fan-out costs one encoding. Only an extension, a filter or the
application that asks for the value pays for decoding it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import accumulate
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from mirant.bayeux.advice import Advice, RequestAdvice
from mirant.bayeux.channels import Channel, ChannelInvalid
from mirant.bayeux.errors import CHANNEL_INVALID, FIELD_INVALID, MESSAGE_ID_INVALID, ErrorKind

# What a client may nest. Parsers at the receiving end have limits too (Python's json about 1,000, .NET 64,
# Jackson 1,000); a publisher must not be able to crash the subscribers. Chat, charts and GeoJSON need < 20.
MAX_DEPTH: Final = 100

# Longest message id. A UUID has 36 characters.
MAX_ID: Final = 128

#: What a client publishes under these names is not forwarded: only a server may say them.
SERVER_FIELDS: Final = frozenset({"successful", "error", "authSuccessful", "reestablish", "x-messages"})

_NOTHING: Final[Mapping[str, Raw]] = MappingProxyType({})
_encode = msgspec.json.Encoder().encode


class BodyInvalid(ValueError):
    """The body of a request is not an array of JSON objects; nothing of it was processed."""


class BodyTooLarge(ValueError):
    """The body of a request has more bytes or more messages than allowed; nothing of it was processed."""


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
    # Of no use to the server: it has one protocol version, and offers rather than negotiates transports.
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
        except ChannelInvalid:
            return None

    @property
    def reply_id(self) -> str | None:
        """The id as replies echo it: always a string."""
        return None if self.id is None else str(self.id)


class OddMessage(Message, kw_only=True):
    """A message with fields beyond Bayeux's, or of the wrong type. Made by `decode`, never from the wire."""

    odd_fields: dict[str, Raw]
    odd_fault: tuple[ErrorKind, str] | None

    @property
    def extra(self) -> Mapping[str, Raw]:
        return self.odd_fields

    @property
    def fault(self) -> tuple[ErrorKind, str] | None:
        return self.odd_fault


class Reply(msgspec.Struct, omit_defaults=True, kw_only=True):
    """The server's answer to one message. It never has ``data``: that is how clients know it."""

    channel: str | None = None
    id: str | None = None
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
        return _encode(self)


class Delivery(msgspec.Struct, eq=False, gc=False):
    """A message on its way to subscribers: encoded once, immutable, shared by all of them."""

    # A struct, because one is made for each publish: 0.07 µs instead of 0.2.
    channel: str
    payload: bytes  # one JSON object
    lazy: float | None = None  # how many seconds it may wait for another occasion to be sent; None: none
    latest: bool = False  # whether it replaces an earlier one of its channel that still waits
    overflow: str | None = None  # what gives way if it does not fit, where that is not the session's

    def with_fields(self, fields: bytes) -> Delivery:
        """Return this delivery with further *fields* of its JSON object, such as ``"a":1,"b":2``."""
        return msgspec.structs.replace(self, payload=b"%b,%b}" % (self.payload[:-1], fields))

    @classmethod
    def forward(cls, channel: Channel, message: Message) -> Delivery:
        """Return what subscribers of *channel* get of the *message* that a client published.

        They get `data`, `ext`, `timestamp` and the application's own fields, never the publisher's
        clientId (a credential), id (it would be taken for one of their own) or advice (they would obey).
        """
        if message.ext is None and not message.timestamp and not message.extra:
            return cls.of_raw(channel.name, message.data)
        fields: dict[str, object] = {"channel": channel.name, "data": message.data}
        if message.ext is not None:
            fields["ext"] = message.ext
        if message.timestamp:
            fields["timestamp"] = message.timestamp
        fields.update((name, raw) for name, raw in message.extra.items() if name not in SERVER_FIELDS)
        return cls(channel.name, _encode(fields))

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
                return cls.of_raw(channel.name, _encode(data))
            return cls(channel.name, _encode({"channel": channel.name, "data": data, **fields}))
        except (ValueError, OverflowError, RecursionError) as error:
            raise TypeError(f"this has no JSON form: {error}") from error


def decode(body: bytes, *, max_size: int, max_batch: int) -> list[Message]:
    """Return the messages of one HTTP body or one WebSocket message.

    The body is a JSON array of objects, or a single object. A message that has a field of the wrong type is
    returned with its `fault`, so that it spoils only itself.

    Raises:
        BodyInvalid: it is not UTF-8, not JSON, too deep, empty, or holds something that is no object.
        BodyTooLarge: it has more than *max_size* bytes or *max_batch* messages.
    """
    if len(body) > max_size:
        raise BodyTooLarge(f"the body has {len(body)} bytes; the limit is {max_size}")
    if not body.isascii():  # 0.03 µs, where decoding takes 0.1, and settles most bodies
        _check_text(body)
    if len(body) > 2 * MAX_DEPTH:  # a shorter one has no room for so many brackets and their ends
        _check_depth(body)
    try:
        messages = _decode_array(body) if body[:1] == b"[" else _decode_quickly(body)
    except (ValueError, RecursionError):
        messages = _decode_leniently(body)
    if not messages:
        raise BodyInvalid("the array is empty; send at least one message")
    if len(messages) > max_batch:
        raise BodyTooLarge(f"the body has {len(messages)} messages; the limit is {max_batch}")
    return messages


# --- The two ways of decoding: straight into `Message`, or field by field where that does not fit ---

_decode_array = msgspec.json.Decoder(list[Message]).decode
_decode_single = msgspec.json.Decoder(Message).decode
_decode_anything = msgspec.json.Decoder(list[dict[str, Raw]] | dict[str, Raw]).decode

# wire name → (attribute, decoder, the error if its type is wrong; None: the field counts as absent)
_FIELDS: Final[dict[str, tuple[str, msgspec.json.Decoder[Any] | None, ErrorKind | None]]] = {
    "channel": ("channel", msgspec.json.Decoder(str | None), CHANNEL_INVALID),
    "id": ("id", msgspec.json.Decoder(str | int | None), MESSAGE_ID_INVALID),
    "clientId": ("client_id", msgspec.json.Decoder(str | None), None),
    "data": ("data", None, None),
    "ext": ("ext", msgspec.json.Decoder(dict[str, Raw] | None), FIELD_INVALID),
    "advice": ("advice", msgspec.json.Decoder(RequestAdvice | None), FIELD_INVALID),
    "subscription": ("subscription", None, None),
    "timestamp": ("timestamp", None, None),
    "connectionType": ("connection_type", None, None),
    "version": ("version", None, None),
    "minimumVersion": ("minimum_version", None, None),
    "supportedConnectionTypes": ("supported_connection_types", None, None),
}


def _decode_quickly(body: bytes) -> list[Message]:
    if body.lstrip()[:1] == b"{":
        return [_decode_single(body)]
    return _decode_array(body)


def _decode_leniently(body: bytes) -> list[Message]:
    try:
        # A body with half a surrogate pair is not JSON to the decoder; most bodies have no such escape.
        found = _decode_anything(_LONE_SURROGATE.sub(_mend, body) if b"\\u" in body else body)
    except (ValueError, RecursionError) as error:
        raise BodyInvalid(_explain(error)) from None
    return [_read_fields(fields) for fields in (found if isinstance(found, list) else [found])]


def _read_fields(fields: dict[str, Raw]) -> OddMessage:
    known: dict[str, Any] = {}
    extra: dict[str, Raw] = {}
    fault: tuple[ErrorKind, str] | None = None
    for name, raw in fields.items():
        if name not in _FIELDS:
            extra[name] = raw
            continue
        attribute, decoder, error = _FIELDS[name]
        try:
            known[attribute] = raw if decoder is None else decoder.decode(raw)
        except ValueError:
            if error is not None:
                fault = fault or (error, name if error is FIELD_INVALID else "")
    return OddMessage(**known, odd_fields=extra, odd_fault=fault)


# --- What the JSON decoder does not check, because it skips over raw fields ---

_BRACKETS: Final = bytes.maketrans(b"[]{}", b"[][]")
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]"))
_WEIGHT: Final = (0,) * ord("[") + (1, 0, -1) + (0,) * (255 - ord("]"))


def _check_text(body: bytes) -> None:
    try:
        str(body, "utf-8")
    except UnicodeDecodeError as error:
        raise BodyInvalid(f"the body is not UTF-8: {error.reason} at byte {error.start}") from None


def _check_depth(body: bytes) -> None:
    # A body with few brackets cannot be deep: nearly all are settled by these two counts.
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _depth(body) > MAX_DEPTH:
        raise BodyInvalid(f"the body is nested deeper than {MAX_DEPTH} levels")


def _depth(body: bytes) -> int:
    """Return how deep *body* is nested, at C speed; at least that for what is not JSON."""
    # Split at quotes: with escapes gone, every second piece is the inside of a string.
    outside = b"".join(body.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])
    brackets = outside.translate(_BRACKETS, _NOT_BRACKETS.translate(None, b"{}"))
    return max(accumulate(map(_WEIGHT.__getitem__, brackets)), default=0)


# JavaScript cuts strings in the middle of a character and writes the half as an escape; others refuse it. One
# alternative per escape: a whole pair, a half, anything else.
_LONE_SURROGATE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def _mend(escape: re.Match[bytes]) -> bytes:
    """Return an *escape* of JSON, with the replacement character for half a surrogate pair."""
    return escape[0] if escape[1] is None else rb"\ufffd"


def _explain(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return f"the body is nested deeper than {MAX_DEPTH} levels"
    if isinstance(error, msgspec.ValidationError):
        return "the body is not a Bayeux message nor an array of them"
    return f"the body is not JSON: {error}"
