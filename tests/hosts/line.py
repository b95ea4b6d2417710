"""Connections to the native host without sockets: a test says what happens in which turn of the loop."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from mirant import Bus, Settings
from mirant.hosts.asgi.scope import AsgiApplication
from mirant.hosts.native.deadlines import ConnectionLimits
from mirant.hosts.native.server import NativeHost
from mirant.hosts.native.websocket import NativeWebSocket
from tests.hosts.clock import settle
from tests.hosts.wire import post

NEVER = 86_400.0

#: What of asyncio's buffers a peer that takes nothing fills before the protocol is told to pause.
HIGH_WATER = 64 * 1024

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455, section 1.3


class Line(asyncio.Transport):
    """A connection without a socket, and the peer at its other end.

    It keeps what was written until the test takes it. It behaves as asyncio's: it calls the protocol when
    the buffer is full or empty again, and ends in a turn of the event loop of its own.
    """

    def __init__(self, *, address: str = "127.0.0.1") -> None:
        super().__init__({"peername": (address, 1)})
        self.written = b""
        self.closing = False
        self.reading = True
        self.dropped = asyncio.Event()
        self.protocol: Any = None
        #: Whether the server has said that it sends no more.
        self.ended = False
        #: How much the peer has not taken yet; it grows only while the peer is `stuck`.
        self.unsent = 0
        self.stuck = False
        self._high = HIGH_WATER
        self._low = HIGH_WATER // 4
        self._paused = False
        self._incoming = b""
        self._lost = False

    # --- The transport ---

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.ended, "write() after write_eof() raises"
        if self._lost:
            return
        self.written += data
        if self.stuck:
            self.unsent += len(data)
            if self.unsent > self._high and not self._paused:
                self._paused = True
                self.protocol.pause_writing()

    def write_eof(self) -> None:
        self.ended = True

    def can_write_eof(self) -> bool:
        return True

    def is_closing(self) -> bool:
        return self.closing

    def is_reading(self) -> bool:
        return self.reading and not self.closing

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol  # type: ignore[no-any-return]  # a test looks inside

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = HIGH_WATER if high is None else high
        self._low = self._high // 4 if low is None else low

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        if not self.reading and not self.closing:
            self.reading = True
            asyncio.get_running_loop().call_soon(self._receive)

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            if not self.unsent:
                self._lose()

    def abort(self) -> None:
        self.closing = True
        self.dropped.set()
        self._lose()

    def _lose(self, error: Exception | None = None) -> None:
        """Call ``connection_lost`` in the next turn of the event loop, once."""
        if not self._lost:
            self._lost = True
            asyncio.get_running_loop().call_soon(self.lose, error)

    def lose(self, error: Exception | None = None) -> None:
        """Be gone."""
        self.protocol.connection_lost(error)

    # --- The peer ---

    def send(self, data: bytes) -> None:
        """Let *data* arrive, if the server reads: else it does when the server reads again."""
        self._incoming += data
        self._receive()

    def _receive(self) -> None:
        if self.reading and not self.closing and self._incoming:
            data, self._incoming = self._incoming, b""
            self.protocol.data_received(data)

    def end(self) -> None:
        """Say that nothing more comes."""
        if not self.protocol.eof_received():
            self.close()

    def hang_up(self) -> None:
        """Go, as an event loop tells of it: of the end of the input at once, of the rest in its next turn."""
        if not self.protocol.eof_received():
            self.closing = True
            self._lose()

    def reset(self) -> None:
        """Go, as an event loop tells of a connection that was reset."""
        self.closing = True
        self._lose(ConnectionResetError())

    def take(self, size: int | None = None) -> bytes:
        """Read *size* bytes of what was written since the last time, or all of it."""
        size = len(self.written) if size is None else size
        taken, self.written = self.written[:size], self.written[size:]
        self.unsent = max(0, self.unsent - size)
        if self._paused and self.unsent <= self._low:
            self._paused = False
            self.protocol.resume_writing()
        if self.closing and not self.unsent:
            self._lose()
        return taken

    async def head(self) -> bytes:
        """Read the head of one response."""
        await self._until(lambda: b"\r\n\r\n" in self.written)
        return self.take(self.written.index(b"\r\n\r\n") + 4)

    async def response(self) -> tuple[int, dict[str, str], bytes]:
        """Read one response: its status, its headers and its body."""
        await self._until(lambda: b"\r\n\r\n" in self.written)
        head, _, _ = self.written.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        size = len(head) + 4 + int(headers.get("content-length", "0"))
        await self._until(lambda: len(self.written) >= size)
        return int(first.split()[1]), headers, self.take(size)[len(head) + 4 :]

    async def ask(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send *request* and read the response."""
        self.send(request)
        return await self.response()

    async def messages(self) -> Any:
        """Read one response and return the messages in it."""
        status, _, body = await self.response()
        assert status == 200, body
        return json.loads(body)

    async def rest(self) -> bytes:
        """Read what is left, and see that the server has ended the connection."""
        await settle()
        assert self.closing or self.ended, self.written
        return self.take()

    async def _until(self, there: Callable[[], bool]) -> None:
        for _ in range(1_000):
            if there():
                return
            await asyncio.sleep(0)
        raise AssertionError(f"this is all that was written: {self.written[-500:]!r}")


class Site:
    """A native host, with a bus at /cometd and perhaps an application beside it, and connections to it."""

    def __init__(
        self,
        app: AsgiApplication | None = None,
        limits: ConnectionLimits | None = None,
        *,
        bus: Bus | None = None,
        websocket: type[NativeWebSocket] = NativeWebSocket,
    ) -> None:
        self.bus = bus or Bus(settings=Settings(timeout=NEVER, max_interval=NEVER))
        config = uvicorn.Config(
            self.bus if app is None else self.bus.mount(app), lifespan="off", access_log=False
        )
        config.load()
        self.state = ServerState()
        self._arguments: tuple[Any, ...] = (config, self.state, {})
        self._host = NativeHost(
            self.bus.loop, "/cometd", routes=self.bus.routes, limits=limits, websocket=websocket
        )
        self.id = ""

    def connect(self) -> Line:
        """Open a connection."""
        line = Line()
        line.protocol = self._host(*self._arguments)
        line.protocol.connection_made(line)
        return line

    async def ask(self, line: Line, channel: str, *headers: str, **fields: object) -> bytes:
        """Send one message as the body of a POST with *headers*; return what is written then."""
        message = {"channel": channel, "clientId": self.id, "id": "1", **fields}
        line.send(post(json.dumps([message]).encode(), "/cometd", *headers))
        await settle()
        return line.take()

    async def enter(self, line: Line, *headers: str) -> None:
        """Shake hands on *line* with *headers*, subscribe to /a and connect."""
        found = re.search(rb'"clientId":"(\w+)"', await self.ask(line, "/meta/handshake", *headers))
        assert found is not None
        self.id = found[1].decode()
        await self.ask(line, "/meta/subscribe", subscription="/a")
        await self.poll(line)

    async def poll(self, line: Line, *headers: str) -> bytes:
        """Send a /meta/connect with *headers*."""
        return await self.ask(line, "/meta/connect", *headers, connectionType="long-polling")

    async def upgrade(self, line: Line) -> None:
        """Let *line* become a WebSocket, and the session move to it."""
        line.send(upgrade_request())
        message = [
            {"channel": "/meta/connect", "clientId": self.id, "connectionType": "websocket", "id": "2"}
        ]
        line.send(text_frame(message))
        await settle()
        line.take()


def upgrade_request(path: str = "/cometd", *headers: str, version: int = 13) -> bytes:
    """Return the opening handshake of RFC 6455, section 1.3."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: test",
        "Connection: keep-alive, Upgrade",
        "Upgrade: WebSocket",
        f"Sec-WebSocket-Key: {KEY}",
        f"Sec-WebSocket-Version: {version}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def text_frame(messages: Sequence[Mapping[str, object]]) -> bytes:
    """Return *messages* as a client's frame, masked with zeros."""
    text = json.dumps(messages).encode()
    return b"\x81\xfe" + len(text).to_bytes(2, "big") + bytes(4) + text
