"""A client that goes away in the same turn of the event loop in which something is published to it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mirant import Caller
from tests.hosts.line import Line, Site, settle, text_frame


@pytest.fixture(scope="module", autouse=True)
def host() -> None:
    """The native host alone."""


def hang_up(line: Line) -> None:
    """As an event loop does: the end of what comes is told at once, the rest in its next turn."""
    if not line.protocol.eof_received():
        line.closing = True
        asyncio.get_running_loop().call_soon(line.protocol.connection_lost, None)


def reset(line: Line) -> None:
    """As an event loop does with a connection that was reset."""
    line.closing = True
    asyncio.get_running_loop().call_soon(line.protocol.connection_lost, ConnectionResetError())


@pytest.mark.parametrize("cut", [hang_up, reset])
@pytest.mark.parametrize("known", [False, True])
async def test_what_a_held_poll_was_too_late_for_comes_with_the_next(cut: Any, *, known: bool) -> None:
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


@pytest.mark.parametrize("cut", [hang_up, reset])
async def test_what_waited_for_a_poll_that_was_cut_comes_with_the_next_in_its_order(cut: Any) -> None:
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


@pytest.mark.parametrize("cut", [hang_up, reset])
async def test_what_a_websocket_was_too_late_for_comes_with_a_poll(cut: Any) -> None:
    site = Site()
    socket, line = site.connect(), site.connect()
    await site.enter(line)
    await site.upgrade(socket)
    await site.bus.publish("/a", 1)
    await settle()
    assert b'"data":1' in socket.take()
    await site.bus.publish("/a", 2)
    cut(socket)
    await settle()

    assert b'"data":2' in await site.poll(line)
    assert socket.take() == b""


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


async def test_time_does_not_go_back_for_messages_that_had_to_wait() -> None:
    site, release = Site(), asyncio.Event()
    times = []

    @site.bus.on_publish("/slow")
    async def wait(caller: Caller, data: object) -> None:
        times.append(site.bus.loop.now())
        await release.wait()
        times.append(site.bus.loop.now())

    socket, line = site.connect(), site.connect()
    await site.enter(line)
    await site.upgrade(socket)
    for number in range(2):
        socket.protocol.data_received(
            text_frame([{"channel": "/slow", "data": number, "clientId": site.id, "id": "3"}])
        )
    await asyncio.sleep(0.01)
    release.set()
    await settle()
    await settle()

    assert len(times) == 4
    assert times == sorted(times)
