"""IP addresses that somebody else wrote down."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

# An IPv6 address has 45 characters at most; the zone after it (RFC 4007) is a name on the machine itself.
_MAX_LENGTH: Final = 64


def read_address(text: object) -> str | None:
    """Return the IP address that *text* is, in its usual spelling, or None if it is none.

    What a proxy forwards is whatever its client wrote: it must neither pass for an address in a log nor take
    memory for as long as a session lives.
    """
    if not isinstance(text, str) or len(text) > _MAX_LENGTH:
        return None
    try:
        return str(ip_address(text))
    except ValueError:
        return None
