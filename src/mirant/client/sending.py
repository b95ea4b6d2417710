"""The bodies to send: which messages travel together, and which alone."""

from __future__ import annotations

import msgspec


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """Messages that travel together: one HTTP request, or one WebSocket message."""

    #: JSON objects.
    messages: tuple[bytes, ...]
    #: Their ids.
    ids: tuple[str, ...]
    #: What CometD's clients append to the URL of an HTTP request: ``/handshake``, ``/connect``, … or nothing.
    path: str = ""

    @property
    def body(self) -> bytes:
        """The messages as one JSON array."""
        return b"[%b]" % b",".join(self.messages)

    @property
    def is_connect(self) -> bool:
        """Whether the server may hold its answer. Over HTTP it then needs a connection of its own."""
        return self.path == "/connect"


class SendQueue:
    """Messages in the order in which they are to be sent.

    A handshake travels alone, because the reference server refuses it in company. A connect travels alone,
    because replies to its company would be held with it. Everything else that is sent at one time travels
    together.
    """

    def __init__(self) -> None:
        self._ready: list[Envelope] = []
        self._messages: list[bytes] = []
        self._ids: list[str] = []

    def add(self, message_id: str, message: bytes) -> None:
        """Send *message* with others."""
        self._ids.append(message_id)
        self._messages.append(message)

    def add_alone(self, message_id: str, message: bytes, path: str) -> None:
        """Send *message* in a body of its own."""
        if self._messages:
            self._close()
        self._ready.append(Envelope((message,), (message_id,), path))

    def take(self) -> list[Envelope]:
        """Return all that is to be sent, and forget it."""
        if self._messages:
            self._close()
        taken, self._ready = self._ready, []
        return taken

    def clear(self) -> None:
        """Send none of it."""
        self._ready.clear()
        self._messages.clear()
        self._ids.clear()

    def _close(self) -> None:
        self._ready.append(Envelope(tuple(self._messages), tuple(self._ids)))
        self._messages.clear()
        self._ids.clear()
