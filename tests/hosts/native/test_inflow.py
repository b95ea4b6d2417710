"""How far ahead a connection is read: not further than is of use, and on again when there is room."""

from __future__ import annotations

import asyncio

from mirant.hosts.asgi.scope import Receive, Scope, Send
from tests.hosts.clock import settle
from tests.hosts.line import Site
from tests.hosts.native.applications import echo, refuse
from tests.hosts.wire import post

HANDSHAKE = b'[{"channel":"/meta/handshake","id":"1"}]'
GET = b"GET /app HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_a_thousand_requests_at_once() -> None:
    line = Site(echo).connect()
    line.send((post(HANDSHAKE) + post(b"x", "/app")) * 500)

    for _ in range(500):
        assert (await line.messages())[0]["successful"]
        assert (await line.response())[2] == b"POST /app x"


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
    line.send(post(b"b" * 70_000, "/app") + GET * 3_000)
    await read.wait()

    assert not line.is_reading()
    line.hang_up()
    release.set()
    await settle()


async def test_it_is_read_from_again_when_there_is_room() -> None:
    release = asyncio.Event()

    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        await release.wait()
        await refuse(scope, receive, send)

    line = Site(waiting).connect()
    line.send(GET * 3_000)
    assert not line.is_reading()
    line.send(post(HANDSHAKE))
    release.set()

    for _ in range(3_000):
        assert (await line.response())[0] == 404
    assert line.is_reading()
    assert (await line.messages())[0]["successful"]
