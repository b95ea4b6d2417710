"""The transport, as far as the client knows it: whether it is open, and whether it was asked for."""

from __future__ import annotations

from enum import Enum

from mirant.client.events import TransportUnwanted, TransportWanted
from mirant.client.traffic import Traffic


class LinkState(Enum):
    """Whether a transport can carry anything."""

    CLOSED = "closed"
    OPENING = "opening"  # the client has asked for it
    OPEN = "open"


class TransportLink:
    """Asks for a transport, and asks to have it closed. Each is asked once."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._state = LinkState.CLOSED

    @property
    def is_open(self) -> bool:
        """Whether what is sent may arrive."""
        return self._state is LinkState.OPEN

    def want(self) -> None:
        """Ask for a transport."""
        if self._state is LinkState.CLOSED:
            self._state = LinkState.OPENING
            self._traffic.emit(TransportWanted())

    def opened(self) -> None:
        """Note that it is open, asked for or not."""
        self._state = LinkState.OPEN

    def lost(self) -> None:
        """Note that it is closed, or did not open."""
        self._state = LinkState.CLOSED

    def close(self, reason: str) -> None:
        """Ask to have it closed."""
        if self._state is not LinkState.CLOSED:
            self._state = LinkState.CLOSED
            self._traffic.emit(TransportUnwanted(reason))
