"""What comes on a connection, made into requests: in slices, and no further ahead than is of use."""

from __future__ import annotations

from typing import Final

from mirant.hosts.native.requests import RequestInvalid, RequestReader

# How much is parsed at once: the rest of a larger read waits until what was in it has been looked at.
_SLICE: Final = 64 * 1024

# How many requests are read ahead of the one that is being answered. Reading on is how we learn that the
# client has hung up, so it is not none; browsers do not pipeline, proxies rarely.
_MAX_AHEAD: Final = 16


class Inflow:
    """The bytes of one connection that are to be read, and the requests in them that were."""

    __slots__ = ("_fed", "_reader", "arrived", "holding", "invalid", "unread")

    def __init__(self) -> None:
        self._reader = RequestReader()
        self._fed = b""  # what the parser was given last, if that was one request and nothing else
        #: The requests that wait for their turn. The body of the last one may still be coming.
        self.arrived = self._reader.arrived
        #: What is parsed when there is room for more requests.
        self.unread = b""
        #: What is no request, to be answered when all before it has been.
        self.invalid: RequestInvalid | None = None
        #: Whether nothing is to be read from the socket for now.
        self.holding = False

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
        """Take note that *data* has come."""
        self.unread = self.unread + data if self.unread else data

    def read(self, *, alone: bool) -> bool:
        """Read a slice of what is unread; return whether it made sense.

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
        """Let go of the parser, which holds on to its reader."""
        self._reader.close()
