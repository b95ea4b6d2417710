"""WebSocket frames as a client sees them (RFC 6455, section 5), for a generator that must be cheap.

Without compression a frame is little more than a length before a message. The `websockets` library would
double what a delivery costs. picows costs more too: 10 µs of CPU for a delivery against 9, most of which is
the kernel's.
"""

from __future__ import annotations

import base64
import hashlib
import os
from typing import Final

TEXT: Final = 0x1
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

WHOLE_TEXT: Final = 0x80 | TEXT  # the first byte of most frames: final, text

# A server that gathers deliveries sends some 32 KiB, or more when it catches up. This only stops nonsense.
_LONGEST: Final = 64 * 1024 * 1024

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3


class ServerFrameInvalid(ValueError):
    """The server sent what is not a WebSocket frame, or a frame that a server may not send."""


def split(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Return the complete frames in *data*, as (first byte, payload), and the rest.

    Raises:
        ServerFrameInvalid: a frame is masked, which servers must not do (section 5.1), or too long.
    """
    start, end = 0, len(data)
    # Most reads are one whole frame of 126 to 65,535 bytes, with one delivery or a few.
    if end > 4 and data[1] == 126 and end == 4 + (data[2] << 8) + data[3]:
        return [(data[0], data[4:])], b""
    frames = []
    while end - start >= 2:
        length, body = data[start + 1], start + 2
        if length >= 126:
            if length > 127:
                raise ServerFrameInvalid("the server masks its frames")
            body += 2 if length == 126 else 8
            if body > end:
                break
            length = int.from_bytes(data[start + 2 : body], "big")
            if length > _LONGEST:
                raise ServerFrameInvalid(f"a frame of {length} bytes")
        if body + length > end:
            break
        frames.append((data[start], data[body : body + length]))
        start = body + length
    return frames, data[start:]


class Assembler:
    """Puts fragmented messages together (section 5.4)."""

    def __init__(self) -> None:
        self._parts: list[bytes] | None = None

    def add(self, first: int, payload: bytes) -> bytes | None:
        """Return the message that this data frame completes, if it does.

        Raises:
            ServerFrameInvalid: the frame is out of place, compressed, or not text.
        """
        opcode = first & 0x0F
        if first & 0x70 or opcode not in (0, TEXT) or (opcode == 0) == (self._parts is None):
            raise ServerFrameInvalid(f"a frame that begins with {first:#04x} out of place")
        parts = [] if self._parts is None else self._parts
        parts.append(payload)
        if first & 0x80:
            self._parts = None
            return b"".join(parts)
        self._parts = parts
        return None


def frame(opcode: int, payload: bytes) -> bytes:
    """Return a whole frame with *payload*, masked as a client's must be (section 5.3)."""
    length = len(payload)
    if length < 126:
        head = bytes((0x80 | opcode, 0x80 | length))
    elif length < 65_536:
        head = bytes((0x80 | opcode, 0x80 | 126)) + length.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0x80 | 127)) + length.to_bytes(8, "big")
    mask = os.urandom(4)
    key = (mask * (length // 4 + 1))[:length]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")
    return head + mask + masked.to_bytes(length, "big")


def new_key() -> str:
    """Return a Sec-WebSocket-Key (section 4.1)."""
    return base64.b64encode(os.urandom(16)).decode("ascii")


def accept_of(key: str) -> str:
    """Return the Sec-WebSocket-Accept that answers *key* (section 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key.encode("ascii") + _GUID).digest()).decode("ascii")


def upgrade_fault(head: bytes, key: str) -> str | None:
    """Say what is wrong with the answer to an upgrade request (section 4.1); None if it is accepted."""
    status, *lines = head.decode("latin-1").split("\r\n")
    if status.split(" ")[1:2] != ["101"]:
        return f"no WebSocket there: the server answered {status[:60]!r}"
    fields = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    if fields.get("sec-websocket-accept") != accept_of(key):
        return "the server's Sec-WebSocket-Accept does not answer our key"
    if fields.get("sec-websocket-extensions"):
        return "the server wants a WebSocket extension that was not offered"
    return None
