"""What is known of the HTTP request that a client's messages came with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

#: The `Request.peer` of a connection to a Unix socket: the file's mode decided who may open it.
UNIX: Final = "unix"


@dataclass(frozen=True, slots=True)
class Request:
    """The HTTP request that a carrier began with. Header names are lower case."""

    headers: Mapping[str, str] = field(default_factory=dict)
    address: str | None = None  # the client's IP address, as far as it is known: a proxy may have said it
    # The IP address at the other end of the connection (a proxy's if there is one), or `UNIX`. What a client
    # may do because of its address depends on who named that address.
    peer: str | None = None
    repeated: frozenset[str] = frozenset()  # names of headers that came more than once, and were joined
    secure: bool = False  # came over TLS
    multiplexed: bool = False  # HTTP/2 or later: requests do not use up the browser's connections
    version: str = "1.1"  # of HTTP
    anonymous: bool = False  # of a page that is let in without credentials: it is given no cookie either
    by_proxy: bool = False  # came from a proxy that is trusted to say what its client sent
    query: str = ""  # what followed the "?" in the address, still percent-encoded
