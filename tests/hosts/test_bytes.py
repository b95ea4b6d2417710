"""What only raw bytes on a connection can show: lengths that lie, chunks, pipelining, keep-alive."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from mirant import Bus, Settings
from mirant.hosts.server import Elsewhere
from tests.hosts.clients import Poller
from tests.hosts.serving import serving
from tests.hosts.wire import Wire, post

pytestmark = pytest.mark.asyncio(loop_scope="module")

HANDSHAKE = b'[{"channel":"/meta/handshake","id":"1"}]'
LIMIT = 10_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url() -> AsyncIterator[str]:
    """Serve a bus that takes small bodies only."""
    bus = Bus(settings=Settings(max_body=LIMIT))
    async with serving(bus, bus.mount(Elsewhere("/cometd"))) as origin:
        yield f"{origin}/cometd"


@pytest_asyncio.fixture(loop_scope="module")
async def wire(url: str) -> AsyncIterator[Wire]:
    """Open a connection."""
    async with Wire.to(url) as wire:
        yield wire


async def test_a_connection_is_used_again(wire: Wire) -> None:
    for number in range(3):
        wire.writer.write(post(HANDSHAKE, f"/cometd/{number}"))
        [reply] = await wire.messages()
        assert reply["successful"]


async def test_pipelined_requests_are_answered_in_order(wire: Wire) -> None:
    wire.writer.write(post(HANDSHAKE))
    [reply] = await wire.messages()
    publishes = [
        post(json.dumps({"channel": "/a", "id": str(n), "data": n, "clientId": reply["clientId"]}).encode())
        for n in range(20)
    ]
    wire.writer.write(b"".join(publishes))

    assert [(await wire.messages())[0]["id"] for _ in publishes] == [str(n) for n in range(20)]


async def test_a_length_that_announces_too_much_is_refused_unread(wire: Wire) -> None:
    wire.writer.write(b"POST /cometd HTTP/1.1\r\nHost: x\r\nContent-Length: 10001\r\n\r\n")
    status, headers, body = await wire.response()

    assert status == 413
    assert b"10000" in body
    assert headers["connection"] == "close"
    assert await wire.reader.read() == b""


@pytest.mark.parametrize("length", ["-1", "x", "1, 2", "0x10", "9" * 100, "+5"])
async def test_a_length_that_is_no_length(wire: Wire, length: str) -> None:
    wire.writer.write(f"POST /cometd HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
    status, _, _ = await wire.response()

    assert status in (400, 413)


async def test_a_body_longer_than_announced_is_cut(wire: Wire) -> None:
    wire.writer.write(post(b"[{}]")[:-4] + HANDSHAKE)
    status, _, _ = await wire.response()

    assert status == 400


async def test_a_body_that_never_comes_whole_is_not_processed(url: str) -> None:
    async with Poller.at(url) as other:
        await other.begin()
        await other.subscribe("/cut")
        async with Wire.to(url) as wire:
            publish = json.dumps([{"channel": "/cut", "data": 1, "clientId": other.id}]).encode()
            wire.writer.write(post(publish)[:-1])
            wire.writer.write_eof()
            assert await wire.reader.read() == b""
        arrived = await other.send({"channel": "/meta/subscribe", "subscription": "/other"})

    assert [message["channel"] for message in arrived] == ["/meta/subscribe"]


async def test_a_body_in_chunks_over_the_limit(wire: Wire) -> None:
    wire.writer.write(b"POST /cometd HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    wire.writer.write(b"%x\r\n%b\r\n" % (LIMIT + 1, b" " * (LIMIT + 1)))  # and no end
    status, headers, _ = await wire.response()

    assert status == 413
    assert headers["connection"] == "close"


async def test_a_path_with_dots_is_no_way_out(wire: Wire) -> None:
    for path in ("/cometd/../../etc/passwd", "/cometd/..%2f..%2fetc%2fpasswd", "/cometd/..", "/cometd/%00"):
        wire.writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        status, _, _ = await wire.response()
        assert status == 404


async def test_a_client_may_wait_for_leave_to_send(wire: Wire) -> None:
    request = post(HANDSHAKE, "/cometd", "Expect: 100-continue")
    wire.writer.write(request[: -len(HANDSHAKE)])
    assert (await wire.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
    wire.writer.write(HANDSHAKE)

    assert (await wire.messages())[0]["successful"]


async def test_http_1_0(wire: Wire) -> None:
    wire.writer.write(b"POST /cometd HTTP/1.0\r\nContent-Length: %d\r\n\r\n%b" % (len(HANDSHAKE), HANDSHAKE))

    assert (await wire.messages())[0]["successful"]
    assert await wire.reader.read() == b""


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("POST / HTTP/1.1", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nHost: a", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nhost: b", 400),
        ("POST / HTTP/1.1\r\nHost: a b", 400),
        ("POST / HTTP/1.1\r\nHost:", 400),
        ("POST / HTTP/1.1\r\nHost: a", 200),
        ("POST / HTTP/1.0", 200),
    ],
)
async def test_http_1_1_demands_one_valid_host(head: str, status: int) -> None:
    """RFC 9112, section 3.2."""
    body = b'[{"channel":"/meta/handshake"}]'
    async with serving(Bus()) as url, Wire.to(url) as wire:
        wire.writer.write(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        assert (await wire.response())[0] == status
