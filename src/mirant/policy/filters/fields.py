"""``only-fields`` and ``drop-fields``: keeping or removing the named parts of an object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import is_
from pathlib import Path
from typing import Any

from mirant.options.declaring import Fault, KeyPath
from mirant.options.quoting import spell
from mirant.policy.filters.contract import Dropped, FilterInvalid

#: Names of fields, each with the names below it. Without names below, the whole field is meant.
Tree = Mapping[str, "Tree"]


@dataclass(frozen=True, slots=True)
class OnlyFields:
    """Keeps the named fields of an object. A message whose data is not an object is dropped.

    A path such as ``user.name`` keeps the `name` of `user`, or that of each element if `user` is a list. If
    `user` is anything else, nothing of it is kept.
    """

    name: str
    fields: Tree

    def __call__(self, data: Any) -> Any:
        if type(data) is not dict:
            raise Dropped("object_expected")
        return _keep(data, self.fields)


@dataclass(frozen=True, slots=True)
class DropFields:
    """Removes the named fields from an object, or from each object of a list."""

    name: str
    fields: Tree

    def __call__(self, data: Any) -> Any:
        return _drop(data, self.fields)


def _keep(value: Any, fields: Tree) -> Any:
    if not fields:
        return value
    if type(value) is list:
        items = [_keep(item, fields) for item in value if type(item) in (dict, list)]
        return value if len(items) == len(value) and all(map(is_, items, value)) else items
    kept = {
        key: _keep(part, fields[key])
        for key, part in value.items()
        if key in fields and (not fields[key] or type(part) in (dict, list))
    }
    return value if len(kept) == len(value) and all(map(is_, kept.values(), value.values())) else kept


def _drop(value: Any, fields: Tree) -> Any:
    if type(value) is list:
        items = [_drop(item, fields) for item in value]
        return value if all(map(is_, items, value)) else items
    if type(value) is not dict:
        return value
    left = {
        key: _drop(part, fields[key]) if key in fields else part
        for key, part in value.items()
        if key not in fields or fields[key]
    }
    return value if len(left) == len(value) and all(map(is_, left.values(), value.values())) else left


def read_only(value: object, where: KeyPath, base: Path) -> OnlyFields:
    """Return the filter of ``{ only-fields = ["text", "user.name"] }``."""
    paths = _read_paths(value, where)
    return OnlyFields(f"only-fields {' '.join(paths)}", _grow(paths))


def read_drop(value: object, where: KeyPath, base: Path) -> DropFields:
    """Return the filter of ``{ drop-fields = ["html"] }``."""
    paths = _read_paths(value, where)
    return DropFields(f"drop-fields {' '.join(paths)}", _grow(paths))


def _read_paths(value: object, where: KeyPath) -> list[str]:
    if not isinstance(value, list) or not value:
        sentence = f'{where[-1]} = {spell(value)} should be a list of names, such as ["text", "user.name"]'
        raise FilterInvalid(Fault(where, sentence))
    faults = [
        Fault(
            (*where, index), f'{spell(path)} should be the name of a field, or names with dots: "user.name"'
        )
        for index, path in enumerate(value)
        if not isinstance(path, str) or not all(path.split("."))
    ]
    if faults:
        raise FilterInvalid(*faults)
    return value


def _grow(paths: Iterable[str]) -> Tree:
    root: dict[str, Any] = {}
    # Short paths come last and replace the longer ones, because "user" includes "user.name".
    for path in sorted(paths, key=len, reverse=True):
        *above, last = path.split(".")
        node = root
        for name in above:
            node = node.setdefault(name, {})
        node[last] = {}
    return root
