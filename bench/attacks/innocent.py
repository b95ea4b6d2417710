"""A client that does no harm: it publishes to itself at a steady pace, and times each message."""

from __future__ import annotations

import json
import time
from typing import Any, Final

from bench.attacks.attack import TEXT, Aim, frame

_CHANNEL: Final = "/innocent"
_PACE: Final = 0.02  # seconds between two messages
_MOST: Final = 20.0  # seconds after which a message counts as lost


class Innocent:
    """A session over WebSocket that is subscribed to its own channel."""

    def __init__(self, aim: Aim) -> None:
        self._connection = aim.upgrade()
        self._connection.settimeout(_MOST)
        self._buffer = b""
        self._id = ""
        self._id = self._ask({"channel": "/meta/handshake", "version": "1.0", **_TYPES})["clientId"]
        self._ask({"channel": "/meta/connect", "connectionType": "websocket", "advice": {"timeout": 0}})
        self._ask({"channel": "/meta/subscribe", "subscription": _CHANNEL})

    def publish_for(self, seconds: float) -> list[float]:
        """Publish for so many *seconds*; return how long each message took to come back, in seconds."""
        took: list[float] = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            took.append(self._publish(str(len(took))))
            time.sleep(_PACE)
        self._ask({"channel": "/meta/connect", "connectionType": "websocket", "advice": {"timeout": 0}})
        return took

    def _publish(self, number: str) -> float:
        began = time.monotonic()
        self._send({"channel": _CHANNEL, "data": number, "id": number})
        try:
            while not any(message.get("data") == number for message in self._receive()):
                pass
        except TimeoutError:
            return _MOST
        return time.monotonic() - began

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send a meta *message* and return its reply."""
        self._send(message)
        while True:
            for reply in self._receive():
                if reply["channel"] == message["channel"]:
                    return reply

    def _send(self, message: dict[str, Any]) -> None:
        named = {**message, "clientId": self._id} if self._id else message
        self._connection.sendall(frame(TEXT, json.dumps([named]).encode()))

    def _receive(self) -> list[dict[str, Any]]:
        """Return the messages of the next text frame. Pings are left unanswered: the client speaks anyway."""
        opcode = 0
        payload = b""
        while opcode != TEXT:
            opcode, size = (byte & 0x7F for byte in self._take(2))
            if size >= 126:
                size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
            payload, opcode = self._take(size), opcode & 0x0F
        messages: list[dict[str, Any]] = json.loads(payload)
        return messages

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            part = self._connection.recv(65536)
            if not part:
                raise ConnectionError("the server ended the connection of the innocent client")
            self._buffer += part
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


_TYPES: Final = {"supportedConnectionTypes": ["websocket"]}
