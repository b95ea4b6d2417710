"""The fault proxy does to a connection what it says, where it says, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mirant.testing import (
    ConnectionFault,
    Direction,
    FaultKind,
    FaultPlan,
    FaultProxy,
    faultless,
    once,
)

TEXT = bytes(range(256)) * 40


class Peer:
    """The server behind the proxy: it keeps what it read, and writes what a test tells it to."""

    def __init__(self) -> None:
        self.connections: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.connections.put((reader, writer))


class Pair:
    """Both ends of one connection through the proxy."""

    def __init__(
        self,
        proxy: FaultProxy,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self.proxy = proxy
        self.client_reads, self.client_writes = client
        self.server_reads, self.server_writes = server


@asynccontextmanager
async def server_and_proxy(plan: FaultPlan) -> AsyncIterator[tuple[Peer, FaultProxy]]:
    peer = Peer()
    server = await asyncio.start_server(peer.accept, "127.0.0.1", 0)
    async with server, FaultProxy("127.0.0.1", server.sockets[0].getsockname()[1], plan) as proxy:
        yield peer, proxy
        while not peer.connections.empty():
            peer.connections.get_nowait()[1].transport.abort()


@asynccontextmanager
async def pair(plan: FaultPlan = faultless) -> AsyncIterator[Pair]:
    async with server_and_proxy(plan) as (peer, proxy):
        client = await asyncio.open_connection(*proxy.address.split(":"))
        server = await peer.connections.get()
        try:
            yield Pair(proxy, client, server)
        finally:
            client[1].transport.abort()
            server[1].transport.abort()
            await asyncio.sleep(0)


async def test_without_a_fault_bytes_and_ends_pass_both_ways() -> None:
    async with pair() as ends:
        ends.client_writes.write(TEXT)
        ends.client_writes.write_eof()
        assert await ends.server_reads.read() == TEXT
        ends.server_writes.write(TEXT[::-1])
        ends.server_writes.close()
        assert await ends.client_reads.read() == TEXT[::-1]


async def test_a_cut_lets_so_many_bytes_pass_and_ends_both_directions() -> None:
    async with pair(once(ConnectionFault(FaultKind.CUT, after=100))) as ends:
        ends.server_writes.write(TEXT)
        assert await ends.client_reads.read() == TEXT[:100]
        assert await ends.server_reads.read() == b""


async def test_a_fault_counts_the_bytes_of_its_own_direction() -> None:
    async with pair(once(ConnectionFault(FaultKind.CUT, Direction.TO_SERVER, after=10))) as ends:
        ends.server_writes.write(TEXT)
        assert await ends.client_reads.readexactly(len(TEXT)) == TEXT
        ends.client_writes.write(TEXT)
        assert await ends.server_reads.read() == TEXT[:10]


async def test_a_reset_breaks_off_both_sides() -> None:
    async with pair(once(ConnectionFault(FaultKind.RESET, after=100))) as ends:
        ends.server_writes.write(TEXT)
        with pytest.raises(ConnectionResetError):
            await ends.client_reads.read()
        with pytest.raises(ConnectionResetError):
            await ends.server_reads.read()


async def test_a_half_close_ends_one_direction() -> None:
    async with pair(once(ConnectionFault(FaultKind.HALF_CLOSE, after=100))) as ends:
        ends.server_writes.write(TEXT)
        assert await ends.client_reads.read() == TEXT[:100]
        ends.client_writes.write(TEXT)
        assert await ends.server_reads.readexactly(len(TEXT)) == TEXT


async def test_a_stall_stops_one_direction_until_it_is_resumed() -> None:
    async with pair(once(ConnectionFault(FaultKind.STALL, after=100))) as ends:
        ends.server_writes.write(TEXT)
        assert await ends.client_reads.readexactly(100) == TEXT[:100]
        ends.client_writes.write(TEXT)
        assert await ends.server_reads.readexactly(len(TEXT)) == TEXT
        rest = asyncio.create_task(ends.client_reads.readexactly(len(TEXT) - 100))
        for _ in range(3):  # the loop turns, the proxy works, and nothing comes this way
            ends.client_writes.write(TEXT)
            assert await ends.server_reads.readexactly(len(TEXT)) == TEXT
        assert not rest.done()
        ends.proxy.resume()
        assert await rest == TEXT[100:]


async def test_a_split_sends_every_byte_by_itself() -> None:
    async with pair(once(ConnectionFault(FaultKind.SPLIT, after=100))) as ends:
        ends.server_writes.write(TEXT[:200])
        assert await ends.client_reads.readexactly(100) == TEXT[:100]
        parts = [await ends.client_reads.read(1_000) for _ in range(3)]
        assert all(len(part) < 20 for part in parts)  # two may meet in the receiver's buffer
        ends.server_writes.write_eof()
        assert b"".join([*parts, await ends.client_reads.read()]) == TEXT[100:200]


async def test_a_refused_connection_never_reaches_the_server() -> None:
    async with server_and_proxy(once(ConnectionFault(FaultKind.REFUSE))) as (peer, proxy):
        reader, writer = await asyncio.open_connection(*proxy.address.split(":"))
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        assert peer.connections.empty()
        assert proxy.accepted == 1


async def test_a_server_that_does_not_listen_is_a_broken_connection() -> None:
    server = await asyncio.start_server(Peer().accept, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    server.close()
    async with FaultProxy(host, port) as proxy:
        reader, writer = await asyncio.open_connection(*proxy.address.split(":"))
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


async def test_a_reset_of_one_side_is_passed_on() -> None:
    async with pair() as ends:
        ends.client_writes.write(b"x")
        assert await ends.server_reads.readexactly(1) == b"x"
        ends.proxy.break_all()
        with pytest.raises(ConnectionResetError):
            await ends.server_reads.read()
        with pytest.raises(ConnectionResetError):
            await ends.client_reads.read()


async def test_leaving_ends_every_connection() -> None:
    async with pair(once(ConnectionFault(FaultKind.STALL))) as ends:
        assert ends.proxy.open == 1
    assert ends.proxy.open == 0


async def test_with_a_rate_bytes_pass_one_after_the_other() -> None:
    async with pair() as both:
        both.proxy.rate = 100_000.0
        both.client_writes.write(TEXT)
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await both.server_reads.readexactly(len(TEXT)) == TEXT
        assert loop.time() - began >= len(TEXT) / 100_000.0 / 2
