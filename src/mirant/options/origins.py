"""Origins of web pages and names of hosts, as options name them: alone, or by a pattern.

An origin is a scheme, a host and a port (RFC 6454). A port that is its scheme's default may be left out, a
name may end with a dot and have capitals, and an IPv6 address has several spellings. `read_origin` returns
the one form of it, so that origins can be compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Final

#: Every origin, also one that browsers do not name.
EVERY: Final = "*"
#: What browsers send instead of an origin that they do not name: of a sandboxed frame, or of a file.
UNNAMED: Final = "null"

#: Under these a page is admitted without credentials: any page of any site can have such an origin.
ANONYMOUS: Final = frozenset({EVERY, UNNAMED})

DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}


@dataclass(frozen=True, slots=True)
class WebOrigin:
    """Where a page is from. `port` is None if the scheme has none."""

    scheme: str
    host: str
    port: int | None


def read_origin(text: str) -> WebOrigin | None:
    """Return the origin that *text* names, such as ``https://example.org:8443``; None if it names none."""
    found = _ORIGIN.fullmatch(text)
    if found is None:
        return None
    scheme = found[1].lower()
    host = read_host(found[2])
    port = _read_port(found[3], scheme)
    if host is None or port == 0 or (not host and scheme in DEFAULT_PORTS):
        return None
    return WebOrigin(scheme, host, port)


def read_authority(text: str) -> tuple[str, int | None] | None:
    """Return the host and the port in a Host header; None if it is not valid. The port may be left out."""
    found = _AUTHORITY.fullmatch(text)
    host = None if found is None else read_host(found[1])
    port = None if found is None else _read_port(found[2], "")
    return None if not host or port == 0 else (host, port)


def read_host(text: str) -> str | None:
    """Return the one form of a host: small letters, ASCII, without a dot at its end; None if invalid."""
    if text.startswith("["):
        try:
            return f"[{IPv6Address(text[1:-1])}]"
        except ValueError:
            return None
    if not text.isascii():
        try:
            text = text.encode("idna").decode()
        except UnicodeError:
            return None
    return text.lower().removesuffix(".")


def _read_port(text: str | None, scheme: str) -> int | None:
    """Return the port in *text*, or the default of *scheme*; 0 if it is not valid."""
    if not text:
        return DEFAULT_PORTS.get(scheme)
    return int(text) if int(text) <= _LAST_PORT else 0


class OriginPattern:
    """Origins that an option admits, such as ``https://*.example.org`` or ``http://localhost:*``."""

    __slots__ = ("_any_port", "_below", "_origin")

    def __init__(self, text: str) -> None:
        """Admit what *text* says.

        Raises:
            ValueError: it is neither an origin nor a pattern.
        """
        self._any_port = text.endswith(":*")
        plain = text.removesuffix(":*")
        self._below = "://*" in plain
        if self._below:
            plain = plain.replace("://*.", "://", 1) if "://*." in plain else plain.removesuffix("*")
        origin = read_origin(plain)  # one of the web has a host, so that "https://*" is none
        # A dot that begins a host says "and below" elsewhere, and would match nothing here.
        if origin is None or "*" in plain or origin.host.startswith("."):
            raise ValueError(text)
        self._origin = origin

    def admits(self, origin: WebOrigin) -> bool:
        """Whether *origin* is one of these."""
        ours = self._origin
        if origin.scheme != ours.scheme or not (self._any_port or origin.port == ours.port):
            return False
        if not self._below:
            return origin.host == ours.host
        return not ours.host or origin.host.endswith("." + ours.host)


class HostPattern:
    """Names of hosts that an option admits, such as ``example.org`` or ``*.example.org``."""

    __slots__ = ("_below", "_host")

    def __init__(self, text: str) -> None:
        """Admit what *text* says.

        Raises:
            ValueError: it is neither a name, nor an address, nor a pattern.
        """
        self._below = text.startswith("*.")
        found = read_authority(text.removeprefix("*."))
        if text != EVERY and (
            found is None or found[1] is not None or "*" in found[0] or found[0].startswith(".")
        ):
            raise ValueError(text)
        self._host = EVERY if found is None else found[0]

    def admits(self, host: str) -> bool:
        """Whether *host*, in its one form, is one of these."""
        if self._host == EVERY:
            return True
        return host.endswith("." + self._host) if self._below else host == self._host


_LAST_PORT: Final = 65_535
_HOST: Final = r"\[[0-9A-Fa-f:.]{2,45}\]|[^\s/:@\[\]?#\\,;\"'<>]{0,253}\.?"
# RFC 3986, section 3.1. Other schemes than those of the web have hosts of their own, or none.
_ORIGIN: Final = re.compile(rf"([A-Za-z][A-Za-z0-9+.\-]{{0,63}})://({_HOST})(?::([0-9]{{1,5}}))?")
_AUTHORITY: Final = re.compile(rf"({_HOST})(?::([0-9]{{0,5}}))?")
