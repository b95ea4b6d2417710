"""Peers that do not read, or vanish: they cost themselves, not others, and a bounded amount of memory."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from mirant import Bus, Ending, Settings
from mirant.bus.session import Session
from mirant.hosts.asgi import outflow
from mirant.hosts.native.deadlines import ConnectionLimits
from tests.hosts.clients import Poller, Socket
from tests.hosts.frozen import FrozenPeer
from tests.hosts.serving import serving
from tests.hosts.waiting import until

NEVER = 30.0
CHUNK = "x" * 100_000
LIMIT = 1_000_000

# What the kernel holds for a connection whose peer does not read: some MiB on loopback.
KERNEL = 20_000_000


def endings_of(bus: Bus) -> asyncio.Queue[Ending | None]:
    """Return a queue of why sessions ended."""
    endings: asyncio.Queue[Ending | None] = asyncio.Queue()
    bus.on_leave(lambda session: endings.put_nowait(session.ending))
    return endings


def session_of(bus: Bus, client_id: str | None) -> Session:
    """Return the session of a client."""
    return bus.loop.core.sessions[client_id or ""]


def open_files() -> int:
    """Return how many files and sockets this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def fill(bus: Bus, channel: str, endings: asyncio.Queue[Ending | None]) -> int:
    """Publish until a session has ended; return how many bytes that took."""
    sent = 0
    while endings.empty():
        await bus.publish(channel, CHUNK)
        sent += len(CHUNK)
        assert sent < KERNEL + LIMIT, "nothing bounds what waits for a slow reader"
        await asyncio.sleep(0)
    return sent


async def test_a_reader_that_stops_loses_its_session_and_others_notice_nothing() -> None:
    bus = Bus(settings=Settings(max_outbox=LIMIT, timeout=NEVER, max_interval=NEVER))
    endings = endings_of(bus)
    async with serving(bus) as url, FrozenPeer.at(url) as slow, Socket.at(url) as quick:
        await slow.begin("/bulk")
        await quick.begin()
        await quick.subscribe("/news")
        await fill(bus, "/bulk", endings)
        await bus.publish("/news", "hello")

        assert endings.get_nowait() is Ending.OUTBOX_FULL
        assert await quick.receive() == [{"channel": "/news", "data": "hello"}]
        assert bus.sessions == 1
        assert await bus.publish("/bulk", 1) == 0
        assert await slow.close_code() == 1008  # it hears of it as soon as it reads again
        async with Socket.at(url, slow.id) as again:
            await again.connect()
            [reply] = await again.receive()
            assert reply["error"] == "402::session_unknown"
            assert reply["advice"] == {"reconnect": "handshake", "interval": 0}


async def test_the_connection_of_a_reader_that_stopped_for_good_does_not_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outflow, "_CLOSING", 0.1)
    bus = Bus(settings=Settings(max_outbox=LIMIT, timeout=NEVER, max_interval=NEVER))
    endings = endings_of(bus)
    limits = ConnectionLimits(closing=0.1)
    async with serving(bus, limits=limits) as url, Socket.at(url) as probe, AsyncExitStack() as peers:
        await probe.begin()  # so that what the client library opens is counted
        before = open_files()
        slow = await peers.enter_async_context(FrozenPeer.at(url))
        await slow.begin("/bulk")
        assert open_files() == before + 2  # its end and the server's
        await fill(bus, "/bulk", endings)

        # Its session is gone and it does not read: nothing is left to wait for.
        async with asyncio.timeout(3):
            await until(lambda: open_files() <= before + 1)


async def test_what_waits_for_a_slow_reader_is_in_its_outbox() -> None:
    bus = Bus(settings=Settings(max_outbox=LIMIT, timeout=NEVER, max_interval=NEVER))
    async with serving(bus) as url, FrozenPeer.at(url) as slow:
        await slow.begin("/bulk")
        session = session_of(bus, slow.id)
        sent = 0
        while session.outbox.size < LIMIT // 2:
            await bus.publish("/bulk", [sent, CHUNK])
            sent += 1
            await asyncio.sleep(0)
        received = 0
        while received < sent:  # it reads again, and nothing is missing
            for message in await slow.messages():
                assert message["data"][0] == received
                received += 1

        assert session.outbox.size == 0
        assert not session.ended


async def test_a_peer_that_vanished_gets_what_it_missed_on_its_next_connection() -> None:
    bus = Bus(settings=Settings(timeout=NEVER, max_interval=NEVER))
    async with serving(bus) as url, FrozenPeer.at(url) as peer:
        await peer.begin("/news")
        session = session_of(bus, peer.id)
        peer.reset()
        await until(lambda: session.link is None)
        await bus.publish("/news", "missed")
        async with Poller.at(url) as again:
            again.id = peer.id
            arrived = await again.connect()

            assert arrived[0] == {"channel": "/news", "data": "missed"}


async def test_a_peer_that_vanishes_while_it_is_written_to_loses_nothing_that_still_waited() -> None:
    bus = Bus(settings=Settings(max_outbox=LIMIT, timeout=NEVER, max_interval=NEVER))
    async with serving(bus) as url, FrozenPeer.at(url) as peer:
        await peer.begin("/bulk")
        session = session_of(bus, peer.id)
        sent = 0
        while session.outbox.size < LIMIT // 2:
            await bus.publish("/bulk", [sent, CHUNK])
            sent += 1
            await asyncio.sleep(0)
        waiting = len(session.outbox)
        peer.reset()
        await until(lambda: session.link is None)
        async with Socket.at(url, peer.id) as again:
            await again.connect()
            received: list[int] = []
            while not received or received[-1] < sent - 1:
                received += [m["data"][0] for m in await again.receive() if m["channel"] == "/bulk"]

            assert len(received) >= waiting
            assert received == list(range(sent - len(received), sent))


async def test_who_reads_no_answers_is_not_read_from() -> None:
    bus = Bus(settings=Settings(timeout=NEVER, max_interval=NEVER))
    published = 0

    @bus.on_publish("/count")
    def count(caller: object, data: object) -> None:
        nonlocal published
        published += 1

    async with serving(bus) as url, FrozenPeer.at(url) as peer:
        await peer.begin("/count")
        # Each request is answered with itself, some 100 KiB of it; the answers fill every buffer there is.
        request = {"channel": "/count", "data": CHUNK, "id": "1"}

        async def ask() -> None:
            while True:
                await peer.send(request)

        asking = asyncio.create_task(ask())
        before = -1
        while published != before:
            before = published
            await asyncio.sleep(0.3)  # that nothing more is read only shows when time has passed
        asking.cancel()

        assert published * len(CHUNK) < KERNEL
        assert session_of(bus, peer.id).outbox.size <= bus.settings.max_outbox
