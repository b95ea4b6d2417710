"""Which browser identities may be of one browser, although no request ever presents two of them.

A client may send several requests before it has a cookie: two windows open at once, or a program with two
sessions. Each handshake is answered with an identity of its own, and the client keeps the one that came last.
A session that was bound to another would be lost. No request says that the two are one browser's. But as long
as nobody has presented an identity, its browser may not have it yet, and a handshake without one that comes
from the same address may be that browser's. So it is given an identity of the same family.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

# How long a family is open to others, in seconds: an answer is on its way for no longer.
OPEN_FOR: Final = 10.0

# How many families are open at once. The oldest are closed before their time.
_MAX_OPEN: Final = 10_000

# What one subscriber is given of the IPv6 addresses (RFC 6177).
_SITE: Final = 64


class Families:
    """The families that are open: nobody has presented an identity of theirs."""

    __slots__ = ("_open", "_places")

    def __init__(self) -> None:
        self._open: dict[str, tuple[str, float]] = {}  # by place: the family, and until when it is open
        self._places: dict[str, str] = {}  # by family

    def of(self, address: str | None, now: float) -> str | None:
        """Return the family that is open for requests from *address*."""
        family, until = self._open.get(place_of(address), (None, 0.0))
        return family if until > now else None

    def add(self, family: str, address: str | None, now: float) -> None:
        """Take note that an identity of *family* is on its way to *address*. It is open from the first on."""
        if family in self._places:
            return
        place = place_of(address)
        self._forget(self._open.get(place, ("", 0.0))[0])
        self._open[place] = (family, now + OPEN_FOR)
        self._places[family] = place
        if len(self._places) > _MAX_OPEN:
            self._forget(next(iter(self._places)))

    def presented(self, family: str) -> None:
        """Take note that an identity of *family* was presented: its browser sends it from now on."""
        if family in self._places:
            self._forget(family)

    def _forget(self, family: str) -> None:
        place = self._places.pop(family, None)
        if place is not None:
            del self._open[place]


def place_of(address: str | None) -> str:
    """Return what requests of one machine have in common, although their addresses may differ.

    This machine has several addresses; others are given a network of IPv6 addresses.
    """
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    if parsed.is_loopback:
        return "loopback"
    return str(ip_network((int(parsed), _SITE), strict=False)) if parsed.version == 6 else str(parsed)
