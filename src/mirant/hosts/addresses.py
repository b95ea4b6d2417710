"""IP addresses in headers, which anybody can write."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

# An IPv6 address has at most 45 characters. The zone after it (RFC 4007) is the name of an interface.
_MAX_LENGTH: Final = 64


def read_address(text: object) -> str | None:
    """Return the IP address *text* in its usual spelling, or None if it is not one.

    A proxy may forward what its client wrote. Such a text must not stand for an address in a log, and must
    not take memory for as long as a session lives.
    """
    if not isinstance(text, str) or len(text) > _MAX_LENGTH:
        return None
    try:
        return str(ip_address(text))
    except ValueError:
        return None
