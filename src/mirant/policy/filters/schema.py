"""``schema``: dropping messages whose data does not fit a JSON Schema."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import msgspec

from mirant.options.declaring import Fault, KeyPath
from mirant.options.quoting import spell
from mirant.policy.filters.contract import Dropped, FilterInvalid
from mirant.policy.filters.exact import encode
from mirant.policy.filters.schema_walk import (
    asks_for_unique_items,
    cost_of_comparing,
    count_values,
    divides,
    find_circle,
    longest_list,
)

# Whole numbers up to here are exact as doubles. Beyond, a division takes the longer the larger the number is.
_MAX_DIVIDED: Final = 2**53

# Longest estimated time for comparing the values of one message, in nanoseconds. Without a limit, 60,000
# values and an ``enum`` of 2,000 objects take 23 seconds.
_MAX_COMPARING: Final = 20_000_000

# Most items of a list where a schema asks somewhere that items be unique. They are compared pair by pair if
# their hashes are equal, as those of neighbouring integers beyond 2**58 are: 5,000 of them take 46 ms.
_MAX_UNIQUE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Schema:
    """Drops a message whose data does not fit a schema.

    Numbers are compared as 64-bit integers and doubles. A number larger than any double counts as the largest
    double. `divides` is for schemas with ``multipleOf``: numbers beyond 2**53 do not fit then. `comparing` is
    how many nanoseconds it takes, at worst, to compare one value with all values that the schema lists.
    """

    name: str
    validator: jsonschema_rs.Validator = field(compare=False)
    #: The schema itself, as JSON: two filters with equal schemas do the same.
    source: str = field(repr=False)
    divides: bool = False
    comparing: int = 0
    #: Whether it asks somewhere that the items of a list be unique.
    unique: bool = False

    def __call__(self, data: Any) -> Any:
        raw = encode(data)
        plain = _plain(raw)
        # Each value takes two bytes at least, so most messages are too short to be counted.
        if self.comparing * len(raw) > 2 * _MAX_COMPARING and (
            self.comparing * count_values(plain) > _MAX_COMPARING
        ):
            raise Dropped("too_many_values")
        if self.unique and len(raw) > 2 * _MAX_UNIQUE and longest_list(plain) > _MAX_UNIQUE:
            raise Dropped("too_many_values")
        if (self.divides and not _divisible(plain)) or not self.validator.is_valid(plain):
            raise Dropped("schema_mismatch")
        return data


def _double(text: str) -> float:
    return max(-sys.float_info.max, min(float(text), sys.float_info.max))


_decode: Final = msgspec.json.Decoder(float_hook=_double).decode
_LONG: Final = re.compile(rb"\d{19}")


def _plain(raw: bytes) -> Any:
    """Return the value of the JSON text *raw*, with numbers that the validator compares fast."""
    # Where items have to be unique, it compares larger integers, and infinity, pair by pair: 30,000 of them
    # take 40 seconds.
    return json.loads(raw, parse_int=_narrow, parse_float=_double) if _LONG.search(raw) else _decode(raw)


def _narrow(text: str) -> int | float:
    number = _double(text)
    return int(text) if abs(number) < 2.0**63 else number


def _divisible(value: Any) -> bool:
    """Whether all numbers in *value* can be divided fast."""
    if type(value) is list:
        return all(map(_divisible, value))
    if type(value) is dict:
        return all(map(_divisible, value.values()))
    return not isinstance(value, int | float) or -_MAX_DIVIDED <= value <= _MAX_DIVIDED


def read(value: object, where: KeyPath, base: Path) -> Schema:
    """Return the filter of ``{ schema = "chat.json" }``, a path from the folder *base*."""
    if not isinstance(value, str) or not value:
        raise FilterInvalid(
            Fault(where, f'schema = {spell(value)} should be the path of a file, such as "chat.json"')
        )
    schema = _load(value, where, base)
    try:
        validator = jsonschema_rs.validator_for(
            schema,
            validate_formats=True,
            pattern_options=jsonschema_rs.RegexOptions(),  # linear time: no data makes a pattern slow
            offline=True,
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise FilterInvalid(Fault(where, f"{value} is not a usable schema: {_explain(error)}")) from None
    circle = find_circle(schema)
    if circle is not None:
        sentence = f'{value} is not a usable schema: "{circle}" refers to itself, so that no check would end'
        raise FilterInvalid(Fault(where, sentence))
    source = json.dumps(schema, sort_keys=True)
    comparing, unique = cost_of_comparing(schema), asks_for_unique_items(schema)
    return Schema(
        f"schema {value}", validator, source, divides=divides(schema), comparing=comparing, unique=unique
    )


def _load(value: str, where: KeyPath, base: Path) -> dict[str, Any] | bool:
    """Return the schema in the file *value*, a path from the folder *base*."""
    try:
        schema = json.loads((base / value).read_text("utf-8-sig"))
    except OSError as error:
        raise FilterInvalid(Fault(where, f"{base / value} cannot be read: {error.strerror}")) from None
    except (ValueError, RecursionError) as error:
        raise FilterInvalid(Fault(where, f"{value} is not JSON: {error}")) from None
    if not isinstance(schema, dict | bool):
        raise FilterInvalid(
            Fault(where, f'{value} is not a schema: it should be an object, such as {{"type": "object"}}')
        )
    return schema


def _explain(error: Exception) -> str:
    text = getattr(error, "message", str(error))
    if "retriev" in text:
        return f"{text}. A $ref must stay within the file: copy what it names to $defs"
    place = ".".join(str(part) for part in getattr(error, "instance_path", ()))
    if text.endswith('is not a "regex"'):
        return (
            f"at {place}: {text}, or not of the kind that takes linear time: without look-around and "
            "back-references, and not too large"
        )
    return f"at {place}: {text}" if place else text
