"""Requests out of bytes: what is one, what is none, and what is refused before it is whole."""

from __future__ import annotations

import time

import pytest

from mirant import Bus, Settings
from mirant.hosts.native.requests import MAX_HEADERS, RequestInvalid, RequestReader
from tests.hosts.line import NEVER, Line, Site
from tests.hosts.native.applications import echo
from tests.hosts.wire import post

LIMIT = 100_000
HANDSHAKE = b'[{"channel":"/meta/handshake","id":"1"}]'


@pytest.fixture
async def line() -> Line:
    """Return a connection to a bus that takes small bodies only, with an application beside it."""
    bus = Bus(settings=Settings(max_body=LIMIT, timeout=NEVER, max_interval=NEVER))
    return Site(echo, bus=bus).connect()


def chunked(*parts: bytes, path: str) -> bytes:
    """Return a POST whose body comes in chunks."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))


@pytest.mark.parametrize("path", ["/cometd", "/app"])
async def test_a_request_byte_by_byte(line: Line, path: str) -> None:
    for byte in post(HANDSHAKE, path):
        line.send(bytes([byte]))
    status, _, body = await line.response()

    assert status == 200
    assert (b'"successful":true' if path == "/cometd" else HANDSHAKE) in body


@pytest.mark.parametrize(
    "headers",
    [
        # Java's own client asks for it with every first request, and sends the body all the same.
        (
            "Connection: Upgrade, HTTP2-Settings",
            "Upgrade: h2c",
            "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA",
        ),
    ],
)
async def test_an_upgrade_to_http_2_is_ignored(line: Line, headers: tuple[str, ...]) -> None:
    for path in ("/cometd", "/app"):
        status, _, body = await line.ask(post(HANDSHAKE, path, *headers))
        assert status == 200
        assert (b'"successful":true' if path == "/cometd" else HANDSHAKE) in body


@pytest.mark.parametrize("path", ["/cometd", "/app"])
async def test_an_upgrade_of_a_request_with_a_body_is_ignored(line: Line, path: str) -> None:
    headers = ("Connection: Upgrade", "Upgrade: websocket")
    for _ in range(2):
        status, _, body = await line.ask(post(HANDSHAKE, path, *headers))
        assert status == 200
        assert (b'"successful":true' if path == "/cometd" else HANDSHAKE) in body


# --- What is no request, or one too many ---


@pytest.mark.parametrize(
    ("garbage", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),  # TLS on a port without
        (b"GET / HTTP/1.1\nHost: x\n\n", 400),
        (b"POST /cometd HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /cometd HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n", 400),
        (b"POST /app HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]", 400),
        (b"POST /app HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /app HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"CONNECT a:1 HTTP/1.1\r\n\r\n", 405),
        (b"GET / HTTP/1.1\r\n" + b"X: %b\r\n" % (b"x" * 140_000), 431),
        (b"GET /" + b"x" * 200_000, 431),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 102, 431),
        (b"POST /app HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 20_000, 431),
    ],
)
async def test_what_is_no_request_is_refused_after_what_was_one(
    line: Line, garbage: bytes, status: int
) -> None:
    line.send(post(HANDSHAKE))
    assert (await line.messages())[0]["successful"]
    line.send(post(b"x", "/app") + garbage)
    assert (await line.response())[2] == b"POST /app x"
    if b"/app HTTP/1.1\r\nTransfer-Encoding: chunked" in garbage:
        assert await line.rest() == b""  # the application was being told of it already
        return
    refused, headers, _ = await line.response()

    assert refused == status
    assert headers["connection"] == "close"
    assert await line.rest() == b""


async def test_a_body_to_the_bus_that_makes_no_sense(line: Line) -> None:
    line.send(b"POST /cometd HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")
    status, headers, _ = await line.response()

    assert (status, headers["connection"]) == (400, "close")
    assert await line.rest() == b""


async def test_a_body_of_a_million_small_chunks_takes_little_time(line: Line) -> None:
    start = time.process_time()
    line.send(chunked(*[b" "] * (LIMIT - len(HANDSHAKE)), HANDSHAKE, path="/cometd"))

    assert (await line.messages())[0]["successful"]
    assert time.process_time() - start < 5


# --- The limit of headers ---


def fields(count: int) -> bytes:
    """Return *count* header lines, with the line break after each."""
    return b"".join(b"X-%d: y\r\n" % number for number in range(count))


def test_as_many_headers_as_are_allowed() -> None:
    reader = RequestReader()
    reader.feed(b"GET / HTTP/1.1\r\n" + fields(MAX_HEADERS) + b"\r\n")

    assert len(reader.arrived[0].headers) == MAX_HEADERS


def test_trailers_count_as_headers() -> None:
    """RFC 9112, section 7.1.2: they may be discarded; but each of them costs time, so there is a limit."""
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + fields(MAX_HEADERS - 3)
    allowed, refused = RequestReader(), RequestReader()
    allowed.feed(head + b"\r\n0\r\nX: 1\r\nX: 2\r\n\r\n")
    assert allowed.arrived[0].complete

    with pytest.raises(RequestInvalid) as invalid:
        refused.feed(head + b"\r\n0\r\nX: 1\r\nX: 2\r\nX: 3\r\n\r\n")
    assert invalid.value.status == 431


def test_trailers_are_no_headers_of_the_request() -> None:
    reader = RequestReader()
    reader.feed(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nCookie: planted\r\n\r\n")

    assert [name for name, _ in reader.arrived[0].headers] == [b"Transfer-Encoding"]
