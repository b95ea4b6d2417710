"""Advice: what a server tells a client about when and how to come back (Bayeux 1.0, section 5.6)."""

from __future__ import annotations

from typing import Final, Literal

import msgspec


class Advice(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The ``advice`` field. Times are milliseconds, as on the wire. A field that is None is not sent."""

    reconnect: Literal["retry", "handshake", "none"] | None = None
    interval: int | None = None
    timeout: int | None = None
    multiple_clients: bool | None = msgspec.field(name="multiple-clients", default=None)
    max_interval: int | None = msgspec.field(name="maxInterval", default=None)


#: Sent with 402: handshake again, now. Without it no client recovers.
HANDSHAKE_NOW: Final = Advice(reconnect="handshake", interval=0)

#: Sent when there is nothing to come back to.
GO_AWAY: Final = Advice(reconnect="none")

#: Sent when the server is at fault, not the client: handshake again in a while.
TRY_LATER: Final = Advice(reconnect="handshake", interval=10_000)


class RequestAdvice(msgspec.Struct, frozen=True):
    """The advice a *client* may give in a /meta/connect, for that one request. Milliseconds."""

    timeout: int | float | None = None
    interval: int | float | None = None
