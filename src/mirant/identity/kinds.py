"""The kinds of values that options about identity have."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from ipaddress import ip_network
from typing import Final
from urllib.parse import urlsplit

from mirant.bus.request import UNIX
from mirant.options.kinds import KINDS, OptionKind, of_list_text
from mirant.options.values import SettingsError, read_duration

#: The algorithms there are, each with the type of key that it takes (RFC 7518, section 3.1, RFC 8037 and
#: RFC 9864). "none" is not among them, so it cannot be allowed.
ALGORITHMS: Final = {"HS256": "oct", "RS256": "RSA", "ES256": "EC", "EdDSA": "OKP", "Ed25519": "OKP"}

# RFC 7518, section 3.2: a key as long as the hash, or longer.
_MIN_SECRET: Final = 32
# RFC 7519, section 4.1.4: "no more than a few minutes, to account for clock skew".
_MAX_LEEWAY: Final = 300.0

_SOURCE: Final = re.compile(
    r"ext(?:\.[A-Za-z0-9_-]+){1,8}"  # where in the message
    r"|(?:header|cookie|query):[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # which name in its request
)
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def read_text(value: object) -> str:
    """Return a text that is not empty."""
    if isinstance(value, str) and value.strip() and value.isprintable():
        return value
    raise SettingsError("a text that is not empty")


def read_texts(value: object) -> tuple[str, ...]:
    """Return texts, from a list of them or from a single one."""
    return _read_list([value] if isinstance(value, str) else value, read_text, "a text or a list of texts")


def read_secret(value: object) -> str:
    """Return a secret that is too long to be guessed."""
    if isinstance(value, str) and len(value.encode("utf-8", "surrogatepass")) >= _MIN_SECRET:
        return value
    raise SettingsError(f"a text of {_MIN_SECRET} bytes or more, such as `openssl rand -hex 32` prints")


def read_algorithms(value: object) -> tuple[str, ...]:
    """Return names of algorithms, each once."""
    names = f"a list with some of {', '.join(ALGORITHMS)}"
    return _read_list(value, lambda name: _read_one_of(name, ALGORITHMS, names), names)


def read_sources(value: object) -> tuple[str, ...]:
    """Return places in which tokens are looked for."""
    names = 'a list with some of "ext.token", "header:Authorization", "cookie:NAME", "query:NAME"'
    return _read_list(value, lambda place: _read_match(place, _SOURCE, names), names)


def read_header(value: object) -> str:
    """Return the name of a header."""
    return _read_match(value, _HEADER, 'the name of a header, such as "X-Remote-User"')


def read_networks(value: object) -> tuple[str, ...]:
    """Return IP addresses and networks. `UNIX` may be among them."""
    names = 'a list of IP addresses and networks, such as "10.0.0.5" and "10.1.0.0/16", or "unix"'
    return _read_list(value, lambda network: _read_network(network, names), names)


def read_key_set(value: object) -> str:
    """Return the path or the URL of a key set (RFC 7517, section 5)."""
    text = read_text(value)
    if "://" not in text:
        return text
    try:
        url = urlsplit(text)
        good = url.scheme == "https" or (url.scheme == "http" and url.hostname in _LOOPBACK)
        good = good and bool(url.hostname) and url.username is None and url.port != 0
    except ValueError:
        good = False
    if good:
        return text
    raise SettingsError("a path, or a URL with https (http from this machine only) and without a password")


def read_leeway(value: object) -> float:
    """Return seconds, five minutes at most."""
    seconds = read_duration(value)
    if seconds <= _MAX_LEEWAY:
        return seconds
    raise SettingsError('a duration up to "5m"')


def _read_list(value: object, read: Callable[[object], str], names: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise SettingsError(names)
    items = tuple(read(item) for item in value)
    if len(set(items)) != len(items):
        raise SettingsError(f"{names}, each once")
    return items


def _read_one_of(value: object, names: Collection[str], expected: str) -> str:
    if isinstance(value, str) and value in names:
        return value
    raise SettingsError(expected)


def _read_match(value: object, pattern: re.Pattern[str], expected: str) -> str:
    if isinstance(value, str) and pattern.fullmatch(value):
        return value
    raise SettingsError(expected)


def _read_network(value: object, expected: str) -> str:
    try:
        if isinstance(value, str):
            if value != UNIX:
                ip_network(value)
            return value
    except ValueError:
        pass
    raise SettingsError(expected)


TEXT: Final = OptionKind("a text", read_text)
TEXTS: Final = OptionKind("a text or a list of texts", read_texts, of_list_text)
SECRET: Final = OptionKind(f"a text of {_MIN_SECRET} bytes or more", read_secret)
SOURCES: Final = OptionKind(
    'a list with some of `"ext.token"`, `"header:NAME"`, `"cookie:NAME"`, `"query:NAME"`',
    read_sources,
    of_list_text,
)
ALLOWED: Final = OptionKind(
    f"a list with some of {', '.join(f'`{name}`' for name in ALGORITHMS)}", read_algorithms, of_list_text
)
KEY_SET: Final = OptionKind("a path, or a URL with `https`", read_key_set)
HEADER: Final = OptionKind("the name of a header", read_header)
NETWORKS: Final = OptionKind(
    'a list of IP addresses and networks such as `"10.1.0.0/16"`, or `"unix"`', read_networks, of_list_text
)
LEEWAY: Final = OptionKind(
    'a duration up to `"5m"`', read_leeway, KINDS["duration"].from_text, KINDS["duration"].write
)
