"""Which names the bus answers to: the Host of a request is checked before anything else.

A page can let its own name point at another machine's address, or at the browser's own (DNS rebinding). Its
requests are then of the same origin for the browser, and reach a bus that only this machine can reach. Only
their Host tells: it is the page's name.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from ipaddress import ip_address

from mirant.bus.request import Request
from mirant.options.origins import HostPattern, read_authority
from mirant.policy.origin import first_of


class HostFault(Enum):
    """What is wrong with the Host of a request."""

    INVALID = "it is missing, invalid, or there are two"
    FOREIGN = "it is another's name"


class HostNames:
    """The names that are ours."""

    __slots__ = ("_only_local", "_patterns")

    def __init__(self, allowed: Collection[str], *, only_local: bool = False) -> None:
        """Answer to *allowed* names and patterns; without any to every name.

        With *only_local* only this machine can reach the bus. Then names of this machine are ours, and
        without *allowed* no others are.
        """
        self._only_local = only_local
        self._patterns = [HostPattern(text) for text in allowed]

    def fault(self, request: Request) -> HostFault | None:
        """Return what is wrong with the Host of *request*; None if the bus may answer it."""
        host = request.headers.get("host")
        if host is None or not host.strip():
            # RFC 9112, section 3.2: HTTP/1.1 demands it. Browsers always send it, health checks may not.
            return HostFault.INVALID if request.version == "1.1" else None
        authority = None if "host" in request.repeated else read_authority(host.strip())
        if authority is None:
            return HostFault.INVALID
        return None if self._is_ours(authority[0], request) else HostFault.FOREIGN

    def _is_ours(self, name: str, request: Request) -> bool:
        if not self._patterns:
            return not self._only_local or is_loopback_name(name)
        if not self._admits(name):
            return False
        # A proxy that changes Host says here what it was. Without names nobody could tell which are ours.
        forwarded = request.headers.get("x-forwarded-host") if request.by_proxy else None
        authority = None if forwarded is None else read_authority(first_of(forwarded))
        return forwarded is None or (authority is not None and self._admits(authority[0]))

    def _admits(self, name: str) -> bool:
        if self._only_local and is_loopback_name(name):
            return True
        return any(pattern.admits(name) for pattern in self._patterns)


def is_loopback_name(name: str) -> bool:
    """Whether *name*, in its one form, always means this machine (RFC 6761, section 6.3)."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return is_loopback_address(name.strip("[]"))


def is_loopback_address(text: str) -> bool:
    """Whether *text* is an address that only this machine can reach."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
