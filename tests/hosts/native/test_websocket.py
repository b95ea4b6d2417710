"""One WebSocket of the native host: signs of life, slow readers, and every way in which it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, cast

import pytest
from websockets.frames import Frame, Opcode

from mirant import Bus, Caller, Settings
from mirant.hosts.native.deadlines import ConnectionLimits
from mirant.hosts.native.websocket import NativeWebSocket
from tests.hosts.clock import clock, settle
from tests.hosts.line import NEVER, Line, Site, text_frame, upgrade_request

Cut = Callable[[Line], None]

CONNECT = {"channel": "/meta/connect", "connectionType": "websocket"}
HANDSHAKE = {"channel": "/meta/handshake", "id": "1"}


class Peer:
    """The client of a WebSocket."""

    def __init__(self, site: Site, line: Line) -> None:
        self.site = site
        self.line = line
        self.id = ""

    def say(self, *messages: dict[str, Any]) -> None:
        """Send *messages* in one frame, each with our clientId."""
        self.line.send(text_frame([{"clientId": self.id, **message} for message in messages]))

    def frames(self) -> list[tuple[int, bytes]]:
        """Read all frames that have come: their opcodes and payloads."""
        data, found = self.line.take(), []
        while data:
            size, start = data[1], 2
            if size >= 126:
                width = 2 if size == 126 else 8
                size, start = int.from_bytes(data[2 : 2 + width], "big"), 2 + width
            found.append((data[0] & 15, data[start : start + size]))
            data = data[start + size :]
        return found

    async def messages(self) -> list[dict[str, Any]]:
        """Read all messages that have come."""
        await settle()
        return [
            message
            for opcode, payload in self.frames()
            if opcode == Opcode.TEXT
            for message in json.loads(payload)
        ]

    async def close_code(self) -> int | None:
        """Read all that has come; return the code of the close frame in it, if there is one."""
        await settle()
        codes = [
            int.from_bytes(payload[:2], "big") for code, payload in self.frames() if code == Opcode.CLOSE
        ]
        return codes[0] if codes else None

    def close(self, code: int = 1000) -> None:
        """Send a close frame."""
        self.line.send(Frame(Opcode.CLOSE, code.to_bytes(2, "big")).serialize(mask=True))

    async def begin(self, pattern: str = "/a") -> Peer:
        """Handshake, connect and subscribe to *pattern*."""
        self.say(HANDSHAKE)
        self.id = (await self.messages())[0]["clientId"]
        self.say(CONNECT)
        self.say({"channel": "/meta/subscribe", "subscription": pattern})
        assert all(message["successful"] for message in await self.messages())
        return self


async def peer_of(site: Site) -> Peer:
    """Open a WebSocket."""
    line = site.connect()
    assert (await line.ask(upgrade_request()))[0] == 101
    return Peer(site, line)


# --- What the peer has to do in time ---


async def test_a_connection_without_a_session_does_not_stay() -> None:
    peer = await peer_of(Site(limits=ConnectionLimits(session=10)))
    await clock().advance(9.9)
    assert peer.frames() == []
    await clock().advance(0.2)
    assert await peer.close_code() == 1008


async def test_a_connection_whose_session_ended_does_not_stay() -> None:
    peer = await (await peer_of(Site(limits=ConnectionLimits(session=10)))).begin()
    await clock().advance(11)
    peer.say({"channel": "/meta/disconnect"})
    await peer.messages()
    await clock().advance(9.9)
    assert peer.frames() == []
    await clock().advance(0.2)
    assert await peer.close_code() == 1008


@pytest.mark.parametrize("sent", [b"\x89\x80\0\0\0\0", b"\x81\x84\0\0\0\0[{}]"])
async def test_only_a_handshake_lets_a_connection_without_a_session_stay(sent: bytes) -> None:
    peer = await peer_of(Site(limits=ConnectionLimits(session=10)))
    for _ in range(20):
        peer.line.send(sent)
        await clock().advance(0.5)
    await clock().advance(0.1)
    assert await peer.close_code() == 1008


async def test_handshakes_repeated_on_one_socket_do_not_renew_its_time() -> None:
    """Each is answered; but only one that gives it a session lets the connection stay."""
    site = Site(limits=ConnectionLimits(session=10))

    @site.bus.authenticate
    def nobody(handshake: object) -> None: ...

    peer = await peer_of(site)
    for _ in range(9):
        peer.say(HANDSHAKE)
        [reply] = await peer.messages()
        assert reply["successful"] is False
        await clock().advance(1)
    await clock().advance(1.1)
    assert await peer.close_code() == 1008


async def test_of_sessions_from_repeated_handshakes_on_one_socket_only_the_last_stays() -> None:
    """The socket is the last one's. The others end at once, or a socket could make any number."""
    site = Site(bus=Bus(settings=Settings(timeout=NEVER, max_interval=10)))
    peer = await peer_of(site)
    ids = [(await peer.begin("/a")).id for _ in range(3)]
    assert len(set(ids)) == 3
    assert site.bus.sessions == 1
    await site.bus.publish("/a", 1)
    assert await peer.messages() == [{"channel": "/a", "data": 1}]
    peer.say(CONNECT)  # it is held, and keeps its session
    await clock().advance(11)

    assert site.bus.sessions == 1
    assert site.bus.session(ids[-1]) is not None
    await site.bus.publish("/a", 2)
    assert await peer.messages() == [{"channel": "/a", "data": 2}]


async def test_who_answers_no_ping_is_dropped() -> None:
    site = Site(limits=ConnectionLimits(session=5, silence=40, pong=20))
    peer = await (await peer_of(site)).begin()
    await clock().advance(39.9)
    assert peer.frames() == []
    await clock().advance(0.2)
    assert peer.frames() == [(Opcode.PING, b"")]
    await clock().advance(19.8)
    assert not peer.line.closing
    await clock().advance(0.3)

    assert peer.line.dropped.is_set()
    assert site.bus.sessions == 1  # it may come back


async def test_who_answers_pings_stays() -> None:
    site = Site(limits=ConnectionLimits(session=5, silence=40, pong=20))
    peer = await (await peer_of(site)).begin()
    for _ in range(5):
        await clock().advance(45)
        assert (Opcode.PING, b"") in peer.frames()
        peer.line.send(b"\x8a\x80\0\0\0\0")
    await site.bus.publish("/a", 1)

    assert await peer.messages() == [{"channel": "/a", "data": 1}]


async def test_who_does_not_answer_a_close_is_dropped() -> None:
    site = Site(limits=ConnectionLimits(closing=2))
    peer = await (await peer_of(site)).begin()
    second = await peer_of(site)
    second.id = peer.id
    second.say(CONNECT)
    assert await peer.close_code() == 1000
    await clock().advance(1.9)
    assert not peer.line.closing
    await clock().advance(0.2)

    assert peer.line.dropped.is_set()


# --- The closing handshake ---


async def test_a_close_frame_is_answered_and_the_connection_closed() -> None:
    """RFC 6455, sections 5.5.1 and 7.1.1."""
    peer = await (await peer_of(Site())).begin()
    peer.close(4000)

    assert await peer.close_code() == 4000
    assert peer.line.closing


async def test_the_answer_to_our_close_frame_ends_the_connection() -> None:
    peer = await (await peer_of(Site())).begin()
    peer.line.protocol.close(1000, "bye")
    assert await peer.close_code() == 1000
    assert not peer.line.closing
    peer.close()

    assert await peer.close_code() is None
    assert peer.line.closing


async def test_a_message_that_comes_after_our_close_frame_is_too_late() -> None:
    site = Site()
    peer = await (await peer_of(site)).begin()
    peer.line.protocol.close(1000, "bye")
    peer.say({"channel": "/a", "data": "late"})
    await settle()

    assert [opcode for opcode, _ in peer.frames()] == [Opcode.CLOSE]


async def test_what_breaks_the_protocol_costs_only_its_connection() -> None:
    site = Site()
    line = site.connect()
    line.send(upgrade_request() + b"\xff" * 9)
    assert (await line.response())[0] == 101

    assert await Peer(site, line).close_code() == 1002
    assert line.ended
    await (await peer_of(site)).begin()


async def test_a_close_frame_that_comes_too_late_is_not_sent() -> None:
    """uvloop raises when something is written to a connection that is gone."""
    peer = await (await peer_of(Site())).begin()
    link = peer.line.protocol
    assert isinstance(link, NativeWebSocket)
    link.close(1000, "bye")
    link.connection_lost(None)
    link._transport = cast("asyncio.Transport", None)  # whatever is written now raises
    await asyncio.sleep(0)
    link._send_close()  # as the event loop does then, or has done


# --- A peer that does not read ---


async def test_a_slow_reader_gets_everything_in_its_order() -> None:
    """Several frames at once, of which the first fills the buffer."""
    site = Site()
    peer = await (await peer_of(site)).begin()
    peer.line.stuck = True
    for number in range(10):
        site.bus.publish_nowait("/a", [number, "x" * 30_000])
    await settle()
    received: list[int] = []
    while len(received) < 10:
        found = await peer.messages()
        assert found, received
        received += [message["data"][0] for message in found]

    assert received == list(range(10))


async def test_who_reads_no_answers_is_not_read_from_until_it_reads() -> None:
    site = Site()
    peer = await (await peer_of(site)).begin()
    peer.line.stuck = True
    await site.bus.publish("/a", "x" * 100_000)
    await settle()
    assert not peer.line.is_reading()
    peer.say({"channel": "/a", "data": "asked meanwhile", "id": "9"})
    await settle()
    published = [message["data"] for message in await peer.messages()]
    await settle()

    assert published == ["x" * 100_000]
    assert peer.line.is_reading()
    assert [message["data"] for message in await peer.messages() if "data" in message] == ["asked meanwhile"]


async def test_what_a_broken_websocket_had_not_sent_goes_back_to_the_session() -> None:
    site = Site()
    peer = await (await peer_of(site)).begin()
    peer.line.stuck = True
    for number in range(6):
        site.bus.publish_nowait("/a", [number, "x" * 30_000])
    await settle()
    sent = [message["data"][0] for message in await _peek(peer)]
    assert 0 < len(sent) < 6
    peer.line.reset()
    await settle()
    again = await peer_of(site)
    again.id = peer.id
    again.say(CONNECT)
    received = [message["data"][0] for message in await again.messages() if "data" in message]

    assert sent + received == list(range(6))


async def _peek(peer: Peer) -> list[dict[str, Any]]:
    """Return the messages that were written, without letting the server know that they were read."""
    whole = peer.line.written
    reader = Peer(peer.site, Line())
    reader.line.written = whole
    return await reader.messages()


# --- A peer that goes away in the same turn in which something is published to it ---


@pytest.mark.parametrize("cut", [Line.hang_up, Line.reset])
async def test_what_a_websocket_was_too_late_for_comes_with_a_poll(cut: Cut) -> None:
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
        socket.send(text_frame([{"channel": "/slow", "data": number, "clientId": site.id, "id": "3"}]))
    await clock().advance(0.01)
    release.set()
    await settle()
    await settle()

    assert len(times) == 4
    assert times == sorted(times)


async def test_who_reads_slowly_and_steadily_is_neither_pinged_nor_dropped() -> None:
    """Its pong would come behind all that it has still to read."""
    site = Site(limits=ConnectionLimits(session=5, silence=40, pong=20))
    peer = await (await peer_of(site)).begin()
    peer.line.stuck = True
    for _ in range(5):
        await site.bus.publish("/a", "x" * 100_000)
    for _ in range(30):
        await clock().advance(10)
        peer.line.take(10_000)

    assert not peer.line.closing
    assert site.bus.sessions == 1


async def test_who_stops_reading_is_dropped() -> None:
    site = Site(limits=ConnectionLimits(session=5, silence=40, pong=20))
    peer = await (await peer_of(site)).begin()
    peer.line.stuck = True
    for _ in range(5):
        await site.bus.publish("/a", "x" * 100_000)
    await clock().advance(100)

    assert peer.line.dropped.is_set()
