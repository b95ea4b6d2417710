"""Reading the values of options, as a file spells them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Literal, get_args

from mirant.options.origins import ANONYMOUS, HostPattern, OriginPattern

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


#: What happens when a delivery does not fit: the session ends, or the oldest or the new one is dropped.
Overflow = Literal["disconnect", "drop-oldest", "drop-newest"]


class SettingsError(ValueError):
    """An unknown option, or a wrong value of one. The text says which, and what would be right."""

    def __init__(self, text: str, *, options: tuple[str, ...] = ()) -> None:
        """Say *text* about the attributes *options*. The reader of a file finds their place in it."""
        super().__init__(text)
        self.options = options


def read_duration(value: object) -> float:
    """Return seconds, from a number of them or a text such as "30s"."""
    if isinstance(value, str) and (found := _DURATION.fullmatch(value)):
        value = float(found[1]) * _SECONDS[found[2]]
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LONGEST:
        return float(value)
    raise SettingsError('a duration such as "30s" or a number of seconds')


def read_positive_duration(value: object) -> float:
    """Return seconds, more than 0."""
    seconds = read_duration(value)
    if seconds == 0:
        raise SettingsError('a duration above 0, such as "10s"')
    return seconds


def read_size(value: object) -> int:
    """Return bytes, 1 TiB at most, from a number of them or a text such as "64KiB"."""
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    size = int(found[1]) * _BYTES[found[2]] if found else value
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise SettingsError('a size such as "64KiB" or a number of bytes, from 1')
    if size > _LARGEST:
        raise SettingsError("at most 1 TiB")
    return size


def read_count(value: object) -> int:
    """Return a whole number from 1 to 1,000,000,000."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise SettingsError("a whole number from 1")
    if value > _MOST:
        raise SettingsError(f"at most {_MOST}")
    return value


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
    """Return origins of web pages and patterns of them."""
    origins = tuple(value) if isinstance(value, list | tuple) else (None,)
    if all(isinstance(origin, str) and _is_valid(OriginPattern, origin) for origin in origins):
        return tuple(str(origin).lower() for origin in origins)
    raise SettingsError(
        'a list of origins such as "https://example.org:8443", "https://*.example.org" or "null", or "*"'
    )


def read_hosts(value: object) -> tuple[str, ...]:
    """Return names of hosts and patterns of them."""
    hosts = tuple(value) if isinstance(value, list | tuple) else (None,)
    if all(isinstance(host, str) and _is_valid(HostPattern, host) for host in hosts):
        return tuple(str(host).lower() for host in hosts)
    raise SettingsError('a list of names without a port, such as "example.org", "*.example.org" or "[::1]"')


def read_header_name(value: object) -> str:
    """Return the name of a header, in small letters."""
    if isinstance(value, str) and _HEADER.fullmatch(value):
        return value.lower()
    raise SettingsError('the name of a header, such as "X-Http-Version"')


def _is_valid(pattern: Callable[[str], object], text: str) -> bool:
    try:
        pattern(text)
    except ValueError:
        return text in ANONYMOUS and pattern is OriginPattern
    return True


# 31 years. A longer duration is a slip of the pen, and a number of 400 digits does not fit a float.
_LONGEST: Final = 1_000_000_000
# No machine has that much memory, or that many of anything.
_LARGEST: Final = 1024 * 1024 * MIB
_MOST: Final = 1_000_000_000
# At most 15 digits, because Python refuses to read very many.
_DURATION: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*(ms|s|m|h)")
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_HEADER: Final = re.compile(r"[A-Za-z0-9\-]{1,64}")
_SIZE: Final = re.compile(r"([0-9]{1,15})\s*(B|KiB|MiB)")
_BYTES: Final = {"B": 1, "KiB": KIB, "MiB": MIB}
