"""A client that goes away in the same turn of the event loop in which something is published to it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.hosts.line import Line, Site, settle


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
