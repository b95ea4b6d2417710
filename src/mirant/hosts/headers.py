"""The headers of a request by their names, for every host."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_NONE: Final[frozenset[str]] = frozenset()


def as_mapping(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return *headers* by their names in lower case, repeated ones joined."""
    return read_headers(headers)[0]


def read_headers(headers: Iterable[tuple[bytes, bytes]]) -> tuple[dict[str, str], frozenset[str]]:
    """Return *headers* by their names in lower case, and the names that came more than once.

    Their values are joined, as HTTP says. The names are returned too, because in a joined value nobody can
    tell what a proxy has added from what the client sent.
    """
    mapping: dict[str, str] = {}
    repeated = _NONE
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name in mapping:
            # RFC 6265, section 5.4, RFC 9113, section 8.2.3, and RFC 9110, section 5.3
            value = f"{mapping[name]}{'; ' if name == 'cookie' else ', '}{value}"
            repeated |= {name}
        mapping[name] = value
    return mapping, repeated
