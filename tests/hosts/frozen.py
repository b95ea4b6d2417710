"""A WebSocket peer that does only what it is told: it may stop reading, or vanish without a word."""

import asyncio
import base64
import json
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

from websockets.frames import Frame, Opcode


class FrozenPeer:
    """A WebSocket on a plain socket with small buffers; nothing is read unless `frame` is called."""

    def __init__(self, raw: socket.socket) -> None:
        self._socket = raw
        self.id: str | None = None

    @classmethod
    @asynccontextmanager
    async def at(cls, url: str) -> AsyncIterator[Self]:
        """Open a WebSocket at *url*, ``http://host:port/path``."""
        host, port = url.split("/")[2].split(":")
        path = "/" + "/".join(url.split("/")[3:])
        with socket.socket() as raw:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            raw.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(raw, (host, int(port)))
            key = base64.b64encode(os.urandom(16)).decode()
            head = [
                f"GET {path} HTTP/1.1",
                f"Host: {host}:{port}",
                "Connection: Upgrade",
                "Upgrade: websocket",
            ]
            head += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", "", ""]
            await loop.sock_sendall(raw, "\r\n".join(head).encode())
            answer = b""
            while not answer.endswith(b"\r\n\r\n"):
                answer += await loop.sock_recv(raw, 1)
            assert answer.startswith(b"HTTP/1.1 101 "), answer
            yield cls(raw)

    async def send(self, *messages: dict[str, Any]) -> None:
        """Send *messages* in one frame, each with our clientId."""
        text = json.dumps([{"clientId": self.id, **message} for message in messages]).encode()
        frame = Frame(Opcode.TEXT, text).serialize(mask=True)
        await asyncio.get_running_loop().sock_sendall(self._socket, frame)

    async def frame(self) -> tuple[int, bytes]:
        """Read one frame: its opcode and its payload."""
        first, second = await self._exactly(2)
        size = second & 127
        if size == 126:
            (size,) = struct.unpack("!H", await self._exactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self._exactly(8))
        return first & 15, await self._exactly(size)

    async def messages(self) -> list[dict[str, Any]]:
        """Read one text frame and return the messages in it."""
        opcode, payload = await self.frame()
        assert opcode == Opcode.TEXT, (opcode, payload)
        messages: list[dict[str, Any]] = json.loads(payload)
        return messages

    async def close_code(self) -> int:
        """Read up to the server's close frame and return its code."""
        while True:
            opcode, payload = await self.frame()
            if opcode == Opcode.CLOSE:
                return int.from_bytes(payload[:2], "big")

    async def dropped(self) -> None:
        """Read until the server has dropped the connection."""
        try:
            while await asyncio.get_running_loop().sock_recv(self._socket, 65536):
                pass
        except ConnectionResetError:
            pass

    async def begin(self, pattern: str) -> Self:
        """Shake hands, connect and subscribe to *pattern*."""
        await self.send({"channel": "/meta/handshake"})
        self.id = (await self.messages())[0]["clientId"]
        await self.send({"channel": "/meta/connect"})
        await self.messages()
        await self.send({"channel": "/meta/subscribe", "subscription": pattern})
        assert (await self.messages())[0]["successful"]
        return self

    def reset(self) -> None:
        """Vanish: the server gets a reset, and no close frame."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    async def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            part = await asyncio.get_running_loop().sock_recv(self._socket, size - len(data))
            assert part, "the server closed the connection"
            data += part
        return bytes(data)
