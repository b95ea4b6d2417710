"""The server's side of WebSocket framing (RFC 6455, section 5), without I/O: bytes in, messages out.

`FrameReader` turns bytes of a client into messages and control frames, and fails at the first byte that
cannot be part of a valid frame. `frame` makes the frames of the server.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Final

# Measured on 100 bytes: 0.3 µs here, 3.3 with one XOR of two large integers, 3.8 with bytes.translate.
try:
    from websockets.speedups import apply_mask
except ImportError:  # no compiled module for this platform
    from websockets.utils import apply_mask

# Section 5.2
CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

_FIN: Final = 0x80
_RESERVED: Final = 0x70
_MASKED: Final = 0x80
_FINAL_TEXT: Final = _FIN | TEXT
_SHORT: Final = 126  # lengths below it are in the second byte itself

# Section 7.4.1
PROTOCOL_ERROR: Final = 1002
INVALID_PAYLOAD: Final = 1007
TOO_BIG: Final = 1009

# Section 7.4.1, and what was registered with IANA since: 1012 to 1014.
_CODES: Final = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015)})
_PRIVATE_CODES: Final = range(3000, 5000)  # section 7.4.2

#: An opcode (`TEXT`, `BINARY`, `CLOSE`, `PING` or `PONG`) and its payload; a text is valid UTF-8.
Frame = tuple[int, bytes]

#: What stands for a whole frame after which its message goes on.
FRAGMENT: Final[Frame] = (CONTINUATION, b"")


class FrameInvalid(Exception):
    """The client broke the protocol; the connection is to be closed with `code` and `reason`."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.reason} (close code {self.code})"


class FrameReader:
    """Reads the frames of one client. Feed it bytes, then call `next` until it returns None.

    Who has to count what is read, fragments too, calls `next_frame` instead.
    """

    __slots__ = ("_at", "_buffer", "_max_size", "_message")

    def __init__(self, max_size: int) -> None:
        """Take messages of at most *max_size* bytes."""
        self._max_size = max_size
        self._buffer = b""
        self._at = 0  # bytes of the buffer that have been read
        # A message of which a part is still to come. Most messages arrive whole and need no such object.
        self._message: _Message | None = None

    def feed(self, data: bytes) -> None:
        """Append *data*. Between frames the buffer is shorter than a header and a control frame."""
        if self._buffer:
            self._buffer = self._buffer[self._at :] + data
            self._at = 0
        else:
            self._buffer = data

    @property
    def unfinished(self) -> bool:
        """Whether a message, or a frame, has begun that is not complete."""
        return self._message is not None or bool(self._buffer)

    @property
    def has_unread(self) -> bool:
        """Whether there are bytes of which no frame was made yet."""
        return self._at < len(self._buffer)

    @property
    def waiting(self) -> int:
        """How many bytes of an unfinished message have come."""
        return 0 if self._message is None else len(self._message.payload)

    def next(self) -> Frame | None:
        """Return the next message or control frame, or None if more bytes are needed for it.

        Raises:
            FrameInvalid: the client broke the protocol. Nothing can be read any more then.
        """
        while (event := self.next_frame()) is FRAGMENT:
            pass
        return event

    def next_frame(self) -> Frame | None:
        """Return the next message or control frame, None if more bytes are needed, or `FRAGMENT`.

        Raises:
            FrameInvalid: the client broke the protocol. Nothing can be read any more then.
        """
        message = self._message
        if message is None:
            # The most frequent case: a text in one frame that has come as a whole.
            buffer, at = self._buffer, self._at
            if len(buffer) >= at + 6 and buffer[at] == _FINAL_TEXT:
                end = at + 6 + buffer[at + 1] - _MASKED
                if at + 6 <= end < at + 6 + _SHORT and end <= len(buffer) and end - at - 6 <= self._max_size:
                    self._skip_to(end)
                    return TEXT, _checked(apply_mask(buffer[at + 6 : end], buffer[at + 2 : at + 6]))
        while True:
            if message is not None and message.missing:
                if not self._buffer:
                    return None
                self._skip_to(self._at + message.fill(memoryview(self._buffer)[self._at :]))
            else:
                header = self._header()
                if header is None:
                    return None
                opcode, start, size = header
                if opcode & 0x8:
                    return self._control(opcode, start, size)
                message = self._begin(opcode, start, size)
            if not message.missing:
                if not message.final:
                    return FRAGMENT
                self._message = None
                return message.opcode, message.whole()

    def _header(self) -> tuple[int, int, int] | None:
        """Return the opcode of the frame that begins here, where its mask begins, and its payload's size."""
        buffer, at = self._buffer, self._at
        if len(buffer) < at + 2:
            return None
        first, second = buffer[at], buffer[at + 1]
        opcode, size = first & 0x0F, second & 0x7F
        self._check_bits(first, opcode, size)
        # Section 5.1: a server MUST close the connection upon receiving a frame that is not masked.
        if not second & _MASKED:
            raise FrameInvalid(PROTOCOL_ERROR, "a frame is not masked")
        at += 2
        if size >= _SHORT:
            width = 2 if size == _SHORT else 8
            if len(buffer) < at + width:
                return None
            size = int.from_bytes(buffer[at : at + width], "big")
            at += width
            # Section 5.2: of a length in 64 bits, the most significant one MUST be 0.
            if size >> 63:
                raise FrameInvalid(PROTOCOL_ERROR, "the first bit of a frame's length is set")
        self._check_size(opcode, size)
        return (opcode, at, size) if len(buffer) >= at + 4 else None

    def _check_bits(self, first: int, opcode: int, size: int) -> None:
        # Section 5.2: RSV1 to RSV3 MUST be 0 unless an extension was negotiated, and none ever is.
        if first & _RESERVED:
            raise FrameInvalid(PROTOCOL_ERROR, "a reserved bit is set")
        if opcode not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
            raise FrameInvalid(PROTOCOL_ERROR, f"the opcode {opcode:#x} is reserved")
        # Section 5.5: control frames have at most 125 bytes, and MUST NOT be fragmented.
        if opcode & 0x8:
            if size >= _SHORT or not first & _FIN:
                raise FrameInvalid(PROTOCOL_ERROR, "a control frame is fragmented or has more than 125 bytes")
        # Section 5.4: fragments of one message are not mixed with another's.
        elif (opcode == CONTINUATION) != (self._message is not None):
            problem = "continues nothing" if opcode == CONTINUATION else "cuts into a fragmented message"
            raise FrameInvalid(PROTOCOL_ERROR, f"a frame {problem}")

    def _check_size(self, opcode: int, size: int) -> None:
        before = len(self._message.payload) if self._message is not None else 0
        if not opcode & 0x8 and before + size > self._max_size:
            raise FrameInvalid(TOO_BIG, f"a message is longer than {self._max_size} bytes")

    def _begin(self, opcode: int, mask_at: int, size: int) -> _Message:
        """Begin to read a data frame, of a new message or of the one that is being read."""
        message = self._message
        if message is None:
            message = self._message = _Message(opcode)
        message.final = self._buffer[self._at] >= _FIN
        message.missing = size
        message.mask = self._buffer[mask_at : mask_at + 4]
        self._skip_to(mask_at + 4)
        return message

    def _control(self, opcode: int, mask_at: int, size: int) -> Frame | None:
        end = mask_at + 4 + size
        if len(self._buffer) < end:
            return None
        payload = apply_mask(self._buffer[mask_at + 4 : end], self._buffer[mask_at : mask_at + 4])
        self._skip_to(end)
        if opcode == CLOSE:
            _check_close(payload)
        return opcode, payload

    def _skip_to(self, end: int) -> None:
        if end == len(self._buffer):
            self._buffer, self._at = b"", 0
        else:
            self._at = end


class _Message:
    """A message that comes in several frames, or in several reads."""

    __slots__ = ("_check", "final", "mask", "missing", "opcode", "payload")

    def __init__(self, opcode: int) -> None:
        self.opcode = opcode
        self.payload = bytearray()  # not a list: a client may send a million fragments of one byte
        self.final = False  # whether the frame being read is the last
        self.missing = 0  # bytes of that frame that are still to come
        self.mask = b""
        self._check: Callable[[bytes, bool], object] | None = (
            codecs.getincrementaldecoder("utf-8")().decode if opcode == TEXT else None
        )

    def fill(self, data: memoryview) -> int:
        """Take the bytes of the frame from the beginning of *data*; return how many they were."""
        part = apply_mask(data[: self.missing], self.mask)
        taken = len(part)
        self.missing -= taken
        turn = taken % 4
        self.mask = self.mask[turn:] + self.mask[:turn]
        self.payload += part
        self._check_text(part, final=self.final and not self.missing)
        return taken

    def whole(self) -> bytes:
        """Return the complete message."""
        self._check_text(b"", final=True)  # an empty last frame never passes `fill`
        return bytes(self.payload)

    def _check_text(self, part: bytes, *, final: bool) -> None:
        # Section 8.1: text that is not UTF-8 fails the connection. It is checked as it comes.
        if self._check is not None:
            try:
                self._check(part, final)
            except UnicodeDecodeError:
                raise FrameInvalid(INVALID_PAYLOAD, "a text is not UTF-8") from None


def _checked(text: bytes) -> bytes:
    try:
        str(text, "utf-8")
    except UnicodeDecodeError:
        raise FrameInvalid(INVALID_PAYLOAD, "a text is not UTF-8") from None
    return text


def _check_close(payload: bytes) -> None:
    # Section 5.5.1: if there is a body, its first two bytes MUST be a code, and the rest UTF-8.
    if not payload:
        return
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or (code not in _CODES and code not in _PRIVATE_CODES):
        raise FrameInvalid(PROTOCOL_ERROR, "a close frame has no valid code")
    _checked(payload[2:])


# --- What a server sends: never masked (section 5.1), never fragmented ---


def frame(opcode: int, payload: bytes) -> bytes:
    """Return the one frame of a message, or a control frame, whose payload has at most 125 bytes."""
    size = len(payload)
    if size < _SHORT:
        return b"%c%c%b" % (_FIN | opcode, size, payload)
    if size < 0x10000:
        return b"%c\x7e%b%b" % (_FIN | opcode, size.to_bytes(2, "big"), payload)
    return b"%c\x7f%b%b" % (_FIN | opcode, size.to_bytes(8, "big"), payload)


def close_payload(code: int, reason: str) -> bytes:
    """Return the payload of a close frame; *reason* has at most 123 bytes (section 5.5.1)."""
    return code.to_bytes(2, "big") + reason.encode()
