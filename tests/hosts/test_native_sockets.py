"""The native host's WebSockets: signs of life, deadlines, TLS and Unix sockets."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
import trustme
from websockets.asyncio.client import connect, unix_connect

from mirant import Bus, Handshake, Identity, Settings
from mirant.hosts.native.deadlines import Limits
from mirant.hosts.native.websocket import NativeConnection
from tests.hosts.clients import Poller, Socket
from tests.hosts.frozen import FrozenPeer
from tests.hosts.serving import serving
from tests.hosts.wire import Wire, post

NEVER = 30.0
HANDSHAKE = b'[{"channel":"/meta/handshake"}]'


@pytest.fixture(scope="module", autouse=True)
def host() -> None:
    """The native host alone."""


async def test_a_connection_without_a_session_does_not_stay() -> None:
    async with serving(Bus(), limits=Limits(session=0.1)) as url, FrozenPeer.at(url) as peer:
        assert await asyncio.wait_for(peer.close_code(), 2) == 1008


async def test_a_connection_whose_session_ended_does_not_stay() -> None:
    async with serving(Bus(), limits=Limits(session=0.1)) as url, FrozenPeer.at(url) as peer:
        await peer.begin("/news")
        await peer.send({"channel": "/meta/disconnect"})
        await peer.messages()
        assert await asyncio.wait_for(peer.close_code(), 2) == 1008


@pytest.mark.parametrize("sent", [b"\x89\x80\0\0\0\0", b"\x81\x84\0\0\0\0[{}]"])
async def test_only_a_handshake_lets_a_connection_without_a_session_stay(sent: bytes) -> None:
    async with serving(Bus(), limits=Limits(session=0.3)) as url, FrozenPeer.at(url) as peer:

        async def say_on_and_on() -> None:
            while True:
                await asyncio.get_running_loop().sock_sendall(peer._socket, sent)
                await asyncio.sleep(0.05)

        saying = asyncio.create_task(say_on_and_on())
        try:
            code = await asyncio.wait_for(peer.close_code(), 3)
        finally:
            saying.cancel()
            await asyncio.gather(saying, return_exceptions=True)
        assert code == 1008


async def test_who_answers_no_ping_is_dropped() -> None:
    bus = Bus(settings=Settings(timeout=NEVER, max_interval=NEVER))
    limits = Limits(session=0.05, silence=0.1, pong=0.1)
    async with serving(bus, limits=limits) as url, FrozenPeer.at(url) as peer:
        await peer.begin("/news")
        opcode, _ = await asyncio.wait_for(peer.frame(), 2)
        assert opcode == 9
        await asyncio.wait_for(peer.dropped(), 2)
        assert bus.sessions == 1  # it may come back


async def test_who_answers_pings_stays() -> None:
    bus = Bus(settings=Settings(timeout=NEVER, max_interval=NEVER))
    limits = Limits(session=0.05, silence=0.05, pong=0.2)
    async with serving(bus, limits=limits) as url, Socket.at(url) as client:
        await client.begin()
        await client.subscribe("/news")
        await asyncio.sleep(0.6)  # three times what one without an answer would live
        await bus.publish("/news", 1)
        assert await client.receive() == [{"channel": "/news", "data": 1}]


async def test_who_does_not_answer_a_close_is_dropped() -> None:
    bus = Bus(settings=Settings(max_interval=NEVER))
    async with serving(bus, limits=Limits(closing=0.1)) as url, FrozenPeer.at(url) as peer:
        await peer.begin("/news")
        async with Socket.at(url, peer.id) as second:
            await second.subscribe("/moved")
            assert await peer.close_code() == 1000
            await asyncio.wait_for(peer.dropped(), 2)


async def test_what_breaks_the_protocol_costs_only_its_connection() -> None:
    bus = Bus(settings=Settings(max_interval=NEVER))
    async with serving(bus) as url, Wire.to(url) as wire:
        wire.writer.write(
            b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" + b"\xff" * 9
        )
        assert (await wire.response())[0] == 101
        closing = await asyncio.wait_for(wire.reader.read(), 2)
        assert closing[:1] == b"\x88"
        assert int.from_bytes(closing[2:4], "big") == 1002
        async with Socket.at(url) as other:
            await other.begin()


async def test_the_request_can_be_asked_for_after_the_upgrade() -> None:
    """Its headers are kept in another form than before: an application must not notice."""
    seen: list[tuple[str | None, str | None, int]] = []
    bus = Bus()

    @bus.authenticate
    def who(handshake: Handshake) -> None:
        headers = handshake.request.headers
        seen.append((headers.get("x-token"), headers.get("missing"), len(headers)))

    async with serving(bus) as url:
        headers = {"X-Token": "a:b", "Cookie": "c=d"}
        async with connect(url.replace("http", "ws"), additional_headers=headers) as connection:
            await connection.send(HANDSHAKE.decode())
            await connection.recv()
    assert [(token, missing) for token, missing, _ in seen] == [("a:b", None)]
    assert seen[0][2] > 5


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


# --- Behind a proxy ---


async def test_a_proxy_on_this_machine_is_believed_and_nobody_else() -> None:
    for trusted, secure in (("127.0.0.1", True), ("10.0.0.1", False)):
        bus = Bus()
        addresses: list[str | None] = []

        @bus.authenticate
        def who(handshake: Handshake, addresses: list[str | None] = addresses) -> Identity:
            addresses.append(handshake.request.address)
            return Identity("somebody")

        async with serving(bus, forwarded_allow_ips=trusted) as url, Poller.at(url) as client:
            headers = {"x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "https"}
            response = await client.post(HANDSHAKE, **headers)

        assert ("Secure" in response.headers["set-cookie"]) is secure
        assert addresses == ["192.0.2.7" if secure else "127.0.0.1"]


async def test_a_close_frame_that_comes_too_late_is_not_sent() -> None:
    """uvloop raises when something is written to a connection that is gone."""
    bus = Bus()
    async with serving(bus) as url, FrozenPeer.at(url) as peer:
        await peer.begin("/news")
        session = bus.session(peer.id or "")
        assert session is not None
        link = session.link
        assert isinstance(link, NativeConnection)
        link.close(1000, "bye")
        link.connection_lost(None)
        link._transport = cast("asyncio.Transport", None)  # whatever is written now raises
        await asyncio.sleep(0)
        link._send_close()  # as the event loop does then, or has done
