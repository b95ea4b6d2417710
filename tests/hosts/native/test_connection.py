"""One connection: requests in their order, the time that each may take, and how it ends."""

from __future__ import annotations

import asyncio
import json

import pytest

from mirant import Bus, Settings
from mirant.hosts.asgi.scope import Receive, Scope, Send
from mirant.hosts.native.deadlines import ConnectionLimits
from tests.hosts.clock import clock, settle
from tests.hosts.line import NEVER, Line, Site, upgrade_request
from tests.hosts.native.applications import echo, refuse, sending
from tests.hosts.wire import post

HANDSHAKE = b'[{"channel":"/meta/handshake","id":"1"}]'
SHORT = ConnectionLimits(head=1, body=1, idle=1, closing=1)


@pytest.fixture
async def site() -> Site:
    """Return a site with an application that says what it was asked."""
    return Site(echo)


@pytest.fixture
async def line(site: Site) -> Line:
    """Return a connection to it."""
    return site.connect()


# --- In their order ---


async def test_a_request_behind_a_held_poll_waits_for_it(site: Site, line: Line) -> None:
    await site.enter(line)
    poll = json.dumps({"channel": "/meta/connect", "clientId": site.id, "id": "7"}).encode()
    line.send(post(poll) + b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n")
    session = site.bus.loop.core.sessions.get(site.id)
    assert session is not None
    await settle()
    assert session.held is not None
    face = site.bus.session(site.id)
    assert face is not None
    site.bus.dismiss(face)

    assert [message["channel"] for message in await line.messages()] == ["/meta/disconnect", "/meta/connect"]
    assert (await line.response())[2] == b"GET /next "


async def test_a_websocket_after_requests_on_its_connection(line: Line) -> None:
    await line.ask(post(b"", "/app"))
    line.send(post(HANDSHAKE) + upgrade_request("/cometd"))
    assert (await line.messages())[0]["successful"]
    status, headers, _ = await line.response()

    assert status == 101
    assert headers["sec-websocket-accept"] == "s3pplmbitxaq9kygzzhzrbk+xoo="


async def test_what_follows_a_last_request_is_ignored(line: Line) -> None:
    line.send(post(HANDSHAKE, "/cometd", "Connection: close") + post(b"x", "/app"))
    status, headers, _ = await line.response()

    assert (status, headers["connection"]) == (200, "close")
    assert await line.rest() == b""


async def test_a_client_that_says_it_sends_no_more_gets_its_answers(line: Line) -> None:
    line.send(post(HANDSHAKE) * 3)
    line.end()

    for _ in range(3):
        assert (await line.messages())[0]["successful"]
    assert await line.rest() == b""


async def test_requests_that_were_not_begun_when_the_connection_ended_are_forgotten(line: Line) -> None:
    line.protocol.pause_writing()
    refused = post(HANDSHAKE, "/cometd", "Origin: https://stranger.example")  # at once, unlike messages
    line.send(refused * 2 + b"POST /cometd HT")
    line.protocol.shutdown()
    line.protocol.resume_writing()

    assert (await line.response())[0] == 403
    assert await line.rest() == b""
    await settle()


# --- The time that a client has ---


@pytest.mark.parametrize("begun", [b"", b"GET", b"POST /cometd HTTP/1.1\r\nHost: x\r\n"])
async def test_a_head_that_does_not_come(begun: bytes) -> None:
    line = Site(echo, ConnectionLimits(head=10)).connect()
    if begun:
        line.send(begun)
    await clock().advance(9.9)
    assert not line.closing
    await clock().advance(0.2)
    answer = await line.rest()

    assert answer.startswith(b"HTTP/1.1 408 ") if begun else answer == b""


async def test_a_head_that_trickles() -> None:
    line = Site(echo, ConnectionLimits(head=10)).connect()
    line.send(b"GET / HTTP/1.1\r\n")
    for _ in range(19):
        await clock().advance(0.5)
        assert line.written == b""
        line.send(b"X: y\r\n")
    await clock().advance(0.6)

    assert (await line.rest()).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("path", ["/cometd", "/app"])
async def test_a_body_that_does_not_come(path: str) -> None:
    line = Site(echo, ConnectionLimits(body=30)).connect()
    line.send(post(HANDSHAKE, path)[:-3])
    await clock().advance(29.9)
    assert not line.closing
    assert not line.ended
    await clock().advance(0.2)
    answer = await line.rest()

    assert answer.startswith(b"HTTP/1.1 408 ") if path == "/cometd" else answer == b""


async def test_a_body_for_the_application_has_its_time_between_two_reads() -> None:
    line = Site(echo, ConnectionLimits(body=30)).connect()
    line.send(post(b"1234", "/app")[:-4])
    for digit in (b"1", b"2", b"3"):
        await clock().advance(29)
        line.send(digit)
    await clock().advance(29)
    line.send(b"4")

    assert (await line.response())[2] == b"POST /app 1234"


async def test_a_connection_without_requests() -> None:
    line = Site(echo, ConnectionLimits(head=5, idle=10)).connect()
    await line.ask(post(HANDSHAKE))
    await clock().advance(9)
    await line.ask(post(b"", "/app"))
    await clock().advance(9.9)
    assert not line.closing
    await clock().advance(0.2)

    assert await line.rest() == b""


async def test_a_held_poll_is_not_idle() -> None:
    site = Site(echo, SHORT, bus=Bus(settings=Settings(timeout=10, max_interval=NEVER)))
    line = site.connect()
    await site.enter(line)
    assert await site.poll(line) == b""
    await clock().advance(10.1)

    assert (await line.messages())[-1]["successful"]


async def test_a_slow_application_is_not_idle() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(10)  # on the clock that stands still
        await echo(scope, receive, send)

    line = Site(slow, SHORT).connect()
    line.send(post(b"x", "/app"))
    await clock().advance(11)

    assert (await line.response())[2] == b"POST /app x"


async def test_a_held_poll_is_not_cut_because_the_next_request_is_late() -> None:
    site = Site(refuse, ConnectionLimits(head=5, body=5, idle=5))
    line, other = site.connect(), site.connect()
    await site.enter(line)
    assert await site.poll(line) == b""
    line.send(b"POST /cometd HT")
    await clock().advance(20)
    await site.bus.publish("/a", "still there")

    assert (await line.messages())[0]["data"] == "still there"
    await clock().advance(4.9)
    assert line.written == b""  # the time of the next counts from when its turn has come
    await clock().advance(0.2)
    assert (await line.response())[0] == 408
    assert await other.rest() == b""


async def test_a_body_that_nobody_wants_any_more_has_its_time_too() -> None:
    line = Site(refuse, ConnectionLimits(body=10)).connect()
    line.send(b"POST /app HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
    assert (await line.response())[0] == 404
    for _ in range(20):
        await clock().advance(0.5)
        line.send(b"x")
    await clock().advance(0.1)

    assert await line.rest() == b""


async def test_one_connection_too_many() -> None:
    site = Site(echo, ConnectionLimits(connections=2))
    one, two = site.connect(), site.connect()
    await one.ask(post(HANDSHAKE))
    await two.ask(upgrade_request("/cometd"))
    third = site.connect()
    assert (await third.response())[0] == 503
    assert await third.rest() == b""
    assert (await one.ask(post(HANDSHAKE)))[0] == 200
    two.hang_up()
    await settle()

    assert (await site.connect().ask(post(HANDSHAKE)))[0] == 200


# --- Who takes no answers ---


async def test_who_takes_nothing_of_an_answer_is_dropped() -> None:
    gone = asyncio.Event()

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 200_000, "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()

    line = Site(large, ConnectionLimits(body=10)).connect()
    line.stuck = True
    line.send(b"GET /app HTTP/1.1\r\nHost: x\r\n\r\n")
    await clock().advance(9)
    assert not gone.is_set()
    await clock().advance(1.1)

    assert gone.is_set()
    assert line.dropped.is_set()


async def test_who_takes_an_answer_slowly_gets_all_of_it() -> None:
    site = Site(sending(200_000, (b"connection", b"close")), ConnectionLimits(body=10, closing=1))
    line = site.connect()
    line.stuck = True
    line.send(b"GET /app HTTP/1.1\r\nHost: x\r\n\r\n")
    await settle()
    size = 0
    while line.written:
        size += len(line.take(5_000))
        await clock().advance(9)
        assert not line.dropped.is_set()

    assert size > 200_000


async def test_who_takes_nothing_of_the_last_answer_is_dropped() -> None:
    line = Site(refuse, SHORT).connect()
    line.unsent = 30_000  # less than what would pause the application
    line.send(b"GET /app HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    await clock().advance(3)

    assert line.dropped.is_set()


async def test_who_hangs_up_without_taking_the_answers_is_dropped() -> None:
    line = Site(limits=ConnectionLimits(body=1, closing=1)).connect()
    line.unsent = 30_000
    line.end()
    await clock().advance(2.1)

    assert line.dropped.is_set()


# --- The end of the server ---


@pytest.mark.parametrize("path", ["/cometd", "/app"])
async def test_a_request_that_is_half_sent_does_not_hold_up_the_end(path: str) -> None:
    line = Site(refuse).connect()
    line.send(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n[".encode())
    line.protocol.shutdown()
    assert line.closing
    await settle()


async def test_answers_that_nobody_takes_do_not_hold_up_the_end() -> None:
    line = Site(limits=ConnectionLimits(leaving=1)).connect()
    line.unsent = 100_000
    line.protocol.pause_writing()
    line.send(post(b'[{"channel":"/meta/handshake"}]') * 3)
    line.protocol.shutdown()
    await clock().advance(1.1)

    assert line.dropped.is_set()
