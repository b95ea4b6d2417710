"""Requests to the bus, answered in place: what is read, what is known already, and what a cut leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from mirant import Bus, Caller, Settings
from tests.hosts.clock import settle
from tests.hosts.line import NEVER, Line, Site
from tests.hosts.native.applications import echo
from tests.hosts.wire import post

LIMIT = 100_000
HANDSHAKE = b'[{"channel":"/meta/handshake","id":"1"}]'

Cut = Callable[[Line], None]


@pytest.fixture
async def line() -> Line:
    """Return a connection to a bus that takes small bodies only, with an application beside it."""
    bus = Bus(settings=Settings(max_body=LIMIT, timeout=NEVER, max_interval=NEVER))
    return Site(echo, bus=bus).connect()


async def test_a_head_that_changes_is_not_taken_for_the_one_before(line: Line) -> None:
    """The same head, byte for byte, is not parsed again; anything else is."""
    for _ in range(2):
        assert (await line.ask(post(HANDSHAKE)))[0] == 200
    other = post(HANDSHAKE).replace(b"Host: test", b"Host: tess")
    assert len(other) == len(post(HANDSHAKE))
    stranger = post(HANDSHAKE, "/cometd", "Origin: https://stranger.example")
    assert (await line.ask(stranger))[0] == 403
    assert (await line.ask(other))[0] == 200
    assert (await line.ask(post(HANDSHAKE, "/elsewhe")))[2] == b"POST /elsewhe " + HANDSHAKE
    assert (await line.ask(post(HANDSHAKE)))[0] == 200


async def test_a_callback_is_answered() -> None:
    line = Site(echo, bus=Bus(settings=Settings(transports=("callback-polling",)))).connect()
    message = "%5B%7B%22channel%22:%22/meta/handshake%22%7D%5D"
    status, headers, body = await line.ask(
        f"GET /cometd?jsonp=f&message={message} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    )
    assert (status, headers["content-type"]) == (200, "text/javascript;charset=utf-8")
    assert body.startswith(b"/**/f([{")
    refused = f"GET /cometd?jsonp=f&message={message} HTTP/1.1\r\nHost: x\r\nOrigin: http://y\r\n\r\n"
    assert (await line.ask(refused.encode()))[0] == 403
    assert (await line.ask(post(HANDSHAKE)))[0] == 403  # this bus does not offer it


async def test_a_query_with_bytes_that_are_not_utf_8_is_refused() -> None:
    line = Site(echo, bus=Bus(settings=Settings(transports=("callback-polling",)))).connect()
    status, _, _ = await line.ask(b"GET /cometd?jsonp=f&message=\x80 HTTP/1.1\r\nHost: x\r\n\r\n")

    assert status == 400


async def test_a_body_over_the_limit_is_refused_while_it_is_sent(line: Line) -> None:
    """The client goes on sending; it must be able to read why that is of no use."""
    line.send(post(b"x" * 3_000_000)[:1_000_000])
    status, headers, _ = await line.response()

    assert (status, headers["connection"]) == (413, "close")
    assert line.ended
    assert not line.closing
    line.send(b"x" * 2_000_000)
    assert line.is_reading()


# --- A client that goes away in the same turn in which something is published to it ---


@pytest.mark.parametrize("cut", [Line.hang_up, Line.reset])
@pytest.mark.parametrize("known", [False, True])
async def test_what_a_held_poll_was_too_late_for_comes_with_the_next(cut: Cut, *, known: bool) -> None:
    site = Site()
    line = site.connect()
    await site.enter(line)
    if known:  # a request with the head of the one before takes the short way
        await site.bus.publish("/a", "before")
        await site.poll(line)
    assert await site.poll(line) == b""  # it is held
    await site.bus.publish("/a", "now")
    cut(line)
    await settle()

    assert line.take() == b""
    assert b'"data":"now"' in await site.poll(site.connect())


@pytest.mark.parametrize("cut", [Line.hang_up, Line.reset])
async def test_what_waited_for_a_poll_that_was_cut_comes_with_the_next_in_its_order(cut: Cut) -> None:
    site = Site()
    line = site.connect()
    await site.enter(line)
    await site.bus.publish("/a", 1)
    await site.poll(line)
    await site.bus.publish("/a", 2)
    await settle()
    poll = asyncio.create_task(site.poll(line))
    await asyncio.sleep(0)  # it is read, and is to be answered at the end of this turn
    await site.bus.publish("/a", 3)
    cut(line)

    assert await poll == b""
    answer = await site.poll(site.connect())
    assert answer.index(b'"data":2') < answer.index(b'"data":3')


async def test_who_sends_no_more_gets_its_reply_and_what_waits_stays_for_a_poll() -> None:
    """It may be gone for good: then nobody reads what is sent to it."""
    site, release = Site(), asyncio.Event()

    @site.bus.on_publish("/slow")
    async def wait(caller: Caller, data: object) -> None:
        await release.wait()

    line, other = site.connect(), site.connect()
    await site.enter(other)
    assert await site.ask(line, "/slow", data=1) == b""
    assert line.protocol.eof_received()
    await site.bus.publish("/a", "precious")
    release.set()
    await settle()

    answer = line.take()
    assert b'"successful":true' in answer
    assert b"precious" not in answer
    assert b"precious" in await site.poll(other)


async def test_an_answer_that_cannot_be_sent_is_put_back() -> None:
    """The messages of an answer whose client is gone wait for the next poll, and were not lost."""
    site, release = Site(), asyncio.Event()

    @site.bus.on_publish("/slow")
    async def wait(caller: Caller, data: object) -> None:
        await release.wait()

    line = site.connect()
    await site.enter(line)
    assert await site.ask(line, "/slow", data=1) == b""
    await site.bus.publish("/a", "precious")
    line.closing = True  # which the protocol is told of only later
    release.set()
    await settle()

    assert line.take() == b""
    assert b"precious" in await site.poll(site.connect())
