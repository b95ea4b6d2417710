"""What comes on a connection, made into requests: in slices, and a few requests ahead at most."""

from __future__ import annotations

from typing import Final

from mirant.hosts.native.requests import RequestInvalid, RequestReader

# Bytes that are parsed at once. The rest of a larger read waits until the requests in them were begun.
_SLICE: Final = 64 * 1024

# How many requests are read ahead of the one that is being answered. It is not zero, because reading shows
# that a client has hung up. Browsers do not pipeline (RFC 9112, section 9.3.2), proxies rarely do.
_MAX_AHEAD: Final = 16


class Inflow:
    """What has come on one connection: bytes that are still to be parsed, and the requests before them."""

    __slots__ = ("_fed", "_reader", "arrived", "invalid", "read_paused", "unread")

    def __init__(self) -> None:
        self._reader = RequestReader()
        self._fed = b""  # what the parser was given last, if that was one request and nothing else
        #: The requests that wait for their turn. The body of the last one may still be coming.
        self.arrived = self._reader.arrived
        #: Bytes that are parsed when there is room for more requests.
        self.unread = b""
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
    def has_more(self) -> bool:
        """Whether there is something to do after the request that is being answered."""
        return bool(self.arrived or self.unread or self.invalid)

    @property
    def wants_reading(self) -> bool:
        """Whether there is something to `read`, and room for what is in it."""
        arrived = self.arrived
        is_ahead = len(arrived) >= _MAX_AHEAD or (len(arrived) > 0 and arrived[-1].waiting > _SLICE)
        return bool(self.unread) and self.invalid is None and not is_ahead

    def add(self, data: bytes) -> None:
        """Append *data*, which has come."""
        self.unread = self.unread + data if self.unread else data

    def read(self, *, alone: bool) -> bool:
        """Parse a slice of what is unread; return whether it was HTTP.

        *alone* says that nothing is being answered.
        """
        data, self.unread = self.unread, b""
        if len(data) > _SLICE:
            data, self.unread = data[:_SLICE], data[_SLICE:]
        begins = alone and not (self.unread or self.unfinished or self.arrived)
        try:
            self._reader.feed(data)
        except RequestInvalid as invalid:
            self.invalid = invalid
        self._fed = data if begins and len(self.arrived) == 1 else b""
        return self.invalid is None

    def take_fed(self) -> bytes:
        """Return the bytes of the request that was read last, if they came in one piece and alone."""
        fed, self._fed = self._fed, b""
        return fed

    def drop(self) -> None:
        """Forget what was not read, and the requests that were not begun."""
        self.unread, self.invalid = b"", None
        self.arrived.clear()

    def close(self) -> None:
        """Drop the parser: it and its reader refer to each other."""
        self._reader.close()
