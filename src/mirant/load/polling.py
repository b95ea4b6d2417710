"""The long-polling transport: POSTs over two connections of a client, one of them for held connects."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, cast

import httptools

from mirant.load.client import LoadClient
from mirant.load.clock import now_us
from mirant.load.intake import Intake
from mirant.load.target import Target

# Servers close idle connections, uvicorn and Node.js after 5 s. A request that is sent at that moment is
# lost, so the client closes the connection first.
_IDLE_LIMIT: Final = 3.0  # seconds


class PollingTransport:
    """Carries a client over HTTP/1.1. A request that fails takes both connections with it."""

    def __init__(
        self, client: LoadClient, target: Target, intake: Intake, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.client = client
        self._intake = intake
        self._loop = loop
        self._is_open = False
        self._cookies: dict[str, str] = {}
        self.cookie_line = b""  # the Cookie field that the client sends, with its end; empty for none
        self._polling = _Line(self, target, loop)
        self._sending = _Line(self, target, loop)
        self._queue: list[bytes] = []

    @property
    def is_open(self) -> bool:
        """Whether requests may be made. Connections are opened when they are needed."""
        return self._is_open

    def open(self) -> None:
        """Be ready for requests, and tell the client."""
        self._is_open = True
        self.client.opened()

    def send(self, batch: Sequence[bytes]) -> None:
        """Send messages in one request. It waits for the answer to the one before, to keep their order."""
        self._queue.extend(batch)
        self._send_queue()

    def send_connect(self, message: bytes) -> None:
        """Send a /meta/connect on the connection for connects."""
        self._polling.post(b"[" + message + b"]")

    def close(self, reason: str = "") -> None:
        """Close both connections. Requests under way are lost."""
        self._is_open = False
        self._queue.clear()
        self._polling.close()
        self._sending.close()
        if reason:
            self.client.lost(reason)

    def set_cookie(self, field: str) -> None:
        """Keep the cookie of a Set-Cookie field. All requests go to one URL, so its path does not matter."""
        name, _, value = field.partition(";")[0].partition("=")
        self._cookies[name.strip()] = value.strip()
        fields = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        self.cookie_line = f"Cookie: {fields}\r\n".encode("latin-1")

    def answered(self, body: bytes) -> None:
        """Take the answer to a request."""
        for reply in self._intake.take(self.client.number, body, now_us()):
            self.client.handle(reply)
        self._send_queue()

    def _send_queue(self) -> None:
        if self._queue and self._is_open and not self._sending.is_busy:
            body = b"[" + b",".join(self._queue) + b"]"
            self._queue.clear()
            self._sending.post(body)


@lru_cache(maxsize=1024)
def length_after(head: bytes) -> int | None:
    """Return the length of the body after *head*, if nothing else in the head matters; else None.

    Heads differ in the date and the length only, so most are in the cache. An answer costs 0.4 µs this way,
    and 1.3 µs when it is parsed.
    """
    fields = [line.partition(b":") for line in head.lower().split(b"\r\n")[1:-2]]
    values = {name: value.strip() for name, _, value in fields}
    length = values.get(b"content-length", b"")
    heeded = values.keys() & {b"set-cookie", b"transfer-encoding"} or len(values) < len(fields)
    if heeded or values.get(b"connection", b"keep-alive") != b"keep-alive" or not length.isdigit():
        return None
    return int(length) if head.startswith(b"HTTP/1.1 200 ") else None


class _Line:
    """One connection at a time, with one request on it at a time."""

    def __init__(self, owner: PollingTransport, target: Target, loop: asyncio.AbstractEventLoop) -> None:
        self.is_busy = False
        self._owner = owner
        self._target = target
        self._loop = loop
        self._connection: _Connection | None = None
        self._opening: asyncio.Task[None] | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._head = target.head("POST", ("Content-Type", "application/json"))

    def post(self, body: bytes) -> None:
        self.is_busy = True
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        cookie = self._owner.cookie_line
        request = b"%bContent-Length: %d\r\n%b\r\n%b" % (self._head, len(body), cookie, body)
        if self._connection is not None:
            self._connection.write(request)
        else:
            self._opening = self._loop.create_task(self._open(request))

    async def _open(self, request: bytes) -> None:
        target = self._target
        connection = _Connection(self)
        try:
            await self._loop.create_connection(lambda: connection, target.host, target.port, ssl=target.tls)
        except (OSError, ValueError) as error:
            self._owner.close(f"cannot connect: {error}")
        else:
            self._connection = connection
            connection.write(request)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        self.is_busy = False
        if self._idle is not None:
            self._idle.cancel()
        if self._opening is not None and self._opening is not asyncio.current_task(self._loop):
            self._opening.cancel()
        if connection is not None:
            connection.close()

    def answered(self, connection: _Connection, status: int, body: bytes) -> None:
        if connection is not self._connection:
            return
        if status != 200:
            self._owner.close(f"the server answered HTTP {status}")
            return
        self.is_busy = False
        if not connection.is_kept:
            self.close()
        self._owner.answered(body)
        if not self.is_busy and self._connection is not None:
            self._idle = self._loop.call_later(_IDLE_LIMIT, self.close)

    def set_cookie(self, field: str) -> None:
        self._owner.set_cookie(field)

    def lost(self, connection: _Connection, reason: str) -> None:
        if connection is not self._connection:
            return
        self._connection = None
        if self.is_busy:
            self._owner.close(reason)


class _Connection(asyncio.Protocol):
    """Reads answers; httptools calls the methods that begin with ``on_``."""

    def __init__(self, line: _Line) -> None:
        self.is_kept = True
        self._line = line
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._is_complete = False
        self._is_between = True  # whether the next bytes begin an answer

    def write(self, request: bytes) -> None:
        if self._transport is not None:
            self._transport.write(request)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not a subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        reason = f"a connection broke: {error}" if error else "the server closed a connection"
        self._line.lost(self, reason)

    def data_received(self, data: bytes) -> None:
        if self._is_between:
            end = data.find(b"\r\n\r\n") + 4
            if length_after(data[:end]) == len(data) - end:
                self._line.answered(self, 200, data[end:])
                return
        self._is_between = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._line.lost(self, f"not HTTP: {error}")
            self.close()
            return
        # Outside the parser, which would take an exception of ours for its own.
        if self._is_complete:
            self._is_complete = False
            self._is_between = True
            body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
            self._body.clear()
            self._line.answered(self, self._parser.get_status_code(), body)

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(name) == 10 and name.lower() == b"set-cookie":
            self._line.set_cookie(value.decode("latin-1"))

    def on_body(self, part: bytes) -> None:
        self._body.append(part)

    def on_headers_complete(self) -> None:
        # The parser forgets this after the callback.
        self.is_kept = self._parser.should_keep_alive()

    def on_message_complete(self) -> None:
        self._is_complete = True
