"""What a reverse proxy says of a client, and who else tries to say it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from mirant import Bus, Handshake, Identity
from tests.hosts.clients import Fields, Socket
from tests.hosts.serving import serving
from tests.hosts.wire import Wire, post

HANDSHAKE = b'[{"channel":"/meta/handshake"}]'
LOOPBACK, PROXY = "127.0.0.1", "10.0.0.5"
DENIED = "403:{}:handshake_denied"


@pytest.fixture
def at_file(tmp_path: Path) -> Iterator[socket.socket]:
    """Return a Unix socket to listen at."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "bus"))
        yield listener


def bus_of(folder: Path, *trusted: str) -> Bus:
    """Return a bus that believes the proxies in *trusted*."""
    (folder / "mirant.toml").write_text(
        f"[proxy]\nuser_header = 'X-User'\nroles_header = 'X-Roles'\ntrusted = {list(trusted)}\n"
        "[[channel]]\nmatch = '/admin'\nsubscribe = 'role:admin'\n"
    )
    return Bus(folder / "mirant.toml", environ={})


@asynccontextmanager
async def wire_to(url: str, listener: socket.socket | None = None) -> AsyncIterator[Wire]:
    """Connect to *url*, or to the Unix socket of *listener*."""
    if listener is None:
        async with Wire.to(url) as wire:
            yield wire
    else:
        reader, writer = await asyncio.open_unix_connection(listener.getsockname())
        yield Wire(reader, writer)
        writer.close()


async def handshake(wire: Wire, *headers: str) -> Fields:
    """Handshake with *headers*; return the reply."""
    wire.writer.write(post(HANDSHAKE, "/", *headers))
    [reply] = await wire.messages()
    return dict(reply)


async def may_administrate(wire: Wire, reply: Fields) -> bool:
    """Whether the session that *reply* opened has the role for that."""
    message = {"channel": "/meta/subscribe", "clientId": reply["clientId"], "subscription": "/admin"}
    wire.writer.write(post(json.dumps([message]).encode(), "/"))
    [answer] = await wire.messages()
    return bool(answer["successful"])


# --- Headers that came twice ---


async def test_a_proxys_header_that_a_client_sent_too_is_refused(tmp_path: Path) -> None:
    async with serving(bus_of(tmp_path, LOOPBACK)) as url, Wire.to(url) as wire:
        user, roles = "X-User: mallory", "X-Roles: member"
        assert not await may_administrate(wire, await handshake(wire, user, roles))
        assert await may_administrate(wire, await handshake(wire, user, "X-Roles: member, admin"))
        for headers in (
            (user, roles, "X-Roles: admin"),
            (user, "x-roles: admin", roles),
            (user, roles, "X-ROLES:"),
            (user, roles, roles),
            (user, user, roles),
            (user, "X-User:", roles),
        ):
            assert (await handshake(wire, *headers))["error"] == DENIED.format("user_invalid")


async def test_nor_is_it_believed_over_a_websocket(tmp_path: Path) -> None:
    async with serving(bus_of(tmp_path, LOOPBACK)) as url:
        headers = [("X-User", "mallory"), ("X-Roles", "member"), ("X-Roles", "admin")]
        address = url.replace("http", "ws")
        async with connect(address, additional_headers=headers) as connection:
            await connection.send(HANDSHAKE.decode())
            [reply] = json.loads(await connection.recv())
            assert reply["error"] == DENIED.format("user_invalid")
        async with connect(address, additional_headers=headers[:2]) as connection:
            await Socket(connection).begin()


# --- Whom the connection comes from ---


async def test_a_proxy_at_a_unix_socket_says_who_a_client_is(tmp_path: Path, at_file: socket.socket) -> None:
    bus = bus_of(tmp_path, "unix")
    async with serving(bus, listener=at_file), wire_to("", at_file) as wire:
        assert await may_administrate(wire, await handshake(wire, "X-User: alice", "X-Roles: admin"))


async def test_who_comes_by_a_unix_socket_is_no_proxy_because_he_says_so(
    tmp_path: Path, at_file: socket.socket
) -> None:
    bus = bus_of(tmp_path, PROXY)
    async with (
        serving(bus, listener=at_file, forwarded_allow_ips="*"),
        wire_to("", at_file) as wire,
    ):
        for forwarded in (PROXY, "unix"):
            reply = await handshake(wire, "X-User: root", f"X-Forwarded-For: {forwarded}")
            assert reply["error"] == DENIED.format("proxy_not_trusted")


async def test_who_comes_by_a_unix_socket_says_from_where_and_whether_over_tls(
    at_file: socket.socket, host: str
) -> None:
    seen = []
    bus = Bus()

    @bus.authenticate
    def note(client: Handshake) -> Identity:
        seen.append((client.request.address, client.request.secure))
        return Identity("somebody")

    async with serving(bus, listener=at_file), wire_to("", at_file) as wire:
        forwarded = "X-Forwarded-For: 203.0.113.66, 192.0.2.7"  # the last is what the proxy itself has seen
        wire.writer.write(post(HANDSHAKE, "/", forwarded, "X-Forwarded-Proto: https"))
        _, headers, _ = await wire.response()
    # uvicorn believes nobody there, unless it is told to believe everybody.
    assert seen == [("192.0.2.7", True) if host == "native" else (None, False)]
    assert ("secure" in headers["set-cookie"]) == (host == "native")


async def test_who_comes_from_elsewhere_does_not_come_by_a_unix_socket(tmp_path: Path) -> None:
    bus = bus_of(tmp_path, "unix")
    async with serving(bus, forwarded_allow_ips="*") as url, Wire.to(url) as wire:
        for headers in ((), ("X-Forwarded-For: unix",)):
            reply = await handshake(wire, "X-User: root", *headers)
            assert reply["error"] == DENIED.format("proxy_not_trusted")


async def test_under_mirant_serve_what_is_forwarded_makes_nobody_a_proxy(tmp_path: Path, host: str) -> None:
    forwarded = f"X-Forwarded-For: {PROXY}"
    async with serving(bus_of(tmp_path, PROXY), forwarded_allow_ips="*") as url, Wire.to(url) as wire:
        reply = await handshake(wire, "X-User: root", forwarded)
        # An ASGI server puts it in place of the connection's address, and does not say that it did. That is
        # why docs/identity.md says how to start one.
        assert reply.get("error") == (DENIED.format("proxy_not_trusted") if host == "native" else None)
    async with (
        serving(bus_of(tmp_path, PROXY), proxy_headers=False) as url,
        Wire.to(url) as wire,
    ):
        reply = await handshake(wire, "X-User: root", forwarded)
        assert reply["error"] == DENIED.format("proxy_not_trusted")


async def test_a_proxy_that_forwards_addresses_is_still_the_proxy(tmp_path: Path, host: str) -> None:
    async with serving(bus_of(tmp_path, LOOPBACK)) as url, Wire.to(url) as wire:
        reply = await handshake(wire, "X-User: alice", "X-Forwarded-For: 192.0.2.7")
        # Under an ASGI server it is not: that has forgotten about it. See above.
        assert reply.get("error") == (None if host == "native" else DENIED.format("proxy_not_trusted"))
