"""The websocket transport: one connection of a client, read as cheaply as possible."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, cast

from mirant.load.client import LoadClient
from mirant.load.clock import now_us
from mirant.load.frames import (
    CLOSE,
    PING,
    PONG,
    TEXT,
    WHOLE_TEXT,
    Assembler,
    ServerFrameInvalid,
    frame,
    new_key,
    split,
    upgrade_fault,
)
from mirant.load.intake import Intake
from mirant.load.target import Target

_LONGEST_HEAD: Final = 16_384  # bytes of an answer to an upgrade
_UPGRADE_LIMIT: Final = 10.0  # seconds


class WebSocketTransport:
    """Carries a client over one WebSocket at a time."""

    def __init__(
        self, client: LoadClient, target: Target, intake: Intake, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.client = client
        self.target = target
        self.intake = intake
        self._loop = loop
        self._socket: _Socket | None = None
        self._opening: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the WebSocket is up."""
        return self._socket is not None

    def open(self) -> None:
        """Open a WebSocket, and tell the client."""
        self.close()
        self._opening = self._loop.create_task(self._open())

    async def _open(self) -> None:
        socket = _Socket(self)
        target = self.target
        try:
            async with asyncio.timeout(_UPGRADE_LIMIT):
                await self._loop.create_connection(lambda: socket, target.host, target.port, ssl=target.tls)
                await socket.upgraded
        except TimeoutError:
            socket.abort()
            self.client.lost("no answer to the upgrade to WebSocket in time")
        except (OSError, ValueError) as error:  # ValueError: the answer to the upgrade was refused
            socket.abort()
            self.client.lost(f"cannot connect: {error}")
        else:
            self._socket = socket
            self.client.opened()

    def send(self, batch: Sequence[bytes]) -> None:
        """Send messages in one frame."""
        if self._socket is not None:
            self._socket.send(TEXT, b"[" + b",".join(batch) + b"]")

    def send_connect(self, message: bytes) -> None:
        """Send a /meta/connect in a frame of its own, because replies to others in it would be held too."""
        self.send([message])

    def close(self, reason: str = "") -> None:
        """Close the WebSocket."""
        socket, self._socket = self._socket, None
        if self._opening is not None and self._opening is not asyncio.current_task(self._loop):
            self._opening.cancel()
        if socket is not None:
            socket.send(CLOSE, (1000).to_bytes(2, "big"))
            socket.end()
        if reason:
            self.client.lost(reason)

    def ended(self, socket: _Socket, reason: str) -> None:
        """Note that the server closed *socket*, or that it broke."""
        if socket is self._socket:
            self._socket = None
            self.client.lost(reason)


class _Socket(asyncio.Protocol):
    def __init__(self, owner: WebSocketTransport) -> None:
        self.upgraded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._owner = owner
        self._number = owner.client.number
        self._take = owner.intake.take
        self._handle = owner.client.handle
        self._transport: asyncio.Transport | None = None
        self._key = new_key()
        self._is_upgraded = False
        self._rest = b""
        self._assembler = Assembler()
        self._reason = "the server closed a connection"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not a subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        fields = (
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", self._key),
        )
        self._transport.write(self._owner.target.head("GET", *fields) + b"\r\n")

    def connection_lost(self, error: Exception | None) -> None:
        reason = f"a connection broke: {error}" if error else self._reason
        if not self.upgraded.done():
            self.upgraded.set_exception(ServerFrameInvalid(reason))
            self.upgraded.exception()  # read here, because nobody may be waiting any more
        self._owner.ended(self, reason)

    def data_received(self, data: bytes) -> None:
        now = now_us()
        if self._rest:
            data = self._rest + data
        try:
            if not self._is_upgraded and (data := self._upgrade(data)) == b"":
                return
            frames, self._rest = split(data)
            for first, payload in frames:
                if first == WHOLE_TEXT:
                    for reply in self._take(self._number, payload, now):
                        self._handle(reply)
                else:
                    self._uncommon(first, payload, now)
        except ServerFrameInvalid as error:
            self._reason = f"not WebSocket: {error}"
            self.abort()

    def send(self, opcode: int, payload: bytes) -> None:
        """Send one frame."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frame(opcode, payload))

    def end(self) -> None:
        """Close when all is written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _upgrade(self, data: bytes) -> bytes:
        """Read the answer to the upgrade; return what comes after it."""
        head, end, rest = data.partition(b"\r\n\r\n")
        if not end:
            if len(data) > _LONGEST_HEAD:
                raise ServerFrameInvalid("the answer to the upgrade has no end")
            self._rest = data
            return b""
        fault = upgrade_fault(head, self._key)
        if fault is not None:
            if not self.upgraded.done():
                self.upgraded.set_exception(ServerFrameInvalid(fault))
                self.upgraded.exception()
            raise ServerFrameInvalid(fault)
        self._is_upgraded = True
        self._rest = b""
        if not self.upgraded.done():
            self.upgraded.set_result(None)
        return rest

    def _uncommon(self, first: int, payload: bytes, now: int) -> None:
        opcode = first & 0x0F
        if opcode == PING:
            self.send(PONG, payload)
        elif opcode == CLOSE:
            code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
            words = payload[2:].decode("utf-8", "replace")
            self._reason = f"the server closed a connection with {code} {words}".rstrip()
            self.end()
        elif opcode != PONG and (message := self._assembler.add(first, payload)) is not None:
            for reply in self._take(self._number, message, now):
                self._handle(reply)
