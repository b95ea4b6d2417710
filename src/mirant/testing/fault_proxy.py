"""A TCP proxy that breaks connections on purpose, to test how a client or a server copes.

Put it between a client and a server, and say what goes wrong::

    async with FaultProxy("127.0.0.1", 8080) as proxy:
        # The next connection breaks after 100 bytes.
        proxy.plan = once(ConnectionFault(FaultKind.RESET, after=100))
        await client.connect(f"http://{proxy.address}/cometd")

A plan is asked once for each connection, in the order in which they are opened. `randomly` makes one from a
seed, so that a run that fails can be repeated.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from types import TracebackType
from typing import Final, Self

from mirant.testing.faults import ConnectionFault, Direction, FaultKind, FaultPlan, faultless

_CHUNK: Final = 64 * 1024

# Bytes that are read ahead of what passes.
_LIMIT: Final = 16 * 1024

# How often something passes if there is a rate, in seconds.
_BEAT: Final = 0.05

# struct linger {on, 0 seconds}: to close is to send RST, and what was not sent is dropped (socket(7)).
_NO_LINGER: Final = struct.pack("ii", 1, 0)

#: Where bytes come from, where they go, and what goes wrong between.
_Way = tuple[asyncio.StreamReader, asyncio.StreamWriter, ConnectionFault | None]


class FaultProxy:
    """Listens on a free port of 127.0.0.1 and forwards to *host* and *port*. Use it with ``async with``.

    On leaving, all its connections are broken off.
    """

    def __init__(
        self, host: str, port: int, plan: FaultPlan = faultless, *, rate: float | None = None
    ) -> None:
        #: What happens to connections opened from now on.
        self.plan = plan
        #: Bytes that pass on each connection in each direction within a second; None: as many as come.
        self.rate = rate
        #: How many connections there were.
        self.accepted = 0
        self._target = (host, port)
        self._resumed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        """Where clients connect to, as ``host:port``."""
        assert self._server is not None, "enter the proxy first"
        return "{}:{}".format(*self._server.sockets[0].getsockname())

    @property
    def open(self) -> int:
        """How many connections there are now."""
        return len(self._tasks)

    def break_all(self) -> None:
        """Break off (RST) all connections that are open."""
        for task in self._tasks:
            task.cancel()

    def resume(self) -> None:
        """Let pass again what was stalled. Later faults of that kind stall again."""
        self._resumed.set()
        self._resumed = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=_LIMIT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.break_all()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self.plan(self.accepted)
        self.accepted += 1
        task = asyncio.create_task(self._serve(reader, writer, fault))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # This closes the connection of a task that was cancelled before it began.
        task.add_done_callback(lambda _: _close(writer, gently=False))

    async def _serve(
        self, reader: asyncio.StreamReader, client: asyncio.StreamWriter, fault: ConnectionFault | None
    ) -> None:
        """Forward one connection until it ends by itself or by its *fault*."""
        ends, gently = [client], False
        try:
            if fault is None or fault.kind is not FaultKind.REFUSE:
                answers, server = await asyncio.open_connection(*self._target, limit=_LIMIT)
                ends.append(server)
                gently = await self._forward(
                    (reader, server, _concerning(Direction.TO_SERVER, fault)),
                    (answers, client, _concerning(Direction.TO_CLIENT, fault)),
                )
        except OSError:
            pass  # one side broke off; the other is broken off below
        finally:
            for end in ends:
                _close(end, gently=gently)

    async def _forward(self, *ways: _Way) -> bool:
        """Forward both *ways* until both have ended. Return whether they ended in good order."""
        pumps = {asyncio.create_task(self._pump(*way)) for way in ways}
        running = pumps
        try:
            while running:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for ending in [pump.result() for pump in done]:
                    if ending is not None:
                        return ending is FaultKind.CUT
            return True
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, fault: ConnectionFault | None
    ) -> FaultKind | None:
        """Forward one direction until it ends. Return the kind of its fault if that ends both."""
        left = 0 if fault is None else fault.after
        while chunk := await source.read(_CHUNK if self.rate is None else max(1, int(self.rate * _BEAT))):
            if self.rate is not None:
                await asyncio.sleep(len(chunk) / self.rate)
            if fault is not None and len(chunk) > left:
                sink.write(chunk[:left])
                await sink.drain()
                return await self._strike(fault.kind, chunk[left:], source, sink)
            left -= len(chunk)
            sink.write(chunk)
            await sink.drain()
        sink.write_eof()
        return None

    async def _strike(
        self, kind: FaultKind, rest: bytes, source: asyncio.StreamReader, sink: asyncio.StreamWriter
    ) -> FaultKind | None:
        """Let a fault happen between what has passed and the *rest*."""
        if kind is FaultKind.HALF_CLOSE:
            sink.write_eof()
            while await source.read(_CHUNK):
                pass
        elif kind is FaultKind.STALL:
            await self._resumed.wait()
            sink.write(rest)
            return await self._pump(source, sink, None)
        elif kind is FaultKind.SPLIT:
            while rest:
                for byte in rest:
                    sink.write(bytes([byte]))
                    await sink.drain()
                    await asyncio.sleep(0)  # let the receiver read it before there is more
                rest = await source.read(_CHUNK)
            sink.write_eof()
        else:
            return kind
        return None


def _concerning(direction: Direction, fault: ConnectionFault | None) -> ConnectionFault | None:
    return fault if fault is not None and fault.direction is direction else None


def _close(writer: asyncio.StreamWriter, *, gently: bool) -> None:
    if gently:
        writer.close()
    elif not writer.transport.is_closing():
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        writer.transport.abort()
