"""Who a client is, as far as it could be established."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Identity:
    """The result of an accepted handshake: a name, roles and whatever else was asserted of the client."""

    name: str
    roles: frozenset[str] = frozenset()
    claims: Mapping[str, object] = field(default_factory=dict)
    #: For how many seconds from when it was established it holds; None: as long as the session. When it
    #: runs out the session ends, unless the client presented a fresh credential with a /meta/connect.
    valid_for: float | None = None
    #: What tells its credential from others, without being one: a digest.
    fingerprint: bytes = field(default=b"", repr=False)
