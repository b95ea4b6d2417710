"""How much a peer has taken of what was written for it, as far as the kernel tells."""

from __future__ import annotations

import fcntl
import socket
import struct
from asyncio import Transport
from typing import Any, Final

#: Bytes that a peer has to take between two looks to be called busy. The kernel of a machine whose program
#: has stopped takes them too, but only until its buffers are full.
LEAST_TAKEN: Final = 4 * 1024

#: Bytes of a response from which on it is watched.
LARGE: Final = 16 * 1024

#: Bytes a second below which a client is not waited for. A phone at the edge of a cell has 20 KiB.
SLOWEST: Final = 16 * 1024

#: The most that one look prolongs a session, in seconds.
LONGEST: Final = 30.0

# Seconds after which a response is not asked about for the first time: its client was due long before.
_STALE: Final = 75.0

# ioctl(2), `SIOCOUTQ`: bytes in the send queue. tcp(7), `TCP_INFO`: in it, at byte 120, bytes acknowledged.
_OUTQ: Final = 0x5411
_BYTES_ACKED: Final = slice(120, 128)


def unsent(transport: Transport) -> int:
    """Return how many bytes written to *transport* the peer's kernel has not acknowledged."""
    waiting = transport.get_write_buffer_size()
    connection = transport.get_extra_info("socket")
    if connection is None or transport.is_closing():
        return waiting
    try:
        queued = fcntl.ioctl(connection.fileno(), _OUTQ, bytes(4))
    except OSError:  # not on this system
        return waiting
    return waiting + int(struct.unpack("i", queued)[0])


def taken(transport: Transport) -> int:
    """Return a number that grows by each byte that the peer takes; only differences mean something."""
    connection: Any = transport.get_extra_info("socket")
    if connection is not None and not transport.is_closing():
        try:
            info: bytes = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
        except (OSError, AttributeError):  # not on this system, or not over TCP
            info = b""
        if len(info) >= _BYTES_ACKED.stop:
            return int.from_bytes(info[_BYTES_ACKED], "little" if struct.pack("H", 1)[0] else "big")
    return -unsent(transport)


class PeerProgress:
    """Tells whether the peer of a connection that stays open moves what waits for it."""

    __slots__ = ("_mark", "_moved_at")

    def __init__(self) -> None:
        self._mark: int | None = None
        self._moved_at = 0.0

    def lasts(self, now: float, *, waits: bool, mark: int) -> float:
        """Return for how many seconds the peer may be busy; *mark* grows as it takes, or sends, something.

        *waits* says whether there is something to move. Who is looked at for the first time is believed.
        """
        if not waits:
            self._mark = None
            return 0.0
        # Where the kernel does not count, the mark falls when more is written. That ends if nothing is taken.
        if self._mark is None or mark < self._mark or mark - self._mark >= LEAST_TAKEN:
            self._mark, self._moved_at = mark, now
        return max(0.0, self._moved_at + LONGEST / 3 - now)


class Download:
    """A large response to a client that may take long to read it."""

    __slots__ = ("_began", "_looked_at", "_size", "_transport")

    def __init__(self, size: int, now: float, transport: Transport | None = None) -> None:
        """Watch a response of *size* bytes, written *now*, to *transport* if that is known."""
        self._began = now
        self._size = size
        self._transport = transport
        self._looked_at = 0  # bytes that were taken when we last looked

    def lasts(self, now: float) -> float:
        """Return for how many seconds after *now* the client may be busy with what it took lately.

        What the kernel's peer has taken may still be on its way to the client, through proxies.
        """
        transport, size = self._transport, self._size
        is_over = not self._looked_at and now - self._began > _STALE  # the client has come back long ago
        if is_over or (transport is not None and transport.is_closing()):
            return 0.0
        left = 0 if transport is None else min(unsent(transport), size)
        moved, self._looked_at = size - left - self._looked_at, size - left
        if moved < LEAST_TAKEN:
            return 0.0
        return min(max(moved / SLOWEST, LONGEST / 3 if left else 0.0), LONGEST)
