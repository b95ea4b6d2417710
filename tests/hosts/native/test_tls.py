"""Connections over TLS: before their handshake they count and have a deadline, then they are like others."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trustme
import uvicorn
from uvicorn.server import ServerState
from websockets.asyncio.client import connect

from mirant import Bus
from mirant.hosts.native.deadlines import ConnectionLimits
from mirant.hosts.native.server import NativeHost
from tests.hosts.clients import Socket
from tests.hosts.serving import listen
from tests.hosts.waiting import until
from tests.hosts.wire import Wire, post

REAL_TIME = True

HANDSHAKE = b'[{"channel":"/meta/handshake","id":"1"}]'


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return an authority that the clients of these tests trust."""
    return trustme.CA()


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """Return the context of a client that trusts the server."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@asynccontextmanager
async def serving(
    authority: trustme.CA, limits: ConnectionLimits | None = None
) -> AsyncIterator[tuple[str, ServerState]]:
    """Serve a bus over TLS; give its address and the connections of the server."""
    bus, state = Bus(), ServerState()
    config = uvicorn.Config(bus, lifespan="off", access_log=False)
    config.load()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    native = NativeHost(bus.loop, "/", routes=bus.routes, limits=limits, tls=context)
    with listen() as listener:
        server = await asyncio.get_running_loop().create_server(
            lambda: native(config, state, {}), sock=listener
        )
        try:
            yield "https://{}:{}".format(*listener.getsockname()), state
        finally:
            server.close()
            for connection in list(state.connections):
                connection.shutdown()
            await bus.close()
            await until(lambda: not state.connections)


async def test_requests_and_a_websocket(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    async with serving(authority) as (url, _), Wire.to(url, trusting) as wire:
        status, headers, body = await wire.ask(post(HANDSHAKE, "/"))
        assert (status, json.loads(body)[0]["successful"]) == (200, True)
        assert "secure" in headers["set-cookie"]
        async with connect(url.replace("https", "wss"), ssl=trusting) as connection:
            client = await Socket(connection).begin()
            await client.subscribe("/news")
            await client.send({"channel": "/news", "data": "x" * 500_000})
            assert (await client.receive())[0]["data"] == "x" * 500_000


async def test_who_says_nothing_counts_and_is_dropped(authority: trustme.CA) -> None:
    async with serving(authority, ConnectionLimits(head=0.3)) as (url, state):
        async with Wire.to(url) as wire:
            await until(lambda: bool(state.connections))
            assert await wire.reader.read() == b""
        assert not state.connections


async def test_who_begins_to_shake_hands_and_stops_is_dropped(authority: trustme.CA) -> None:
    async with serving(authority, ConnectionLimits(head=0.3)) as (url, state), Wire.to(url) as wire:
        hello = ssl.MemoryBIO()
        with pytest.raises(ssl.SSLWantReadError):
            ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="x").do_handshake()
        wire.writer.write(hello.read()[:50])
        assert await wire.reader.read() == b""
        assert not state.connections


async def test_who_does_not_speak_tls_is_dropped(authority: trustme.CA) -> None:
    async with serving(authority) as (url, state), Wire.to(url) as wire:
        wire.writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            await wire.reader.read()
        except ConnectionResetError:
            pass  # what it sent was not all read
        assert not state.connections


async def test_who_goes_before_the_handshake_is_forgotten(authority: trustme.CA) -> None:
    async with serving(authority) as (url, state):
        async with Wire.to(url):
            await until(lambda: bool(state.connections))
        await until(lambda: not state.connections)


async def test_one_connection_too_many_is_dropped(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    """One that has not shaken hands takes a place like any other."""
    async with serving(authority, ConnectionLimits(connections=1)) as (url, state), Wire.to(url):
        await until(lambda: bool(state.connections))
        with pytest.raises(ConnectionError):
            async with Wire.to(url, trusting):
                pass


async def test_a_server_that_ends_waits_for_no_handshake(authority: trustme.CA) -> None:
    async with serving(authority) as (url, state), Wire.to(url) as wire:
        await until(lambda: bool(state.connections))
        for connection in list(state.connections):
            connection.shutdown()
        assert await wire.reader.read() == b""
