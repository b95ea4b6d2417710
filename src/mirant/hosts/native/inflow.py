"""What comes on a connection, made into requests: in slices, and a few requests ahead at most."""

from __future__ import annotations

from typing import Final

from mirant.hosts.native.requests import RequestInvalid, RequestReader

# Bytes that are parsed at once: in the worst case, of requests without headers or chunks of one byte, that
# takes 2 ms. The rest of a larger read waits until the requests in them were begun.
_SLICE: Final = 8 * 1024

# Bytes of a body to the application that are read ahead.
_BODY_AHEAD: Final = 64 * 1024

# What the parser does in one step of a turn (`mirant.hosts.turns.STEPS`).
_WORK_PER_STEP: Final = 16

# How many requests are read ahead of the one that is being answered. It is not zero, because reading shows
# that a client has hung up. Browsers do not pipeline (RFC 9112, section 9.3.2), proxies rarely do.
_MAX_AHEAD: Final = 16


class Inflow:
    """What has come on one connection: bytes that are still to be parsed, and the requests before them."""

    __slots__ = ("_at", "_fed", "_reader", "_unread", "arrived", "invalid", "read_paused")

    def __init__(self) -> None:
        self._reader = RequestReader()
        self._fed = b""  # what the parser was given last, if that was one request and nothing else
        #: The requests that wait for their turn. The body of the last one may still be coming.
        self.arrived = self._reader.arrived
        self._unread = b""  # bytes that are parsed when there is room for more requests
        self._at = 0  # how many of them have been parsed
        #: Why the bytes after the last request are not HTTP. It is answered after all requests before.
        self.invalid: RequestInvalid | None = None
        #: Whether reading from the socket is paused because enough is unread.
        self.read_paused = False

    @property
    def in_head(self) -> bool:
        """Whether a request has begun whose head is not complete."""
        return self._reader.in_head

    @property
    def unfinished(self) -> bool:
        """Whether a request has begun that is not complete."""
        return self._reader.unfinished

    @property
    def unread(self) -> bytes:
        """The bytes that are still to be parsed."""
        return self._unread[self._at :]

    @property
    def has_unread(self) -> bool:
        """Whether there are bytes that are still to be parsed."""
        return bool(self._unread)

    @property
    def waiting(self) -> int:
        """How many bytes of an unfinished body wait to be taken."""
        return self._reader.waiting

    @property
    def has_more(self) -> bool:
        """Whether there is something to do after the request that is being answered."""
        return bool(self.arrived or self._unread or self.invalid)

    @property
    def wants_reading(self) -> bool:
        """Whether there is something to `read`, and room for what is in it."""
        arrived = self.arrived
        is_ahead = len(arrived) >= _MAX_AHEAD or (len(arrived) > 0 and arrived[-1].waiting > _BODY_AHEAD)
        return bool(self._unread) and self.invalid is None and not is_ahead

    def add(self, data: bytes) -> None:
        """Append *data*, which has come."""
        self._unread = self._unread[self._at :] + data if self._unread else data
        self._at = 0

    def read(self, *, alone: bool) -> int:
        """Parse a slice of what is unread; return how many steps that took.

        *alone* says that nothing is being answered.
        """
        data, end = self._unread, self._at + _SLICE
        is_whole = end >= len(data)
        begins = alone and is_whole and not (self._at or self.unfinished or self.arrived)
        part = data if is_whole and not self._at else data[self._at : end]
        self._unread, self._at = (b"", 0) if is_whole else (data, end)
        before = self._reader.work
        try:
            self._reader.feed(part)
        except RequestInvalid as invalid:
            self.invalid = invalid
        self._fed = data if begins and len(self.arrived) == 1 else b""
        return 1 + (self._reader.work - before) // _WORK_PER_STEP

    def take_fed(self) -> bytes:
        """Return the bytes of the request that was read last, if they came in one piece and alone."""
        fed, self._fed = self._fed, b""
        return fed

    def drop(self) -> None:
        """Forget what was not read, and the requests that were not begun."""
        self._unread, self._at, self.invalid = b"", 0, None
        self.arrived.clear()

    def close(self) -> None:
        """Drop the parser: it and its reader refer to each other."""
        self._reader.close()
