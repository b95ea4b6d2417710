"""Frames that go past the `send` of uvicorn: by each of its implementations, in order."""

import asyncio
import importlib.util
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import trustme
import uvicorn
import uvloop
from websockets.asyncio.client import connect

from mirant import Bus, Settings
from mirant.hosts.asgi import outflow
from mirant.hosts.asgi import shared_frames as asgi_shared_frames
from mirant.hosts.asgi import websocket as asgi_websocket
from mirant.hosts.asgi.scope import Event, Receive, Scope, Send
from mirant.hosts.asgi.shared_frames import HIGH_WATER
from mirant.hosts.rfc6455.frames import frame
from mirant.hosts.server import Server
from tests.hosts import serving as hosts
from tests.hosts.clients import Poller, Socket
from tests.hosts.frozen import FrozenPeer
from tests.hosts.serving import listen, serving
from tests.hosts.waiting import until

# uvicorn's oldest implementation is deprecated, and so is what it uses of websockets.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*websockets.*deprecated"),
    pytest.mark.filterwarnings("ignore:remove second argument of ws_handler:DeprecationWarning"),
]

NEVER = 30.0
CHUNK = "x" * 100_000
KERNEL = 20_000_000  # what the kernel holds for a peer that does not read is less

#: uvicorn's implementations of WebSockets. wsproto is a package of its own.
IMPLEMENTATIONS: Final = [
    "websockets",
    "websockets-sansio",
    *(["wsproto"] if importlib.util.find_spec("wsproto") else []),
]


class Spy:
    """What one of uvicorn's implementations was asked to send, and on which transports."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.transports: list[Any] = []

    def watch(self, ws: str, patch: pytest.MonkeyPatch) -> None:
        """See every event that is sent through *ws*, without standing between."""
        config = uvicorn.Config(Bus(), ws=ws)
        config.load()
        protocol: Any = config.ws_protocol_class
        name = "asgi_send" if hasattr(protocol, "asgi_send") else "send"
        original = getattr(protocol, name)

        async def send(itself: Any, event: Event) -> None:
            if event["type"] == "websocket.accept":
                self.transports.append(itself.transport)
            elif event["type"] == "websocket.send":
                self.texts.append(event["text"])
            await original(itself, event)

        patch.setattr(protocol, name, send)


@pytest.fixture(params=IMPLEMENTATIONS)
def ws(request: pytest.FixtureRequest) -> str:
    """Each of uvicorn's implementations."""
    return str(request.param)


@pytest.fixture
def spy(ws: str, monkeypatch: pytest.MonkeyPatch) -> Spy:
    """See what goes through the `send` of *ws*."""
    spy = Spy()
    spy.watch(ws, monkeypatch)
    return spy


@asynccontextmanager
async def compressing(bus: Bus, ws: str) -> AsyncIterator[str]:
    """Serve *bus* by a uvicorn that compresses, as it does unless it is told not to."""
    config = uvicorn.Config(bus, ws=ws, log_level="warning", lifespan="on")
    listening = asyncio.Event()
    with listen() as bound:
        server = Server(config, bus, listening.set)
        running = asyncio.create_task(server.serve(sockets=[bound]))
        await listening.wait()
        try:
            yield "http://{}:{}".format(*bound.getsockname())
        finally:
            server.should_exit = True
            await running


# --- Where they may ---


async def test_nothing_goes_through_send_where_the_server_is_known(ws: str, spy: Spy) -> None:
    bus = Bus()
    async with serving(bus, ws=ws) as url, Socket.at(url) as client:
        await client.begin()
        await client.subscribe("/news")
        for size in (1, 125, 126, 60_000, 70_000):
            await bus.publish("/news", "é" * size)
            assert await client.receive() == [{"channel": "/news", "data": "é" * size}]

    assert spy.texts == []


async def test_subscribers_share_one_frame(ws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bytes] = []

    def counted(opcode: int, payload: bytes) -> bytes:
        made.append(frame(opcode, payload))
        return made[-1]

    bus = Bus()
    async with serving(bus, ws=ws) as url, Socket.at(url) as one, Socket.at(url) as two:
        for client in (one, two):
            await client.begin()
            await client.subscribe("/news")
        monkeypatch.setattr(asgi_websocket, "frame", counted)
        await bus.publish("/news", 1)
        for client in (one, two):
            assert await client.receive() == [{"channel": "/news", "data": 1}]

    assert len(made) == 1


async def test_the_native_host_shares_them_too(ws: str, spy: Spy, monkeypatch: pytest.MonkeyPatch) -> None:
    bus = Bus()
    async with serving(bus, ws=ws) as asgi_url:
        monkeypatch.setattr(hosts, "HOST", "native")
        async with serving(bus) as native_url, Socket.at(asgi_url) as one, Socket.at(native_url) as two:
            for client in (one, two):
                await client.begin()
                await client.subscribe("/news")
            await bus.publish("/news", 1)
            for client in (one, two):
                assert await client.receive() == [{"channel": "/news", "data": 1}]

    assert spy.texts == []


async def test_over_tls(ws: str, spy: Spy, tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    pem = tmp_path / "server.pem"
    certificate.private_key_and_cert_chain_pem.write_to_path(pem)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    bus = Bus()
    async with (
        serving(bus, ws=ws, ssl_certfile=str(pem)) as url,
        connect(url.replace("http", "ws"), ssl=trusting) as connection,
    ):
        client = await Socket(connection).begin()
        await client.subscribe("/news")
        for number in range(20):
            bus.publish_nowait("/news", [number, "x" * 30_000])
        received = [(await client.receive())[0]["data"][0] for _ in range(20)]

    assert received == list(range(20))
    assert len(spy.texts) < 20


def test_on_uvloop(ws: str, spy: Spy) -> None:
    async def scenario() -> list[Any]:
        bus = Bus()
        async with serving(bus, ws=ws) as url, Socket.at(url) as client:
            await client.begin()
            await client.subscribe("/news")
            await bus.publish("/news", 1)
            return await client.receive()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(scenario()) == [{"channel": "/news", "data": 1}]
    assert spy.texts == []


# --- Where they must not ---


async def test_a_middleware_that_wraps_send_sees_everything(ws: str) -> None:
    bus = Bus()
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def noting(event: Event) -> None:
            if event["type"] == "websocket.send":
                seen.append(event["text"])
            await send(event)

        await bus(scope, receive, noting)

    async with serving(bus, app, ws=ws) as url, Socket.at(url) as client:
        await client.begin()
        await client.subscribe("/news")
        await bus.publish("/news", 1)
        received = await client.receive()

    assert json.loads(seen[-1]) == received == [{"channel": "/news", "data": 1}]


async def test_what_meets_a_closed_transport_waits_for_the_next_connection(ws: str, spy: Spy) -> None:
    bus = Bus(settings=Settings(max_interval=NEVER))
    async with serving(bus, ws=ws) as url:
        async with Socket.at(url) as client:
            await client.begin()
            await client.subscribe("/news")
            spy.transports[-1].abort()
            bus.publish_nowait("/news", "missed")
            await client.connection.wait_closed()
        async with Poller.at(url) as again:
            again.id = client.id
            arrived = await again.connect()

    assert arrived[0] == {"channel": "/news", "data": "missed"}


# --- In which order ---


@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_order_is_kept_when_both_ways_are_used(
    ws: str, spy: Spy, compression: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = Bus()
    async with (
        compressing(bus, ws) as url,
        connect(url.replace("http", "ws"), compression=compression) as connection,
    ):
        client = await Socket(connection).begin()
        await client.subscribe("/bulk")
        for number in range(300):
            # In turns of different length, so that either way is entered while the other is in use.
            monkeypatch.setattr(asgi_shared_frames, "HIGH_WATER", 0 if number % 7 < 3 else HIGH_WATER)
            bus.publish_nowait("/bulk", [number, "text that repeats itself " * 9])
            for _ in range(number % 4):
                await asyncio.sleep(0)
        received: list[int] = []
        frames = 0
        while len(received) < 300:
            frames += 1
            received += [message["data"][0] for message in await client.receive()]

    assert received == list(range(300))
    assert 0 < len(spy.texts) < frames


async def test_a_reader_that_stops_lets_its_outbox_grow_and_gets_everything(ws: str, spy: Spy) -> None:
    limit = 1_000_000
    bus = Bus(settings=Settings(max_outbox=limit, timeout=NEVER, max_interval=NEVER))
    async with serving(bus, ws=ws) as url, FrozenPeer.at(url) as slow:
        await slow.begin("/bulk")
        session = bus.loop.core.sessions.get(slow.id or "")
        assert session is not None
        sent = received = 0
        while session.outbox.size < limit // 2:
            await bus.publish("/bulk", [sent, CHUNK])
            sent += 1
            assert sent * len(CHUNK) < KERNEL
            await asyncio.sleep(0)
        assert spy.transports[-1].get_write_buffer_size() < HIGH_WATER + 3 * len(CHUNK)
        while received < sent:
            for message in await slow.messages():
                assert message["data"][0] == received
                received += 1

    assert 0 < len(spy.texts) < sent


async def test_a_reader_that_stopped_is_dropped_when_its_close_does_not_get_through(
    ws: str, spy: Spy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outflow, "_CLOSING", 0.1)
    bus = Bus(settings=Settings(timeout=NEVER, max_interval=NEVER))
    async with serving(bus, ws=ws) as url, FrozenPeer.at(url) as slow:
        await slow.begin("/bulk")
        [transport] = spy.transports
        while transport.get_write_buffer_size() < HIGH_WATER:
            await bus.publish("/bulk", CHUNK)
            await asyncio.sleep(0)
        assert spy.texts == []  # all of it is with the transport
        async with Socket.at(url, slow.id) as second, asyncio.timeout(5):
            await second.connect()
            await until(lambda: not transport.get_write_buffer_size())
