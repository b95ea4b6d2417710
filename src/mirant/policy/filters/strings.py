"""Rewriting all strings of a value."""

from __future__ import annotations

from collections.abc import Callable
from operator import is_
from typing import Any

from mirant.policy.filters.contract import Dropped

Change = Callable[[str], str]


def unchanged(text: str) -> str:
    """Return *text*."""
    return text


def rewrite(value: Any, change: Change, rename: Change) -> Any:
    """Return *value* with every string changed by *change* and every key by *rename*.

    A part that did not change stays the same object. Each level takes two nested calls; a client's data has
    100 levels at most.

    Raises:
        Dropped: two keys of an object became equal. Keeping one of them would choose for the receiver.
    """
    kind = type(value)
    if kind is str:
        return _apply(change, value)
    if kind is dict:
        return _rewrite_fields(value, change, rename)
    if kind is list:
        items = [rewrite(item, change, rename) for item in value]
        return value if all(map(is_, value, items)) else items
    return value


def _rewrite_fields(fields: dict[str, Any], change: Change, rename: Change) -> dict[str, Any]:
    same = True
    rewritten: dict[str, Any] = {}
    for key, value in fields.items():
        new_key, new_value = _apply(rename, key), rewrite(value, change, rename)
        same = same and new_key is key and new_value is value
        rewritten[new_key] = new_value
    if len(rewritten) != len(fields):
        raise Dropped("duplicate_key")
    return fields if same else rewritten


def _apply(change: Change, text: str) -> str:
    changed = change(text)
    return text if changed == text else changed
