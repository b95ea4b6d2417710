"""What OWASP's WebSocket cheat sheet asks of a host, where no other test proves it: see docs/security.md."""

from __future__ import annotations

import pytest

from mirant import Bus, Settings
from tests.hosts.serving import serving
from tests.hosts.wire import Wire

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def upgrade(*headers: str, host: str = "test") -> bytes:
    """Return a request for a WebSocket, with these *headers* beside the usual ones."""
    lines = ["GET / HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade", *headers, "", ""]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize(
    "headers",
    [
        (f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 8"),
        (f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 7"),
        (f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 14"),
        (f"Sec-WebSocket-Key: {KEY}",),
        ("Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5", "Sec-WebSocket-Key2: 12998 5 Y3 1  .P00"),
        (f"Sec-WebSocket-Key: {KEY[4:]}", "Sec-WebSocket-Version: 13"),
        ("Sec-WebSocket-Version: 13",),
    ],
)
async def test_only_rfc_6455_is_spoken(headers: tuple[str, ...]) -> None:
    async with serving(Bus()) as origin, Wire.to(origin) as wire:
        status, _, _ = await wire.ask(upgrade(*headers))
        assert 400 <= status < 500


async def test_nothing_is_compressed() -> None:
    offered = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-webkit-deflate-frame"
    async with serving(Bus()) as origin, Wire.to(origin) as wire:
        status, headers, _ = await wire.ask(
            upgrade(f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13", offered)
        )
        assert status == 101
        assert "sec-websocket-extensions" not in headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://friend.example.evil.example",
        "https://evilfriend.example",
        "https://friend.example:8443",
        "http://friend.example",
        "https://friend.example@evil.example",
        "null",
        "",
    ],
)
async def test_an_origin_is_compared_as_a_whole(origin: str) -> None:
    async with serving(Bus(settings=_friendly())) as url, Wire.to(url) as wire:
        request = upgrade(f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13", f"Origin: {origin}")
        status, _, _ = await wire.ask(request)
        assert status == 403


async def test_an_origin_that_is_listed_is_let_in() -> None:
    async with serving(Bus(settings=_friendly())) as url, Wire.to(url) as wire:
        request = upgrade(
            f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13", "Origin: https://friend.example"
        )
        assert (await wire.ask(request))[0] == 101


def _friendly() -> Settings:
    return Settings(allow_origins=("https://friend.example",))


@pytest.mark.parametrize(
    "headers",
    [
        ("Connection: close", f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13"),
        ("Connection: keep-alive", "Upgrade: websocket", f"Sec-WebSocket-Key: {KEY}"),
        ("Sec-WebSocket-Version: 13",),
    ],
)
@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_handshake_that_lost_its_upgrade_on_the_way_is_told_so(
    headers: tuple[str, ...], version: str
) -> None:
    async with serving(Bus()) as origin, Wire.to(origin) as wire:
        head = "\r\n".join([f"GET /connect HTTP/{version}", "Host: test", *headers, "", ""])
        status, received, body = await wire.ask(head.encode())

    assert status == 426
    assert received["upgrade"] == "websocket"
    assert b"A proxy on the way has to pass on the headers Upgrade and Connection" in body


async def test_where_there_are_no_websockets_nobody_is_told_to_upgrade() -> None:
    settings = Settings(transports=("long-polling",))
    async with serving(Bus(settings=settings)) as origin, Wire.to(origin) as wire:
        status, _, _ = await wire.ask(b"GET / HTTP/1.1\r\nHost: test\r\nSec-WebSocket-Version: 13\r\n\r\n")

    assert status == 200  # the page
