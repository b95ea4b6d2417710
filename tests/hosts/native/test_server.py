"""The native host in uvicorn's server, on real sockets: TLS, Unix sockets, WebSockets beside the bus."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import trustme
from websockets.asyncio.client import connect, unix_connect

from mirant import Bus, Caller, Settings
from tests.hosts.clients import Poller, Socket
from tests.hosts.native.applications import echo
from tests.hosts.serving import serving
from tests.hosts.wire import Wire, post

REAL_TIME: Final = True
NEVER = 30.0
HANDSHAKE = b'[{"channel":"/meta/handshake"}]'


@pytest.fixture
async def bus() -> Bus:
    """Return a bus on which nothing happens by itself."""
    return Bus(settings=Settings(timeout=NEVER, max_interval=NEVER))


@pytest.fixture
async def origin(bus: Bus) -> AsyncIterator[str]:
    """Serve the bus at /cometd, and the application beside it."""
    async with serving(bus, bus.mount(echo)) as origin:
        yield origin


async def test_a_websocket_of_the_application(origin: str) -> None:
    async with Socket.at(f"{origin}/app") as socket:
        await socket.connection.send("hello")
        assert await socket.connection.recv() == "hello"


async def test_a_hook_that_waits(bus: Bus, origin: str) -> None:
    release = asyncio.Event()

    @bus.on_publish("/slow")
    async def slow(caller: Caller, data: object) -> object:
        await release.wait()
        return f"changed {data}"

    async with Poller.at(f"{origin}/cometd") as client, Socket.at(f"{origin}/cometd") as socket:
        await client.begin()
        await socket.begin()
        await socket.subscribe("/slow")
        waiting = asyncio.create_task(client.publish("/slow", 1))
        await socket.send(
            {"channel": "/slow", "data": 2, "id": "2"}, {"channel": "/quick", "data": 3, "id": "3"}
        )
        await socket.send({"channel": "/quick", "data": 4, "id": "4"})
        release.set()
        assert (await waiting)["successful"]
        messages: list[dict[str, Any]] = []
        while sum("data" in message for message in messages) < 2 or "4" not in ids_of(messages):
            messages += await socket.receive()

    assert ids_of(messages) == ["2", "3", "4"]
    assert {message["data"] for message in messages if "data" in message} == {"changed 1", "changed 2"}


def ids_of(messages: list[dict[str, Any]]) -> list[str]:
    """Return the ids of the replies among *messages*."""
    return [message["id"] for message in messages if "successful" in message]


async def test_a_client_that_goes_on_sending_what_is_over_the_limit_can_read_why() -> None:
    bus = Bus(settings=Settings(max_body=100_000))
    async with serving(bus, bus.mount(echo)) as origin, Wire.to(origin) as wire:
        wire.writer.write(post(b"x" * 3_000_000))
        status, headers, _ = await wire.response()

    assert (status, headers["connection"]) == (413, "close")


# --- TLS ---


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return an authority that the clients of these tests trust."""
    return trustme.CA()


@pytest.fixture
async def tls_url(authority: trustme.CA, tmp_path: Path) -> AsyncIterator[str]:
    """Serve a bus over TLS."""
    certificate = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    for part in certificate.cert_chain_pems:
        part.write_to_path(chain, append=True)
    certificate.private_key_pem.write_to_path(key)
    async with serving(Bus(), ssl_certfile=str(chain), ssl_keyfile=str(key)) as url:
        yield url


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """Return the context of a client that trusts the server."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def test_polling_over_tls(tls_url: str, trusting: ssl.SSLContext) -> None:
    async with Wire.to(tls_url, trusting) as wire:
        for _ in range(2):
            status, headers, body = await wire.ask(post(HANDSHAKE, "/"))
            assert status == 200
            assert json.loads(body)[0]["successful"]
            assert "secure" in headers["set-cookie"]
        page, _, _ = await wire.ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert page == 200
        refused, _, _ = await wire.ask(post(b" " * 2_000_000, "/"))
        assert refused == 413


async def test_a_websocket_over_tls(tls_url: str, trusting: ssl.SSLContext) -> None:
    async with connect(tls_url.replace("http", "ws"), ssl=trusting) as connection:
        client = await Socket(connection).begin()
        await client.subscribe("/news")
        await client.send({"channel": "/news", "data": "x" * 500_000})
        assert (await client.receive())[0]["data"] == "x" * 500_000


# --- Unix sockets ---


async def test_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "bus")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    async with serving(Bus(), listener=listener):
        async with unix_connect(path, "ws://bus/") as connection:
            await Socket(connection).begin()
        reader, writer = await asyncio.open_unix_connection(path)
        answer, _, body = await Wire(reader, writer).ask(post(HANDSHAKE, "/"))
        assert answer == 200
        assert json.loads(body)[0]["successful"]
        writer.close()
