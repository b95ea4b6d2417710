"""Who a client is, as far as it could be established."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mirant.bus.veto import Veto


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


class CredentialRefused(Veto):
    """Raised by what authenticates clients: a credential is not accepted.

    Its text is for the client, as a `Veto`'s is.
    """

    def __init__(
        self,
        reason: str,
        *,
        event: str | None = None,
        facts: Mapping[str, object] | None = None,
        temporary: bool = False,
    ) -> None:
        """Refuse it for *reason*.

        Args:
            reason: what the client is told, in a word.
            event: the name of an event for the audit log, if the refusal is more than a client's mistake.
            facts: what that event tells.
            temporary: whether the same credential may be good a little later.
        """
        super().__init__(reason)
        self.event = event
        self.facts = facts or {}
        self.temporary = temporary
