"""How long the native host waits for clients that are slow, on purpose or not."""

import asyncio
import json
from typing import Any, cast

import pytest

from mirant import Bus, Settings
from mirant.hosts.asgi.scope import AsgiApplication, Receive, Scope, Send, answer_lifespan
from mirant.hosts.native.deadlines import Limits
from tests.hosts.clients import Poller
from tests.hosts.line import Site, settle
from tests.hosts.serving import serving
from tests.hosts.wire import Wire, post

NEVER = 30.0


@pytest.fixture(scope="module", autouse=True)
def host() -> None:
    """The native host alone."""


@pytest.fixture
async def bus() -> Bus:
    """Return a bus on which nothing happens by itself."""
    return Bus(settings=Settings(timeout=NEVER, max_interval=NEVER))


def answering(app: AsgiApplication) -> AsgiApplication:
    """Return *app*, which answers requests, as an application that can be started too."""

    async def whole(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await answer_lifespan(receive, send)
        else:
            await app(scope, receive, send)

    return whole


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 404 at once, whatever is still to come."""
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def test_who_sends_on_and_on_is_not_read_from() -> None:
    """The application resumes reading when it has read a body; that does not undo that enough has come."""

    read, release = asyncio.Event(), asyncio.Event()

    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body", False):
            pass
        read.set()
        await release.wait()
        await refuse(scope, receive, send)

    line = Site(reading).connect()
    line.protocol.data_received(post(b"b" * 70_000, "/app") + b"GET /app HTTP/1.1\r\nHost: x\r\n\r\n" * 3_000)
    await read.wait()

    assert not line.is_reading()
    line.protocol.connection_lost(None)
    release.set()
    await settle()


async def test_a_held_poll_is_not_cut_because_the_next_request_is_late(bus: Bus) -> None:
    limits = Limits(head=0.1, body=0.1, idle=0.1)
    app = bus.mount(answering(refuse))
    async with (
        serving(bus, app, limits=limits) as origin,
        Wire.to(origin) as wire,
        Poller.at(f"{origin}/cometd") as other,
    ):
        reply = (await wire_messages(wire, {"channel": "/meta/handshake"}))[0]
        own = {"clientId": reply["clientId"], "id": "1", "connectionType": "long-polling"}
        await wire_messages(wire, {"channel": "/meta/subscribe", **own, "subscription": "/a"})
        await wire_messages(wire, {"channel": "/meta/connect", **own})
        wire.writer.write(post(json.dumps([{"channel": "/meta/connect", **own}]).encode()))
        wire.writer.write(b"POST /cometd HT")
        await asyncio.sleep(0.5)
        await other.begin()
        await other.publish("/a", "still there")

        assert (await wire.messages())[0]["data"] == "still there"
        status, _, _ = await asyncio.wait_for(wire.response(), 3)
        assert status == 408  # it counts from when its turn has come


async def test_a_body_that_nobody_wants_any_more_has_its_time_too(bus: Bus) -> None:
    async with (
        serving(bus, bus.mount(answering(refuse)), limits=Limits(body=0.2)) as origin,
        Wire.to(origin) as wire,
    ):
        wire.writer.write(b"POST /app HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        assert (await wire.response())[0] == 404
        dripping = asyncio.create_task(drip(wire))
        assert await asyncio.wait_for(wire.reader.read(), 5) == b""
        dripping.cancel()


async def wire_messages(wire: Wire, message: dict[str, Any]) -> Any:
    """Send one message in a body and return those of the answer."""
    wire.writer.write(post(json.dumps([message]).encode()))
    return await wire.messages()


async def drip(wire: Wire) -> None:
    """Send a byte now and then."""
    while True:
        wire.writer.write(b"x")
        await asyncio.sleep(0.05)


async def test_who_takes_nothing_of_an_answer_is_dropped(bus: Bus) -> None:
    gone = asyncio.Event()

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 20_000_000, "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()

    async with (
        serving(bus, bus.mount(answering(large)), limits=Limits(body=0.2)) as origin,
        Wire.to(origin) as wire,
    ):
        cast(asyncio.Transport, wire.writer.transport).pause_reading()
        wire.writer.write(b"GET /app HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.wait_for(gone.wait(), 5)


async def test_who_takes_an_answer_slowly_gets_all_of_it(bus: Bus) -> None:
    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
        await send({"type": "http.response.body", "body": b"x" * 20_000_000})

    limits = Limits(body=0.2, closing=0.2)
    async with serving(bus, bus.mount(answering(large)), limits=limits) as origin, Wire.to(origin) as wire:
        wire.writer.write(b"GET /app HTTP/1.1\r\nHost: x\r\n\r\n")
        size = 0
        while part := await wire.reader.read(1_000_000):
            size += len(part)
            await asyncio.sleep(0.02)

    assert size > 20_000_000


async def test_who_takes_nothing_of_the_last_answer_is_dropped() -> None:
    line = Site(refuse, Limits(head=0.1, body=0.1, idle=0.1, closing=0.1)).connect()
    line.unsent = 30_000  # less than what would pause the application
    line.protocol.data_received(b"GET /app HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    await asyncio.wait_for(line.dropped.wait(), 3)


async def test_who_hangs_up_without_taking_the_answers_is_dropped() -> None:
    line = Site(limits=Limits(body=0.1, closing=0.1)).connect()
    line.unsent = 30_000
    assert not line.protocol.eof_received()
    line.closing = True
    await asyncio.wait_for(line.dropped.wait(), 3)


async def test_a_request_that_is_half_sent_does_not_hold_up_the_end() -> None:
    for path in ("/cometd", "/app"):
        line = Site(refuse).connect()
        line.protocol.data_received(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n[".encode())
        line.protocol.shutdown()
        assert line.closing
        line.protocol.connection_lost(None)
        await settle()


async def test_answers_that_nobody_takes_do_not_hold_up_the_end() -> None:
    line = Site(limits=Limits(leaving=0.1)).connect()
    line.unsent = 100_000
    line.protocol.pause_writing()
    line.protocol.data_received(post(b'[{"channel":"/meta/handshake"}]') * 3)
    line.protocol.shutdown()
    await asyncio.wait_for(line.dropped.wait(), 3)
