"""Connections to the native host without sockets: a test says what happens in which turn of the loop."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from mirant import Bus, Settings
from mirant.hosts.asgi.scope import AsgiApplication
from mirant.hosts.native.deadlines import Limits
from mirant.hosts.native.server import NativeHost
from tests.hosts.wire import post

NEVER = 30.0


class Line(asyncio.Transport):
    """A connection without a socket: it keeps what was written, and closes when the test says so."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.written = b""
        self.closing = False
        self.reading = True
        #: How much the peer has not taken yet.
        self.unsent = 0
        self.dropped = asyncio.Event()
        self.protocol: Any = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.closing:
            self.written += data

    def is_closing(self) -> bool:
        return self.closing

    def is_reading(self) -> bool:
        return self.reading

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol  # type: ignore[no-any-return]  # a test looks inside

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...
    def get_write_buffer_size(self) -> int:
        return self.unsent

    def can_write_eof(self) -> bool:
        return True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = True
        self.dropped.set()

    def take(self) -> bytes:
        """Return what was written since the last time."""
        written, self.written = self.written, b""
        return written


class Site:
    """A native host, with a bus at /cometd and perhaps an application beside it, and connections to it."""

    def __init__(
        self, app: AsgiApplication | None = None, limits: Limits | None = None, bus: Bus | None = None
    ) -> None:
        self.bus = bus or Bus(settings=Settings(timeout=NEVER, max_interval=NEVER))
        config = uvicorn.Config(
            self.bus if app is None else self.bus.mount(app), lifespan="off", access_log=False
        )
        config.load()
        self._arguments: tuple[Any, ...] = (config, ServerState(), {})
        self._host = NativeHost(self.bus.loop, "/cometd", limits=limits)
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
        line.protocol.data_received(post(json.dumps([message]).encode(), "/cometd", *headers))
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
        line.protocol.data_received(
            b"GET /cometd HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        message = [
            {"channel": "/meta/connect", "clientId": self.id, "connectionType": "websocket", "id": "2"}
        ]
        line.protocol.data_received(text_frame(message))
        await settle()
        line.take()


def text_frame(messages: Sequence[Mapping[str, object]]) -> bytes:
    """Return *messages* as a client's frame, masked with zeros."""
    text = json.dumps(messages).encode()
    return b"\x81\xfe" + len(text).to_bytes(2, "big") + bytes(4) + text


async def settle() -> None:
    """Let the turn end, and what was asked for meanwhile be done."""
    for _ in range(3):
        await asyncio.sleep(0)
