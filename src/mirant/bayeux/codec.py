"""From the bytes of a request to messages: bounded, checked, and each message's faults its own."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import Any, Final

import msgspec
from msgspec import Raw

from mirant.bayeux.advice import RequestAdvice
from mirant.bayeux.errors import CHANNEL_INVALID, FIELD_INVALID, MESSAGE_ID_INVALID, ErrorKind
from mirant.bayeux.messages import Message, OddMessage

# What a client may nest. Parsers at the receiving end have limits too (Python's json about 1,000, .NET 64,
# Jackson 1,000); a publisher must not be able to crash the subscribers. Chat, charts and GeoJSON need < 20.
MAX_DEPTH: Final = 100


class BodyInvalid(ValueError):
    """The body of a request is not an array of JSON objects. Nothing in it was processed."""


class BodyTooLarge(ValueError):
    """The body of a request has more bytes or more messages than allowed. Nothing in it was processed."""


def decode(body: bytes, *, max_size: int, max_batch: int) -> list[Message]:
    """Return the messages of one HTTP body or one WebSocket message.

    The body is a JSON array of objects, or a single object. A message that has a field of the wrong type is
    returned with its `fault`, so that it spoils only itself.

    Raises:
        BodyInvalid: it is not UTF-8, not JSON, too deep, empty, or holds something that is not an object.
        BodyTooLarge: it has more than *max_size* bytes or *max_batch* messages.
    """
    if len(body) > max_size:
        raise BodyTooLarge(f"the body has {len(body)} bytes; the limit is {max_size}")
    if not body.isascii():  # this takes 0.03 µs, decoding 0.1, and most bodies are ASCII
        _check_text(body)
    if len(body) > 2 * MAX_DEPTH:  # a shorter body has no room for that many pairs of brackets
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
        found = _decode_anything(mend_surrogates(body))
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


# --- Checks that the JSON decoder does not make, because it skips raw fields ---

_BRACKETS: Final = bytes.maketrans(b"[]{}", b"[][]")
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]"))
_WEIGHT: Final = (0,) * ord("[") + (1, 0, -1) + (0,) * (255 - ord("]"))


def _check_text(body: bytes) -> None:
    try:
        str(body, "utf-8")
    except UnicodeDecodeError as error:
        raise BodyInvalid(f"the body is not UTF-8: {error.reason} at byte {error.start}") from None


def _check_depth(body: bytes) -> None:
    # A body with few brackets cannot be deep. For nearly all bodies these two counts are enough.
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _depth(body) > MAX_DEPTH:
        raise BodyInvalid(f"the body is nested deeper than {MAX_DEPTH} levels")


def _depth(body: bytes) -> int:
    """Return how deep *body* is nested, at C speed. If it is not JSON, the result may be larger."""
    # Split at quotes: without escapes, every second piece is the inside of a string.
    outside = b"".join(body.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])
    brackets = outside.translate(_BRACKETS, _NOT_BRACKETS.translate(None, b"{}"))
    return max(accumulate(map(_WEIGHT.__getitem__, brackets)), default=0)


# JavaScript may cut a string in the middle of a character. It writes the half as an escape, which other
# parsers refuse. One alternative per escape: a whole pair, a half, anything else.
_LONE_SURROGATE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def mend_surrogates(body: bytes) -> bytes:
    """Return *body* with the replacement character for each half of a surrogate pair.

    A body with such a half is not JSON to the decoder. Most bodies have no escape of that kind at all.
    """
    return _LONE_SURROGATE.sub(_mend, body) if b"\\u" in body else body


def _mend(escape: re.Match[bytes]) -> bytes:
    """Return an *escape* of JSON, with the replacement character for half a surrogate pair."""
    return escape[0] if escape[1] is None else rb"\ufffd"


def _explain(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return f"the body is nested deeper than {MAX_DEPTH} levels"
    if isinstance(error, msgspec.ValidationError):
        return "the body is not a Bayeux message nor an array of them"
    return f"the body is not JSON: {error}"
