"""How much a body holds, counted before objects are made of it.

A body of 1 MiB has room for 350,000 messages, or for one with 150,000 fields. To make objects of them takes
half a second. What is counted here costs a few milliseconds, and nothing for the bodies of most clients.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

# Fields beside `data` in one body, with all that is nested in them: so many, and so many more for each
# message. A field that becomes an object takes 0.6 µs.
MAX_FIELDS: Final = 5_000
FIELDS_EACH: Final = 15

# The shortest field in JSON is ``"":0,``, so a shorter body cannot have too many.
_SMALL: Final = 5 * MAX_FIELDS

# Beyond so many messages that an operator allows, they are counted after they were skipped: 60 ms at worst.
_MANY: Final = 2_000

# Escapes that have to be looked at one by one to find halves of surrogate pairs among them.
MAX_ESCAPES: Final = 20_000


class _Skipped(msgspec.Struct, gc=False):
    """One message, of which nothing is read."""


class _Outline(msgspec.Struct, gc=False):
    """One message, of which `data` is found and the rest is skipped."""

    data: Raw = Raw()


_skipped = msgspec.json.Decoder(list[_Skipped]).decode
_outlines = msgspec.json.Decoder(list[_Outline]).decode
_outline = msgspec.json.Decoder(_Outline).decode


def has_more_messages(body: bytes, limit: int) -> bool:
    """Whether the array *body* has more than *limit* elements before something in it is no object."""
    if body.count(b"{") <= limit or body.lstrip()[:1] != b"[":
        return False
    try:
        if limit > _MANY:
            return len(_skipped(body)) > limit
        _up_to(limit)(body)
    except msgspec.ValidationError as error:
        return "at most length" in str(error)
    except (ValueError, RecursionError):
        pass  # the decoder finds it again, and says what is wrong
    return False


def has_many_fields(body: bytes) -> bool:
    """Whether the messages in *body* have so many fields, `data` apart, that reading them takes long."""
    if len(body) < _SMALL:
        return False
    fields = body.count(b":")
    if fields <= MAX_FIELDS:
        return False
    try:
        outlines = _outlines(body) if body.lstrip()[:1] == b"[" else [_outline(body)]
    except (ValueError, RecursionError):
        return False  # the decoder stops at the same place
    # Of a field given twice the last one is seen here; the others count, as they will be read too.
    for each in outlines:
        fields -= bytes(each.data).count(b":")
    return fields > MAX_FIELDS + FIELDS_EACH * len(outlines)


def has_many_escapes(body: bytes) -> bool:
    """Whether looking for halves of surrogate pairs in *body* takes long."""
    return body.count(b"\\ud") + body.count(b"\\uD") + body.count(b"\\\\") > MAX_ESCAPES


@lru_cache(maxsize=8)
def _up_to(limit: int) -> Any:
    """Return what decodes an array of at most *limit* objects, and stops at the one that is too many.

    It has a field for each of them, so making it takes 11 ms for a thousand.
    """
    fields = [(f"m{index}", _Skipped | UnsetType, UNSET) for index in range(limit)]
    array = msgspec.defstruct("_Array", fields, array_like=True, forbid_unknown_fields=True, gc=False)
    return msgspec.json.Decoder(array).decode
