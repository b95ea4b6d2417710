"""Walking through a JSON Schema to find what it contains, wherever that is."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

# Keywords whose schemas are about the same value, not about a part of it.
_SAME_VALUE: Final = ("not", "if", "then", "else")
_SAME_VALUE_LISTS: Final = ("allOf", "anyOf", "oneOf")

# Nanoseconds for comparing a value with one that a schema lists: with a text, or with something else, for
# each value in that. An ``enum`` of texts alone costs nothing, because the validator looks the value up.
_COMPARES_TEXT: Final = 10
_COMPARES_OTHER: Final = 300

#: A JSON pointer, such as ``/properties/a``.
Pointer: TypeAlias = str


def divides(schema: object) -> bool:
    """Whether *schema* has ``multipleOf`` somewhere."""
    return any("multipleOf" in found for _, found in _objects(schema))


def asks_for_unique_items(schema: object) -> bool:
    """Whether *schema* has ``uniqueItems`` somewhere."""
    return any(found.get("uniqueItems") is True for _, found in _objects(schema))


def cost_of_comparing(schema: object) -> int:
    """Return the nanoseconds that it takes, at worst, to compare one value with all that *schema* lists.

    A schema lists values in ``enum`` and ``const``. Each item of an array may be compared with all of them.
    """
    cost = 0
    for _, found in _objects(schema):
        listed = found.get("enum")
        if isinstance(listed, list) and not all(isinstance(value, str) for value in listed):
            cost += sum(map(_cost, listed))
        if "const" in found:
            cost += _cost(found["const"])
    return cost


def _cost(value: object) -> int:
    return _COMPARES_TEXT if isinstance(value, str) else _COMPARES_OTHER * count_values(value)


def count_values(value: object) -> int:
    """Return how many values *value* has, itself included. The names of fields do not count."""
    count, left = 0, [value]
    while left:
        found = left.pop()
        count += 1
        if isinstance(found, dict):
            left += found.values()
        elif isinstance(found, list):
            left += found
    return count


def longest_list(value: object) -> int:
    """Return how many items the longest list in *value* has."""
    longest, left = 0, [value]
    while left:
        found = left.pop()
        if isinstance(found, dict):
            left += found.values()
        elif isinstance(found, list):
            longest = max(longest, len(found))
            left += found
    return longest


def find_circle(schema: object) -> str | None:
    """Return a place of *schema*, such as ``#/$defs/a``, that refers back to itself about the same value.

    A check by such a schema would never end (JSON Schema 2020-12, Core, section 9.4.1). A schema may refer to
    itself about a part of the value, as one for trees does. Only references that are pointers into the
    document are followed.
    """
    same = {pointer: list(_about_same_value(pointer, found)) for pointer, found in _objects(schema)}
    try:
        TopologicalSorter(same).prepare()
    except CycleError as error:
        _, (first, *_) = error.args  # a message, and the pointers of the circle
        return f"#{first}"
    return None


def _objects(schema: object) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    left: list[tuple[Pointer, object]] = [("", schema)]
    while left:
        pointer, found = left.pop()
        if isinstance(found, dict):
            yield pointer, found
            left += [(f"{pointer}/{_escape(key)}", part) for key, part in found.items()]
        elif isinstance(found, list):
            left += [(f"{pointer}/{index}", part) for index, part in enumerate(found)]


def _about_same_value(pointer: Pointer, schema: dict[str, Any]) -> Iterator[Pointer]:
    reference = schema.get("$ref")
    if isinstance(reference, str) and (reference == "#" or reference.startswith("#/")):
        yield unquote(reference[1:])
    for key in _SAME_VALUE:
        if key in schema:
            yield f"{pointer}/{key}"
    for key in _SAME_VALUE_LISTS:
        if isinstance(schema.get(key), list):
            yield from (f"{pointer}/{key}/{index}" for index in range(len(schema[key])))


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
