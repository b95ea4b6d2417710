"""What an application may choose about a client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ClientOptions:
    """How a client behaves. Times are seconds; the defaults are those of CometD's JavaScript client."""

    #: The Bayeux transports that the application has, the preferred one first; offered in handshakes.
    connection_types: tuple[str, ...] = ("websocket", "long-polling")
    #: How long a reply may take; for a connect, beyond the time that it is held.
    network_delay: float = 10.0
    #: How long a connect is held, until the server's advice says so.
    hold: float = 60.0
    #: After each failure in a row the wait grows by so much …
    backoff_step: float = 1.0
    #: … up to so much.
    backoff_limit: float = 60.0
    #: Returns a factor for each of these waits. None: they are exact.
    jitter: Callable[[], float] | None = None
    #: Whether to ask for CometD's acknowledge extension.
    ack: bool = False
    #: Further fields of handshakes, such as ``{"ext": {"token": …}}``.
    handshake_fields: Mapping[str, Any] = field(default_factory=dict)

    def handshake(self) -> dict[str, Any]:
        """Return the further fields of a handshake, the ack extension among them."""
        fields = dict(self.handshake_fields)
        if self.ack:
            fields["ext"] = {**fields.get("ext", {}), "ack": True}
        return fields
