"""The kinds of values that options have: how each is read from a file, and what it may be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, get_args

from mirant.bus.outbox import Overflow

KIB: Final = 1024
MIB: Final = 1024 * KIB

#: The transports there are, the preferred first.
TRANSPORTS: Final = (
    "websocket",
    "eventsource",
    "long-polling",
    "cross-origin-long-polling",
    "callback-polling",
)


class SettingsError(ValueError):
    """An option that does not exist or has a value that cannot be; the text says which and what would do."""


def read_duration(value: object) -> float:
    """Return seconds, of a number of them or a text such as "30s"."""
    if isinstance(value, str) and (found := _DURATION.fullmatch(value)):
        return float(found[1]) * _SECONDS[found[2]]
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf"):
        return float(value)
    raise SettingsError('a duration such as "30s" or a number of seconds')


def read_positive_duration(value: object) -> float:
    """Return seconds, which may not be none."""
    seconds = read_duration(value)
    if seconds == 0:
        raise SettingsError('a duration above 0, such as "10s"')
    return seconds


def read_size(value: object) -> int:
    """Return bytes, of a number of them or a text such as "64KiB"."""
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    size = int(found[1]) * _BYTES[found[2]] if found else value
    if isinstance(size, int) and not isinstance(size, bool) and size >= 1:
        return size
    raise SettingsError('a size such as "64KiB" or a number of bytes, from 1')


def read_count(value: object) -> int:
    """Return a whole number from 1."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise SettingsError("a whole number from 1")


def read_switch(value: object) -> bool:
    """Return true or false."""
    if isinstance(value, bool):
        return value
    raise SettingsError("true or false")


def read_overflow(value: object) -> object:
    """Return the name of a policy for full outboxes."""
    if value in get_args(Overflow):
        return value
    raise SettingsError(f"one of {', '.join(get_args(Overflow))}")


def read_transports(value: object) -> tuple[str, ...]:
    """Return names of transports, each once."""
    names = tuple(value) if isinstance(value, list | tuple) else ()
    if names and all(name in TRANSPORTS for name in names) and len(set(names)) == len(names):
        return names
    raise SettingsError(f"a list with some of {', '.join(TRANSPORTS)}, each once")


def read_origins(value: object) -> tuple[str, ...]:
    """Return origins of web pages."""
    origins = tuple(value) if isinstance(value, list | tuple) else (None,)
    if all(isinstance(origin, str) and _ORIGIN.fullmatch(origin) for origin in origins):
        return tuple(str(origin).lower() for origin in origins)
    raise SettingsError('a list of origins such as "https://example.org:8443"')


_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)")
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_SIZE: Final = re.compile(r"(\d+)\s*(B|KiB|MiB)")
_BYTES: Final = {"B": 1, "KiB": KIB, "MiB": MIB}
_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.\-_\[\]:]+")

#: How to read an option, by the kind of its value. What each raises says what the value should be.
READERS: Final[Mapping[str, Callable[[object], object]]] = {
    "duration": read_duration,
    "positive duration": read_positive_duration,
    "size": read_size,
    "count": read_count,
    "switch": read_switch,
    "overflow": read_overflow,
    "transports": read_transports,
    "origins": read_origins,
}
