"""What a connection keeps of the heads of its requests: in proportion to what was sent, and bounded."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from mirant import Bus, Handshake, Settings
from tests.hosts.clock import settle
from tests.hosts.line import NEVER, Line, Site, upgrade_request

MANY = 10


@pytest.fixture
def _traced() -> Iterator[None]:
    gc.collect()
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


def kept() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def lines_of(size: int, fields: int) -> list[str]:
    """Return *fields* header lines of *size* bytes together."""
    return [f"X-{number}: {'x' * (size // fields - 8)}" for number in range(fields)]


async def _held(site: Site, line: Line, *headers: str) -> None:
    await site.enter(line)
    assert await site.poll(line, *headers) == b""


@pytest.mark.usefixtures("_traced")
@pytest.mark.parametrize(("size", "fields"), [(60_000, 1), (60_000, 90), (7_000, 90), (900, 90), (7_000, 1)])
async def test_a_held_poll_keeps_little_of_its_head(size: int, fields: int) -> None:
    site = Site()
    await _held(site, site.connect())
    before, connections = kept(), []
    for _ in range(MANY):
        connections.append(site.connect())
        await _held(site, connections[-1])
    plain, more = kept() - before, []
    before = kept()
    for _ in range(MANY):
        more.append(site.connect())
        await _held(site, more[-1], *lines_of(size, fields))
    assert (kept() - before - plain) / MANY <= min(2 * size, 16 * 1024) + 3 * 1024


@pytest.mark.usefixtures("_traced")
async def test_a_held_script_keeps_little_of_its_query() -> None:
    transports = ("long-polling", "callback-polling")
    site = Site(bus=Bus(settings=Settings(timeout=NEVER, max_interval=NEVER, transports=transports)))
    await site.enter(site.connect())
    before, lines = kept(), []
    for _ in range(MANY):
        lines.append(site.connect())
        await site.enter(lines[-1])
        connect = {"channel": "/meta/connect", "clientId": site.id, "connectionType": "callback-polling"}
        query = f"jsonp=call&message={quote(json.dumps([connect]))}&padding={'x' * 50_000}"
        lines[-1].send(f"GET /cometd?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await settle()
        assert lines[-1].take() == b""
    assert (kept() - before) / MANY <= 16 * 1024


@pytest.mark.usefixtures("_traced")
async def test_while_a_function_is_asked_the_head_is_there_and_then_it_goes() -> None:
    site, seen = Site(), []

    @site.bus.authenticate
    async def who(handshake: Handshake) -> None:
        seen.append(len(handshake.request.headers["x-0"]))

    line = site.connect()
    await site.ask(line, "/meta/handshake", *lines_of(50_000, 1), version="1.0")
    await settle()
    assert seen == [49_992]
    assert kept() < 10 * 50_000


@pytest.mark.usefixtures("_traced")
async def test_a_socket_keeps_no_more_of_its_head_than_was_sent() -> None:
    site = Site()
    line = site.connect()
    line.send(upgrade_request("/cometd"))
    await settle()
    before = kept()
    head, lines = upgrade_request("/cometd", *lines_of(7_000, 90)), []
    for _ in range(MANY):
        lines.append(site.connect())
        lines[-1].send(head)
        await settle()
    assert (kept() - before) / MANY <= 2 * len(head)
