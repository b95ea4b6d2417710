"""One WebSocket of an ASGI server."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from mirant.bus.carrier import Request
from mirant.bus.outbox import Batch
from mirant.bus.receive import receive as receive_messages
from mirant.hosts.loop import Loop
from mirant.transports.websocket import UNSUPPORTED_DATA, Connection

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class AsgiConnection(Connection):
    """A connection that is written by awaiting the server's ``send``.

    The bus writes into `_outgoing` and goes on; whoever runs `write_out` sends it. While that lasts the
    connection is not writable, so that what comes meanwhile waits in the session's outbox, where it is
    counted, and survives a connection that breaks.
    """

    __slots__ = ("_closing", "_drained", "_outgoing", "_wake", "gone")

    def __init__(self, loop: Loop, request: Request) -> None:
        super().__init__(loop.core, request)
        self.browser = None
        self.gone = False
        self._outgoing: deque[Batch | str] = deque()
        self._closing: tuple[int, str] | None = None
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()

    @property
    def writable(self) -> bool:
        return not self._outgoing and self._closing is None

    def write(self, batches: Sequence[Batch]) -> None:
        self._outgoing.extend(batches)
        self._written()

    def send(self, text: bytes) -> None:
        self._outgoing.append(text.decode())
        self._written()

    def close(self, code: int, reason: str) -> None:
        if self._closing is None:
            self._closing = (code, reason)
            self._wake.set()

    def end(self) -> None:
        """Take note that the peer is gone; `write_out` returns."""
        self.gone = True
        self._wake.set()

    def unsent(self) -> list[Batch]:
        """Return the deliveries that were not sent."""
        return [item for item in self._outgoing if isinstance(item, Batch)]

    async def drained(self) -> None:
        """Wait until all was sent: who sends requests and reads no answers is not read from."""
        await self._drained.wait()

    async def write_out(self, send: Send) -> None:
        """Send what is written until the peer is gone or the connection has been closed."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._outgoing and not self.gone:
                await send({"type": "websocket.send", "text": _text_of(self._outgoing[0])})
                self._outgoing.popleft()
            if self.gone:
                return
            if self._closing is not None:
                code, reason = self._closing
                await send({"type": "websocket.close", "code": code, "reason": reason})
                return
            self._drained.set()
            self.core.resume(self)

    def _written(self) -> None:
        self._drained.clear()
        self._wake.set()


def _text_of(item: Batch | str) -> str:
    if isinstance(item, str):
        return item
    if item.wire is None:
        item.wire = item.payload.decode()
    text: str = item.wire
    return text


async def serve_websocket(
    loop: Loop, request: Request, scope: MutableMapping[str, Any], receive: Receive, send: Send
) -> None:
    """Accept the WebSocket of *scope* and run it until either side closes it."""
    await receive()  # websocket.connect
    offered = scope.get("subprotocols") or [None]
    # A browser that asks for a subprotocol aborts unless one is chosen; Bayeux has none of its own.
    await send({"type": "websocket.accept", "subprotocol": offered[0]})
    connection = AsgiConnection(loop, request)
    reader = asyncio.ensure_future(_read(loop, connection, receive))
    reader.add_done_callback(lambda _: connection.end())
    try:
        await connection.write_out(send)
    except OSError:
        pass  # the peer went away while we sent: ASGI servers say so with some OSError
    finally:
        connection.gone = True
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
        loop.core.detach(connection, loop.now(), connection.unsent())


async def _read(loop: Loop, connection: AsgiConnection, receive: Receive) -> None:
    while True:
        event = await receive()
        if event["type"] != "websocket.receive":
            return
        text = event.get("text")
        messages = None
        if text is None:
            connection.refuse(UNSUPPORTED_DATA, "Bayeux messages travel in text frames")
        else:
            messages = connection.read(text.encode())
        if messages is None:
            await asyncio.Event().wait()  # until the close has been sent, which cancels this
            return
        await loop.run(receive_messages(loop.core, messages, connection, loop.now()))
        await connection.drained()
