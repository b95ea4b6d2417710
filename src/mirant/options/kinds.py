"""The kinds of values that options have, and how each is spelt in a file and in the environment."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from mirant.options.cookies import (
    SameSite,
    Secure,
    read_cookie_domain,
    read_cookie_name,
    read_cookie_path,
    read_same_site,
    read_secrets,
    read_secure,
)
from mirant.options.values import (
    KIB,
    MIB,
    TRANSPORTS,
    Overflow,
    read_count,
    read_duration,
    read_header_name,
    read_hosts,
    read_origins,
    read_overflow,
    read_positive_duration,
    read_size,
    read_switch,
    read_transports,
)


def of_text(text: str) -> object:
    """Return *text* as it is."""
    return text


def of_number_text(text: str) -> object:
    """Return the number that *text* spells, or *text*."""
    if not _NUMBER.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)


def of_switch_text(text: str) -> object:
    """Return True or False if *text* spells one of them, or *text*."""
    return {"true": True, "false": False}.get(text, text)


def of_list_text(text: str) -> object:
    """Return the items that commas separate in *text*; none if it is empty."""
    return [part.strip() for part in text.split(",")] if text.strip() else []


def in_toml(value: object) -> str:
    """Return a switch, a number, a text or a list of these as TOML spells it."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(in_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def duration_in_toml(value: float) -> str:
    """Return seconds in the largest unit that divides them."""
    if not value:
        return '"0s"'
    fitting = (unit for unit, seconds in _SECONDS_OF_UNITS.items() if value % seconds == 0)
    unit = next(fitting, "ms")
    return f'"{value / _SECONDS_OF_UNITS[unit]:g}{unit}"'


def size_in_toml(value: int) -> str:
    """Return bytes in the largest unit that divides them."""
    unit = next(unit for unit, size in _BYTES_OF_UNITS.items() if value % size == 0)
    return f'"{value // _BYTES_OF_UNITS[unit]}{unit}"'


def _ticked(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


@dataclass(frozen=True, slots=True)
class OptionKind:
    """The kind of an option: which values it may have, and how they are read and written."""

    #: What to write, for the reference page.
    words: str
    #: Reads a value of a file. It raises SettingsError with a text that continues "should be …". The text
    #: does not quote the value, which may be a secret.
    read: Callable[[object], Any]
    #: Turns the text of an environment variable into the value that a file would have, for `read`.
    from_text: Callable[[str], object] = of_text
    #: Spells a value as it would stand in a file.
    write: Callable[[Any], str] = in_toml


#: The kinds that options of several tables have, by name.
KINDS: Final[Mapping[str, OptionKind]] = {
    "duration": OptionKind(
        'a text such as `"30s"`, `"250ms"`, `"2m"`, `"1h"`, or a number of seconds',
        read_duration,
        of_number_text,
        duration_in_toml,
    ),
    "positive duration": OptionKind(
        "a duration above 0", read_positive_duration, of_number_text, duration_in_toml
    ),
    "size": OptionKind(
        'a text such as `"512B"`, `"64KiB"`, `"4MiB"`, or a number of bytes, from 1',
        read_size,
        of_number_text,
        size_in_toml,
    ),
    "count": OptionKind("a whole number from 1", read_count, of_number_text),
    "switch": OptionKind("`true` or `false`", read_switch, of_switch_text),
    "overflow": OptionKind(f"one of {_ticked(get_args(Overflow))}", read_overflow),
    "cookie name": OptionKind(
        "1 to 64 letters, digits, dots, dashes and underscores; with `__Host-` or `__Secure-` it needs TLS",
        read_cookie_name,
    ),
    "cookie path": OptionKind('a path such as `"/"` or `"/chat"`', read_cookie_path),
    "cookie domain": OptionKind('a domain such as `"example.org"`', read_cookie_domain),
    "same site": OptionKind(f"one of {_ticked(get_args(SameSite))}", read_same_site),
    "secure": OptionKind(f"one of {_ticked(get_args(Secure))}", read_secure),
    "secrets": OptionKind(
        "a text of 32 bytes or more, or a list of such texts, the newest first", read_secrets, of_list_text
    ),
    "transports": OptionKind(
        f"a list with some of {', '.join(f'`{name}`' for name in TRANSPORTS)}, each once",
        read_transports,
        of_list_text,
    ),
    "origins": OptionKind(
        'a list of origins such as `"https://example.org:8443"`, `"capacitor://localhost"` or `"null"`, and '
        'of patterns such as `"https://*.example.org"`, `"http://localhost:*"`, `"ionic://*"` and `"*"`',
        read_origins,
        of_list_text,
    ),
    "hosts": OptionKind(
        'a list of names without a port such as `"example.org"`, `"*.example.org"`, `"[::1]"`, or `"*"`',
        read_hosts,
        of_list_text,
    ),
    "header": OptionKind("the name of a header", read_header_name),
}

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?")

# The largest unit comes first: that is the one to write.
_SECONDS_OF_UNITS: Final = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}
_BYTES_OF_UNITS: Final = {"MiB": MIB, "KiB": KIB, "B": 1}
