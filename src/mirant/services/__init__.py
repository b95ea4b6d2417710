"""Where an application's functions meet the bus: decorators, and the values that functions are given."""

from mirant.services.function import Caller, Handshake, RemoteError
from mirant.services.outgoing import broadcast_channel, deliverable_channel, delivery_of, filtered
from mirant.services.registry import Services

__all__ = [
    "Caller",
    "Handshake",
    "RemoteError",
    "Services",
    "broadcast_channel",
    "deliverable_channel",
    "delivery_of",
    "filtered",
]
