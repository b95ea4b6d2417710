"""What only the native host does: passing requests on, in their order, and its limits."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import connect

from mirant import Bus, Caller, Settings
from mirant.hosts.asgi.scope import Receive, Scope, Send, answer_lifespan
from mirant.hosts.native.deadlines import Limits
from tests.hosts.clients import Poller, Socket
from tests.hosts.serving import serving
from tests.hosts.wire import Wire, post

NEVER = 30.0
LIMIT = 100_000
HANDSHAKE = b'[{"channel":"/meta/handshake","id":"1"}]'


@pytest.fixture(scope="module", autouse=True)
def host() -> None:
    """The native host alone."""


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """An application: it says what it was asked, or sends a WebSocket's message back."""
    if scope["type"] == "lifespan":
        await answer_lifespan(receive, send)
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": (await receive())["text"]})
        await send({"type": "websocket.close", "code": 1000})
    else:
        body, more = b"", True
        while more:
            event = await receive()
            body, more = body + event.get("body", b""), event.get("more_body", False)
        answer = f"{scope['method']} {scope['path']} ".encode() + body
        headers = [(b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


@pytest.fixture
async def bus() -> Bus:
    """Return a bus that takes small bodies only."""
    return Bus(settings=Settings(max_body=LIMIT, timeout=NEVER, max_interval=NEVER))


@pytest.fixture
async def origin(bus: Bus) -> AsyncIterator[str]:
    """Serve the bus at /cometd, and the application beside it."""
    async with serving(bus, bus.mount(echo)) as origin:
        yield origin


@pytest.fixture
async def wire(origin: str) -> AsyncIterator[Wire]:
    """Open a connection."""
    async with Wire.to(origin) as wire:
        yield wire


def chunked(*parts: bytes, path: str) -> bytes:
    """Return a POST whose body comes in chunks."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))


# --- The bus and the application on one connection ---


async def test_requests_to_both_in_turn(wire: Wire) -> None:
    for turn in range(3):
        _, _, page = await wire.ask(f"GET /page{turn} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert page == f"GET /page{turn} ".encode()
        status, headers, landing = await wire.ask(b"GET /cometd HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (status, headers["content-type"]) == (200, "text/html;charset=utf-8")
        assert landing
        wire.writer.write(post(HANDSHAKE))
        assert (await wire.messages())[0]["successful"]


async def test_requests_to_both_at_once_are_answered_in_order(wire: Wire) -> None:
    wire.writer.write(
        post(b"one", "/app")
        + post(HANDSHAKE)
        + chunked(b"t", b"wo", path="/app")
        + chunked(HANDSHAKE[:7], HANDSHAKE[7:], path="/cometd/x")
        + b"HEAD /app HTTP/1.1\r\nHost: x\r\n\r\n"
        + b"OPTIONS /cometd HTTP/1.1\r\nHost: x\r\n\r\n"
        + post(b"three", "/app")
    )

    assert (await wire.response())[2] == b"POST /app one"
    assert (await wire.messages())[0]["successful"]
    assert (await wire.response())[2] == b"POST /app two"
    assert (await wire.messages())[0]["successful"]
    head = await wire.reader.readuntil(b"\r\n\r\n")
    assert b"content-length: 10\r\n" in head
    assert (await wire.response())[0] == 204
    assert (await wire.response())[2] == b"POST /app three"


async def test_a_request_behind_a_held_poll_waits_for_it(bus: Bus, wire: Wire, origin: str) -> None:
    async with Poller.at(f"{origin}/cometd") as client:
        await client.begin()
        client_id = client.id
        cookie = "Cookie: " + "; ".join(f"{key}={value}" for key, value in client.http.cookies.items())
    poll = json.dumps({"channel": "/meta/connect", "clientId": client_id, "id": "7"}).encode()
    wire.writer.write(post(poll, "/cometd", cookie) + b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n")
    session = bus.session(client_id or "")
    assert session is not None
    async with asyncio.timeout(5):
        while session.held is None:
            await asyncio.sleep(0.005)
    bus.dismiss(session)

    assert [message["channel"] for message in await wire.messages()] == ["/meta/disconnect", "/meta/connect"]
    assert (await wire.response())[2] == b"GET /next "


async def test_a_thousand_requests_at_once(wire: Wire) -> None:
    both = post(HANDSHAKE) + post(b"x", "/app")
    wire.writer.write(both * 500)

    for _ in range(500):
        assert (await wire.messages())[0]["successful"]
        assert (await wire.response())[2] == b"POST /app x"


async def test_a_large_body_goes_to_the_application_as_a_whole(wire: Wire) -> None:
    body = bytes(range(256)) * 8 * 1024  # 2 MiB, more than the bus takes

    assert (await wire.ask(post(body, "/app")))[2] == b"POST /app " + body
    assert (await wire.ask(chunked(body[:100_000], body[100_000:], path="/app")))[2] == b"POST /app " + body


async def test_a_request_byte_by_byte(wire: Wire) -> None:
    for path in ("/cometd", "/app"):
        for byte in post(HANDSHAKE, path):
            wire.writer.write(bytes([byte]))
            await wire.writer.drain()
            await asyncio.sleep(0)
        status, _, body = await wire.response()
        assert status == 200
        assert (b'"successful":true' if path == "/cometd" else HANDSHAKE) in body


async def test_a_head_that_changes_is_not_taken_for_the_one_before(wire: Wire) -> None:
    """The same head, byte for byte, is not parsed again; anything else is."""
    for _ in range(2):
        assert (await wire.ask(post(HANDSHAKE)))[0] == 200
    other = post(HANDSHAKE).replace(b"Host: test", b"Hose: test")
    assert len(other) == len(post(HANDSHAKE))
    stranger = post(HANDSHAKE, "/cometd", "Origin: https://stranger.example")
    assert (await wire.ask(stranger))[0] == 403
    assert (await wire.ask(other))[0] == 200
    assert (await wire.ask(post(HANDSHAKE, "/elsewhe")))[2] == b"POST /elsewhe " + HANDSHAKE
    assert (await wire.ask(post(HANDSHAKE)))[0] == 200


async def test_a_websocket_of_the_application(origin: str) -> None:
    async with Socket.at(f"{origin}/app") as socket:
        await socket.connection.send("hello")
        assert await socket.connection.recv() == "hello"


async def test_a_websocket_after_requests_on_its_connection(wire: Wire) -> None:
    await wire.ask(post(b"", "/app"))
    wire.writer.write(post(HANDSHAKE) + upgrade("/cometd"))
    assert (await wire.messages())[0]["successful"]
    status, headers, _ = await wire.response()

    assert status == 101
    assert headers["sec-websocket-accept"] == "s3pplmbitxaq9kygzzhzrbk+xoo="


def upgrade(path: str, *headers: str, version: int = 13) -> bytes:
    """Return the handshake of RFC 6455, section 1.3."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: test",
        "Connection: keep-alive, Upgrade",
        "Upgrade: WebSocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        f"Sec-WebSocket-Version: {version}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


@pytest.mark.parametrize("path", ["/cometd", "/app"])
async def test_a_websocket_of_another_version(wire: Wire, path: str) -> None:
    status, _, body = await wire.ask(upgrade(path, version=8))

    assert status == 400
    assert b"version" in body.lower()


async def test_an_upgrade_to_http_2_is_ignored(wire: Wire) -> None:
    """Java's own client asks for it with every first request, and sends the body all the same."""
    headers = (
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA",
    )
    for path in ("/cometd", "/app"):
        status, _, body = await wire.ask(post(HANDSHAKE, path, *headers))
        assert status == 200
        assert (b'"successful":true' if path == "/cometd" else HANDSHAKE) in body


@pytest.mark.parametrize("path", ["/cometd", "/app"])
async def test_an_upgrade_of_a_request_with_a_body_is_ignored(wire: Wire, path: str) -> None:
    headers = ("Connection: Upgrade", "Upgrade: websocket")
    for _ in range(2):
        status, _, body = await wire.ask(post(HANDSHAKE, path, *headers))
        assert status == 200
        assert (b'"successful":true' if path == "/cometd" else HANDSHAKE) in body


async def test_an_upgrade_with_a_line_that_the_application_never_answers_is_refused(wire: Wire) -> None:
    status, headers, _ = await wire.ask(upgrade("/app", "X-Long: " + "a" * 20_000))

    assert (status, headers["connection"]) == (431, "close")


async def test_a_callback_is_answered(bus: Bus) -> None:
    settings = Settings(transports=("callback-polling",))
    bus = Bus(settings=settings)
    async with serving(bus, bus.mount(echo)) as origin, Wire.to(origin) as wire:
        message = "%5B%7B%22channel%22:%22/meta/handshake%22%7D%5D"
        status, headers, body = await wire.ask(
            f"GET /cometd?jsonp=f&message={message} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        )
        assert (status, headers["content-type"]) == (200, "text/javascript;charset=utf-8")
        assert body.startswith(b"/**/f([{")
        refused = f"GET /cometd?jsonp=f&message={message} HTTP/1.1\r\nHost: x\r\nOrigin: http://y\r\n\r\n"
        assert (await wire.ask(refused.encode()))[0] == 403
        assert (await wire.ask(post(HANDSHAKE)))[0] == 403  # this bus does not offer it


async def test_a_hook_that_waits(bus: Bus, wire: Wire, origin: str) -> None:
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
    wire: Wire, garbage: bytes, status: int
) -> None:
    wire.writer.write(post(HANDSHAKE))
    assert (await wire.messages())[0]["successful"]
    wire.writer.write(post(b"x", "/app") + garbage)
    assert (await wire.response())[2] == b"POST /app x"
    if b"/app HTTP/1.1\r\nTransfer-Encoding: chunked" in garbage:
        assert await wire.reader.read() == b""  # the application was being told of it already
        return
    refused, headers, _ = await wire.response()

    assert refused == status
    assert headers["connection"] == "close"
    assert await wire.reader.read() == b""


async def test_a_body_to_the_bus_that_makes_no_sense(wire: Wire) -> None:
    wire.writer.write(b"POST /cometd HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")
    status, headers, _ = await wire.response()

    assert (status, headers["connection"]) == (400, "close")
    assert await wire.reader.read() == b""


async def test_what_follows_a_last_request_is_ignored(wire: Wire) -> None:
    wire.writer.write(post(HANDSHAKE, "/cometd", "Connection: close") + post(b"x", "/app"))
    status, headers, _ = await wire.response()

    assert (status, headers["connection"]) == (200, "close")
    assert await wire.reader.read() == b""


async def test_a_body_over_the_limit_is_refused_while_it_is_sent(wire: Wire) -> None:
    """The client goes on sending; it must be able to read why that is of no use."""
    wire.writer.write(post(b"x" * 3_000_000))
    status, headers, _ = await wire.response()

    assert (status, headers["connection"]) == (413, "close")


async def test_a_body_of_a_million_small_chunks_takes_little_time(wire: Wire) -> None:
    wire.writer.write(chunked(*[b" "] * (LIMIT - len(HANDSHAKE)), HANDSHAKE, path="/cometd"))

    assert (await asyncio.wait_for(wire.messages(), 5))[0]["successful"]


async def test_a_client_that_says_it_sends_no_more_gets_its_answers(wire: Wire) -> None:
    wire.writer.write(post(HANDSHAKE) * 3)
    wire.writer.write_eof()

    for _ in range(3):
        assert (await wire.messages())[0]["successful"]
    assert await wire.reader.read() == b""


# --- Deadlines and numbers ---


async def ends(wire: Wire) -> bytes:
    """Return what comes until the server closes the connection, which must be soon."""
    return await asyncio.wait_for(wire.reader.read(), 2)


@pytest.mark.parametrize("begun", [b"", b"GET", b"POST /cometd HTTP/1.1\r\nHost: x\r\n"])
async def test_a_head_that_does_not_come(bus: Bus, begun: bytes) -> None:
    async with serving(bus, bus.mount(echo), limits=Limits(head=0.1)) as origin, Wire.to(origin) as wire:
        wire.writer.write(begun)
        answer = await ends(wire)

    assert answer.startswith(b"HTTP/1.1 408 ") if begun else answer == b""


async def test_a_head_that_trickles(bus: Bus) -> None:
    async with serving(bus, bus.mount(echo), limits=Limits(head=0.2)) as origin, Wire.to(origin) as wire:

        async def trickle() -> None:
            wire.writer.write(b"GET / HTTP/1.1\r\n")
            while True:
                wire.writer.write(b"X: y\r\n")
                await asyncio.sleep(0.01)

        trickling = asyncio.create_task(trickle())
        answer = await ends(wire)
        trickling.cancel()

    assert answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("path", ["/cometd", "/app"])
async def test_a_body_that_does_not_come(bus: Bus, path: str) -> None:
    limits = Limits(body=0.1)
    async with serving(bus, bus.mount(echo), limits=limits, grace=1) as origin, Wire.to(origin) as wire:
        wire.writer.write(post(HANDSHAKE, path)[:-3])
        answer = await ends(wire)

    assert answer.startswith(b"HTTP/1.1 408 ") if path == "/cometd" else answer == b""


async def test_a_connection_without_requests(bus: Bus) -> None:
    async with (
        serving(bus, bus.mount(echo), limits=Limits(head=0.05, idle=0.1)) as origin,
        Wire.to(origin) as wire,
    ):
        await wire.ask(post(HANDSHAKE))
        await wire.ask(post(b"", "/app"))
        assert await ends(wire) == b""


async def test_a_held_poll_is_not_idle(bus: Bus) -> None:
    limits = Limits(head=0.05, body=0.05, idle=0.05)
    bus = Bus(settings=Settings(timeout=0.4))
    async with (
        serving(bus, bus.mount(echo), limits=limits) as origin,
        Poller.at(f"{origin}/cometd") as client,
    ):
        await client.begin()
        assert (await client.connect())[-1]["successful"]


async def test_a_slow_application_is_not_idle(bus: Bus) -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await asyncio.sleep(0.4)
        await echo(scope, receive, send)

    limits = Limits(head=0.05, body=0.05, idle=0.05)
    async with serving(bus, bus.mount(slow), limits=limits) as origin, Wire.to(origin) as wire:
        assert (await wire.ask(post(b"x", "/app")))[2] == b"POST /app x"


async def test_one_connection_too_many(bus: Bus) -> None:
    async with serving(bus, bus.mount(echo), limits=Limits(connections=2)) as origin:
        async with Wire.to(origin) as one, connect(f"{origin}/cometd".replace("http", "ws")):
            await one.ask(post(HANDSHAKE))
            async with Wire.to(origin) as third:
                assert (await third.response())[0] == 503
                assert await third.reader.read() == b""
            assert (await one.ask(post(HANDSHAKE)))[0] == 200
        async with asyncio.timeout(5):  # it notices the end of the two
            while True:
                async with Wire.to(origin) as again:
                    if (await again.ask(post(HANDSHAKE)))[0] == 200:
                        return
