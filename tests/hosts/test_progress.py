"""What a peer has taken: told by the kernel, and judged at deadlines."""

from __future__ import annotations

import asyncio
import socket

from mirant import Bus, Settings
from mirant.hosts.progress import LARGE, LEAST_TAKEN, LONGEST, SLOWEST, Download, PeerProgress, taken, unsent
from mirant.testing import FaultProxy
from tests.hosts.clients import Poller, Socket
from tests.hosts.line import Line
from tests.hosts.serving import serving
from tests.hosts.waiting import until


def stuck(size: int) -> Line:
    """Return a connection whose peer has taken nothing of *size* bytes."""
    line = Line()
    line.unsent = size
    return line


# --- A connection that stays open ---


def test_a_peer_that_takes_something_at_each_look_is_busy() -> None:
    stream = PeerProgress()
    for look in range(20):
        assert stream.lasts(look * 10.0, waits=True, mark=look * LEAST_TAKEN) == LONGEST / 3


def test_a_peer_that_takes_nothing_is_believed_once() -> None:
    stream = PeerProgress()
    assert stream.lasts(0.0, waits=True, mark=100_000) > 0
    assert stream.lasts(10.0, waits=True, mark=100_000 + LEAST_TAKEN - 1) == 0
    assert stream.lasts(20.0, waits=True, mark=100_000 + LEAST_TAKEN) > 0


def test_where_nothing_waits_the_peer_is_not_busy() -> None:
    stream = PeerProgress()
    assert stream.lasts(0.0, waits=False, mark=0) == 0
    assert stream.lasts(10.0, waits=False, mark=1_000_000) == 0


def test_two_that_ask_at_the_same_time_hear_the_same() -> None:
    stream = PeerProgress()
    stream.lasts(0.0, waits=True, mark=0)
    assert stream.lasts(50.0, waits=True, mark=50_000) > 0
    assert stream.lasts(51.0, waits=True, mark=50_000) > 0


# --- A large response ---


def test_a_response_lasts_while_something_of_it_is_taken() -> None:
    line = stuck(400_000)
    download = Download(400_000, 0.0, line)
    looks = 0
    while line.unsent:
        line.unsent -= 100_000
        looks += 1
        assert download.lasts(looks * 10.0) >= LONGEST / 3 - 5
    assert download.lasts(50.0) == 0


def test_a_response_that_nobody_takes_does_not_last() -> None:
    assert Download(400_000, 0.0, stuck(400_000)).lasts(10.0) == 0


def test_what_went_out_at_once_may_be_on_its_way_through_proxies() -> None:
    """A proxy takes a response at once, and its client takes it from there."""
    download = Download(10 * LARGE, 0.0, stuck(0))
    assert download.lasts(10.0) == 10 * LARGE / SLOWEST
    assert download.lasts(20.0) == 0


def test_no_response_lasts_for_long_without_a_look() -> None:
    assert Download(100_000_000, 0.0).lasts(10.0) == LONGEST


def test_a_response_of_long_ago_does_not_last() -> None:
    """Its client has polled since, and has gone now."""
    assert Download(400_000, 0.0, stuck(0)).lasts(3600.0) == 0


def test_a_connection_that_is_gone_takes_nothing() -> None:
    line = stuck(0)
    line.closing = True
    assert Download(400_000, 0.0, line).lasts(10.0) == 0


# --- What the kernel says ---


async def test_the_kernel_says_what_was_taken() -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(asyncio.Protocol, *listener.getsockname())
        peer, _ = await loop.sock_accept(listener)
        with peer:
            before = taken(transport)
            transport.write(b"x" * 8_000_000)
            # The peer's kernel takes some of it, until its buffer is full.
            await until(lambda: taken(transport) - before == 8_000_000 - unsent(transport) > 0)
            assert unsent(transport) > 7_000_000
            while unsent(transport) > 6_000_000:
                await loop.sock_recv(peer, 65536)
            assert taken(transport) - before >= 2_000_000
            transport.abort()
            assert taken(transport) == -unsent(transport)
    await asyncio.sleep(0)


async def test_a_poll_on_a_slow_link_keeps_its_session() -> None:
    """400 kB at 200 kB a second, where a session lives for half a second without a word."""
    bus = Bus(settings=Settings(max_interval=0.5, timeout=20.0))
    async with serving(bus) as url, slowly(url) as proxy, Poller.at(f"http://{proxy.address}") as client:
        await client.begin()
        await client.subscribe("/a")
        proxy.rate = 200_000.0
        for _ in range(2):
            await bus.publish("/a", "x" * 400_000)
            assert (await client.connect())[-1]["successful"]


async def test_a_websocket_on_a_slow_link_keeps_its_session() -> None:
    bus = Bus(settings=Settings(max_interval=0.5, timeout=20.0))
    async with serving(bus) as url, slowly(url) as proxy, Socket.at(f"http://{proxy.address}") as client:
        await client.begin()
        await client.subscribe("/a")
        proxy.rate = 200_000.0
        for _ in range(8):
            await bus.publish("/a", "x" * 100_000)
        for _ in range(8):
            await client.receive()
        assert bus.sessions == 1


async def test_a_websocket_that_says_nothing_but_empty_frames_keeps_its_session() -> None:
    bus = Bus(settings=Settings(max_interval=0.5, timeout=20.0))
    async with serving(bus) as url, Socket.at(url) as client:
        await client.begin()
        for _ in range(12):
            await client.connection.send("[]")
            await passed(0.1)
        assert bus.sessions == 1
        await until(lambda: bus.sessions == 0)


async def passed(seconds: float) -> None:
    """Wait until *seconds* have passed: the subject is what happens without a word for that long."""
    now = asyncio.get_running_loop().time
    end = now() + seconds
    await until(lambda: now() > end)


def slowly(url: str) -> FaultProxy:
    """Return a proxy before the server at *url*, whose rate the test sets."""
    host, port = url.split("/")[2].split(":")
    return FaultProxy(host, int(port))
