"""Reading the value of ``filters``: names and tables to filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from mirant.options.declaring import Fault, KeyPath
from mirant.options.quoting import spell
from mirant.options.spelling import nearest
from mirant.policy.filters import custom, fields, html, regex, size
from mirant.policy.filters.contract import Filter, FilterInvalid
from mirant.policy.filters.markup import NoMarkup

_Read = Callable[[object, KeyPath, Path], Filter]


def _read_schema(value: object, where: KeyPath, base: Path) -> Filter:
    from mirant.policy.filters import schema  # imported when used, because it takes 50 ms and 8 MiB

    return schema.read(value, where, base)


#: Filters that are written as their name.
_PLAIN: Final[Mapping[str, Callable[[], Filter]]] = {
    "no-markup": NoMarkup,
    "no-scripts": html.no_scripts,
    "sanitize": html.sanitize,
}
#: Filters that are written as a table of their name and a value.
_WITH_VALUE: Final[Mapping[str, _Read]] = {
    "sanitize": html.read_sanitize,
    "regex": regex.read,
    "size": size.read,
    "schema": _read_schema,
    "only-fields": fields.read_only,
    "drop-fields": fields.read_drop,
    "custom": custom.read,
}
_EXAMPLES: Final[Mapping[str, str]] = {
    "regex": '{ regex = [["teh ", "the "]] }',
    "size": '{ size = "2KiB" }',
    "schema": '{ schema = "chat.json" }',
    "only-fields": '{ only-fields = ["text"] }',
    "drop-fields": '{ drop-fields = ["html"] }',
    "custom": '{ custom = "app.filters:tidy" }',
}
_NAMES: Final = tuple(dict.fromkeys((*_PLAIN, *_WITH_VALUE)))


def read_filters(value: object, where: KeyPath, base: Path) -> tuple[tuple[Filter, ...], list[Fault]]:
    """Return the filters that *value*, which stands at *where*, declares, and all faults in it.

    Files that filters name are looked for in the folder *base*. The application's own filters are imported.
    """
    if not isinstance(value, list):
        sentence = f'filters = {spell(value)} should be a list, such as ["no-markup", {{ size = "2KiB" }}]'
        return (), [Fault(where, sentence)]
    filters: list[Filter] = []
    faults: list[Fault] = []
    for index, entry in enumerate(value):
        try:
            filters.append(_read_filter(entry, (*where, index), base))
        except FilterInvalid as error:
            faults += error.faults
    return tuple(filters), faults


def _read_filter(entry: object, where: KeyPath, base: Path) -> Filter:
    if isinstance(entry, str):
        return _read_name(entry, where, base)
    if not isinstance(entry, dict) or len(entry) != 1:
        sentence = f'{spell(entry)} should be the name of a filter, or a table with one: {{ size = "2KiB" }}'
        raise FilterInvalid(Fault(where, sentence))
    [(name, value)] = entry.items()
    if name in _WITH_VALUE:
        return _WITH_VALUE[name](value, (*where, name), base)
    if name in _PLAIN:
        raise FilterInvalid(Fault((*where, name), f'{name} takes no value; write "{name}"'))
    raise FilterInvalid(Fault((*where, name), _unknown(name)))


def _read_name(name: str, where: KeyPath, base: Path) -> Filter:
    if name in _PLAIN:
        return _PLAIN[name]()
    if name in _WITH_VALUE:
        raise FilterInvalid(Fault(where, f"{name} needs a value; write {_EXAMPLES[name]}"))
    if ":" in name:
        return custom.read(name, where, base)
    raise FilterInvalid(Fault(where, _unknown(name)))


def _unknown(name: str) -> str:
    close = nearest(name, _NAMES)
    if close:
        return f"there is no filter {spell(name)}; did you mean {close}?"
    return (
        f'there is no filter {spell(name)}; there are {", ".join(_NAMES)}, and your own: "app.filters:tidy"'
    )
