"""Messages that do not come whole, and connections that only seem to have a session: each has a deadline."""

from __future__ import annotations

import pytest
from websockets.frames import Frame, Opcode

from mirant import Bus, Settings
from mirant.hosts.native.deadlines import ConnectionLimits
from tests.hosts.clock import clock, settle
from tests.hosts.line import NEVER, Site
from tests.hosts.native.test_websocket import HANDSHAKE, Peer, peer_of
from tests.hosts.wire import post

LIMITS = ConnectionLimits(session=10, silence=40, pong=20, body=30)
PING = Frame(Opcode.PING, b"").serialize(mask=True)
BEGUN = Frame(Opcode.TEXT, b"[", fin=False).serialize(mask=True)
LONG = Frame(Opcode.TEXT, b"[" + b" " * 1_000_000).serialize(mask=True)
FRAGMENT = Frame(Opcode.CONT, b" ", fin=False).serialize(mask=True)


async def begun() -> Peer:
    """Return a peer with a session."""
    return await (await peer_of(Site(limits=LIMITS))).begin()


@pytest.mark.parametrize(
    "part", [b"\x81", BEGUN, LONG[:500_000], PING[:3]], ids=["head", "1", "long", "ping"]
)
async def test_a_message_that_does_not_come_whole_closes_its_connection(part: bytes) -> None:
    peer = await begun()
    peer.line.send(part)
    await clock().advance(29.8)
    assert await peer.close_code() is None
    await clock().advance(0.3)
    assert await peer.close_code() == 1008


@pytest.mark.parametrize("sign", [PING, FRAGMENT])
async def test_signs_of_life_do_not_prolong_its_time(sign: bytes) -> None:
    peer = await begun()
    peer.line.send(BEGUN)
    for _ in range(6):
        await clock().advance(4.9)
        peer.line.send(sign)
    assert await peer.close_code() is None
    await clock().advance(0.8)
    assert await peer.close_code() == 1008


async def test_a_long_message_on_a_slow_link_is_taken() -> None:
    """1 MB at 2.5 kB a second."""
    peer = await begun()
    message = Frame(Opcode.TEXT, b"[{}" + b" " * 1_000_000 + b"]").serialize(mask=True)
    step = 2_500  # `LEAST_SENT` within 30 seconds, and some more
    for at in range(0, len(message), step):
        peer.line.send(message[at : at + step])
        await clock().advance(1.0)

    assert [reply["successful"] for reply in await peer.messages()] == [False]
    assert not peer.line.closing


async def test_each_message_has_its_own_time() -> None:
    """One that follows another without a pause is not taken for it."""
    peer = await begun()
    message = Frame(Opcode.TEXT, b"[{}]").serialize(mask=True)
    for _ in range(60):
        peer.line.send(message[3:] + message[:3] if _ else message[:3])
        await clock().advance(1.0)

    assert await peer.close_code() is None


async def test_a_message_that_waits_for_us_is_not_late() -> None:
    site = Site(limits=ConnectionLimits(session=2, silence=40, pong=20, body=5))
    waiting = clock().create_future()

    @site.bus.on_publish("/a")
    async def wait(caller: object, data: object) -> None:
        await waiting

    peer = await (await peer_of(site)).begin()
    peer.say({"channel": "/a", "data": 1})
    await settle()
    peer.line.reading = True
    peer.line.send(BEGUN)
    await clock().advance(20)
    assert await peer.close_code() is None
    waiting.set_result(None)
    await settle()
    peer.line.send(Frame(Opcode.CONT, b"]").serialize(mask=True))


@pytest.mark.parametrize(
    "fields", [{"channel": "no channel"}, {"channel": "/meta/connect", "id": "x" * 1000}, {"channel": None}]
)
async def test_who_only_names_a_session_does_not_stay_when_it_ends(fields: dict[str, str]) -> None:
    """Its message was refused for its form, so that the session never was its own."""
    site = Site(limits=LIMITS)
    owner, other = await (await peer_of(site)).begin(), await peer_of(site)
    other.id = owner.id
    other.say(fields)
    assert [reply["successful"] for reply in await other.messages()] == [False]
    owner.say({"channel": "/meta/disconnect"})
    await clock().advance(10.1)

    assert await other.close_code() == 1008


async def test_who_handshakes_and_never_connects_does_not_stay_when_its_session_ends() -> None:
    peer = await peer_of(Site(limits=LIMITS, bus=Bus(settings=Settings(timeout=NEVER, max_interval=5))))
    peer.say(HANDSHAKE)
    assert [reply["successful"] for reply in await peer.messages()] == [True]
    for _ in range(20):
        peer.line.send(PING)
        await clock().advance(1.0)
        if peer.line.closing or peer.line.ended:
            break
    await clock().advance(45)

    assert await peer.close_code() == 1008


async def test_a_long_body_on_a_slow_link_is_taken() -> None:
    """1 MB at 2.5 kB a second."""
    line = Site(limits=LIMITS).connect()
    request = post(b"[{}" + b" " * 1_000_000 + b"]")
    for at in range(0, len(request), 2_500):
        line.send(request[at : at + 2_500])
        await clock().advance(1.0)

    assert [reply["successful"] for reply in await line.messages()] == [False]


async def test_a_long_body_that_stops_is_refused() -> None:
    line = Site(limits=LIMITS).connect()
    line.send(post(b"x" * 1_000_000)[:500_000])
    await clock().advance(30.1)
    assert not line.written  # half of it came in that time
    await clock().advance(30.1)

    assert (await line.response())[0] == 408
