"""JSON to Python values and back without loss: numbers keep their spelling, and no key hides another."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

import msgspec

from mirant.policy.filters.contract import Dropped

# Python refuses to convert longer integers, because that takes quadratic time.
_MAX_DIGITS: Final = 4_300


class Number(float):
    """A number that is written as it was read: ``1.10`` and ``1e400`` stay what they are."""

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> Number:
        number = super().__new__(cls, text)
        number.text = text
        return number


def _write_number(value: object) -> msgspec.Raw:
    if isinstance(value, Number):
        return msgspec.Raw(value.text.encode())
    raise TypeError(f"{type(value).__name__} has no JSON form")


#: Return the JSON of what `decode` made, or of anything else that has a JSON form.
encode: Final = msgspec.json.Encoder(enc_hook=_write_number).encode


def decode(raw: bytes) -> Any:
    """Return the value of the JSON text *raw*; numbers with a fraction or an exponent become `Number`.

    Raises:
        Dropped: it is not JSON, or an object has the same key twice. Receivers differ in which of the two
            they read, so a receiver might read the one that no filter looked at.
    """
    try:
        return _decode_carefully(raw) if _is_odd(raw) else _decode_quickly(raw)
    except RecursionError:
        raise Dropped("too_deep") from None
    except ValueError:
        raise Dropped("not_json") from None


_decode: Final = msgspec.json.Decoder(float_hook=Number).decode


def _decode_quickly(raw: bytes) -> Any:
    try:
        data = _decode(raw)
    except msgspec.ValidationError:  # an integer of more digits than msgspec reads
        return _decode_carefully(raw)
    # Of two equal keys the decoder keeps one, so the text encoded from its result has a colon less. Colons
    # within strings do not disturb the count, because a text with an escaped colon is decoded carefully.
    if raw.count(b":") != encode(data).count(b":"):
        raise Dropped("duplicate_key")
    return data


def _is_odd(raw: bytes) -> bool:
    """Whether the quick way would lose something of *raw*, or count its colons wrong."""
    if b"\\u003a" in raw or b"\\u003A" in raw:
        return True
    return b"-0" in raw and _NEGATIVE_ZERO.search(raw) is not None


_NEGATIVE_ZERO: Final = re.compile(rb"(?<![^\[,:\s])-0(?![^\],}\s])")


def _read_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Dropped("duplicate_key")
    return fields


def _read_integer(text: str) -> int | Number:
    return Number(text) if text == "-0" or len(text) > _MAX_DIGITS else int(text)


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


_careful: Final = json.JSONDecoder(
    object_pairs_hook=_read_fields,
    parse_float=Number,
    parse_int=_read_integer,
    parse_constant=_refuse_constant,
).decode


def _decode_carefully(raw: bytes) -> Any:
    return _careful(str(raw, "utf-8"))
