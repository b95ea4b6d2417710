"""Connections that say much at once: they are answered in full, a little in each turn of the event loop."""

from __future__ import annotations

import asyncio
import gc
import json
import re

import pytest
from websockets.frames import Frame, Opcode

from mirant.hosts.native.exchange import BusAnswer
from mirant.hosts.turns import PROMPT, STEPS
from tests.hosts.clock import settle
from tests.hosts.line import Line, Site, text_frame, upgrade_request
from tests.hosts.wire import post

PING = Frame(Opcode.PING, b"").serialize(mask=True)
BEGIN = Frame(Opcode.TEXT, b"", fin=False).serialize(mask=True)
FRAGMENT = Frame(Opcode.CONT, b"", fin=False).serialize(mask=True)
MESSAGE = Frame(Opcode.TEXT, b"{}").serialize(mask=True)
HANDSHAKE = text_frame([{"channel": "/meta/handshake", "id": "1"}])
FOREIGN = post(b"[{}]", "/cometd", "Origin: http://elsewhere.example")

MANY = 50  # times the steps of one turn


async def websocket(site: Site) -> Line:
    """Return a connection that has become a WebSocket."""
    line = site.connect()
    line.send(upgrade_request())
    await line.head()
    return line


async def _most_at_once(line: Line, answer: bytes) -> tuple[int, int]:
    """Return how many answers were written in any one turn, and how many in all."""
    most = total = rest = 0
    while rest < 10:
        await asyncio.sleep(0)
        count = line.take().count(answer)
        most, total = max(most, count), total + count
        rest = 0 if count else rest + 1
    return most, total


@pytest.mark.parametrize(
    ("unit", "answer"), [(PING, b"\x8a\x00"), (MESSAGE, b'"successful":false')], ids=["pings", "messages"]
)
async def test_a_flood_of_frames_is_answered_in_many_turns(unit: bytes, answer: bytes) -> None:
    line = await websocket(Site())
    line.send(unit * STEPS * MANY)
    first = line.take().count(answer)
    assert not line.is_reading()
    most, total = await _most_at_once(line, answer)

    assert max(first, most) <= STEPS
    assert first + total == STEPS * MANY
    assert line.is_reading()


async def test_a_flood_of_fragments_is_read_in_many_turns() -> None:
    """Fragments are answered by nothing, so the turns are counted until the ping behind them is."""
    line = await websocket(Site())
    line.send(BEGIN + FRAGMENT * STEPS * MANY + PING)
    turns = 0
    while not line.take():
        await asyncio.sleep(0)
        turns += 1

    assert turns >= MANY
    await settle()
    assert line.is_reading()


async def test_while_one_floods_another_is_answered_at_once() -> None:
    site = Site()
    flooding, innocent = await websocket(site), await websocket(site)
    flooding.send(MESSAGE * STEPS * MANY)
    innocent.send(HANDSHAKE)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert b"clientId" in innocent.written
    assert flooding.written.count(b'"successful":false') <= 2 * STEPS


async def test_what_is_sent_while_a_turn_is_waited_for_keeps_its_order() -> None:
    line = await websocket(Site())
    numbers = range(STEPS * 4)
    for part in range(4):
        some = numbers[part * STEPS : (part + 1) * STEPS]
        line.send(b"".join(text_frame([{"channel": "/a", "id": str(number)}]) for number in some))
    await settle()
    for _ in range(3):
        await settle()
    ids = re.findall(rb'"id":"(\d+)"', line.take())

    assert ids == [str(number).encode() for number in numbers]


async def test_a_large_message_waits_for_its_turn() -> None:
    line = await websocket(Site())
    body = json.dumps([{"channel": "/a", "data": "x" * PROMPT}]).encode()
    line.send(Frame(Opcode.TEXT, body).serialize(mask=True))
    await asyncio.sleep(0)
    assert not line.written

    await settle()
    assert b'"successful":false' in line.take()
    assert line.is_reading()


async def test_who_floods_while_the_server_closes_is_closed_too() -> None:
    line = await websocket(Site())
    line.protocol.close(1001, "the server is going away")
    line.send(MESSAGE * STEPS * 3 + Frame(Opcode.CLOSE, (1001).to_bytes(2, "big")).serialize(mask=True))
    for _ in range(3):
        await settle()

    assert line.closing


async def test_a_connection_that_is_lost_takes_no_more_turns() -> None:
    site = Site()
    line = await websocket(site)
    line.send(MESSAGE * STEPS * MANY)
    line.reset()
    for _ in range(3):
        await settle()

    assert line.written.count(b'"successful":false') <= 2 * STEPS
    assert not site.state.connections


@pytest.mark.parametrize("request_", [FOREIGN, post(b"[{}]")], ids=["refused", "served"])
async def test_pipelined_requests_are_answered_in_many_turns(request_: bytes) -> None:
    line = Site().connect()
    line.send(request_ * 400)
    most, total = await _most_at_once(line, b"HTTP/1.1 ")

    assert total == 400
    assert most <= STEPS // 4
    assert line.is_reading()


async def test_a_body_in_chunks_of_one_byte_is_read_in_many_turns() -> None:
    site = Site()
    line, innocent = site.connect(), site.connect()
    head, _, _ = post(b"").partition(b"Content-Length")
    line.send(head + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 20_000)
    innocent.send(post(b"[{}]"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert b"HTTP/1.1 200" in innocent.written

    line.send(b"4\r\n[{}]\r\n0\r\n\r\n")
    for _ in range(30):
        await settle()
    assert (await line.messages())[0]["successful"] is False


async def test_a_client_that_is_refused_and_sends_on_is_read_from_in_its_turn() -> None:
    """What it sends is discarded, which takes time too."""
    line = Site().connect()
    line.send(post(b"x" * 3_000_000)[:1_000])
    assert (await line.response())[0] == 413
    line.send(b"x" * (PROMPT + 1))
    line.send(b"x" * (PROMPT + 1))
    assert not line.is_reading()

    await settle()
    assert line.is_reading()


async def test_many_connections_that_each_say_as_much_as_they_may_share_a_turn() -> None:
    site = Site()
    lines = [await websocket(site) for _ in range(40)]
    for line in lines:
        line.send(MESSAGE * (STEPS - 1))
    in_turns: list[int] = []
    while sum(in_turns) < 40 * (STEPS - 1):
        await asyncio.sleep(0)
        in_turns.append(sum(line.take().count(b'"successful":false') for line in lines))

    assert 0 < next(filter(None, in_turns)) < 20 * STEPS
    assert sum(in_turns) == 40 * (STEPS - 1)


async def test_of_large_messages_a_turn_takes_one() -> None:
    line = await websocket(Site())
    line.send(Frame(Opcode.TEXT, json.dumps([{"data": "x" * 20_000}]).encode()).serialize(mask=True) * 3)

    assert await _most_at_once(line, b'"successful":false') == (1, 3)


async def test_a_request_that_was_answered_is_kept_by_nothing() -> None:
    gc.collect()
    before = sum(type(each) is BusAnswer for each in gc.get_objects())
    gc.disable()  # who sends large heads is faster than it is
    try:
        line = Site().connect()
        line.send(post(b"[{}]", "/cometd", "X-Large: 1"))
        await line.response()
        line.send(post(b"[{}]", "/cometd", "X-Large: 22"))
        await line.response()
        after = sum(type(each) is BusAnswer for each in gc.get_objects())
    finally:
        gc.enable()
    assert after == before
