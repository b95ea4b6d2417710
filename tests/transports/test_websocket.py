"""What a WebSocket writes, how much it takes, and how it says why it closes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mirant.bayeux.messages import Delivery
from mirant.bus.batch import MAX_FRAME, Batch
from mirant.bus.carrier import MAX_HANDED_OVER, Outgoing
from mirant.bus.request import Request
from mirant.testing import World
from mirant.testing.sockets import FakeConnection


class Socket(FakeConnection):
    """A connection that takes no deliveries while it is full."""

    full = False

    def push(self, batches: Sequence[Batch]) -> bool:
        return not self.full and super().push(batches)


@pytest.fixture
def frames() -> list[bytes]:
    return []


@pytest.fixture
def socket(frames: list[bytes]) -> Socket:
    return Socket(World().core, Request(), frames.append)


BATCH = Batch([Delivery.of_raw("/a", b"1")])


def test_deliveries_leave_before_replies_and_what_follows_them(socket: Socket, frames: list[bytes]) -> None:
    assert socket.send(Outgoing((BATCH,), (b"{}",)))
    assert socket.send(Outgoing((), (b"{}",), (b"1", b"2")))
    assert socket.send(Outgoing((), (), (b"3",)))
    assert frames == [BATCH.payload, b"[{}]", b"[{},1,2]", b"[3]"]


def test_where_deliveries_are_not_taken_nothing_is_sent(socket: Socket, frames: list[bytes]) -> None:
    socket.full = True
    assert not socket.send(Outgoing((BATCH,), (b"{}",)))
    assert frames == []
    assert socket.send(Outgoing((), (b"{}",)))
    assert frames == [b"[{}]"]


def test_many_replies_come_in_frames_of_limited_size(socket: Socket, frames: list[bytes]) -> None:
    reply = b'"%b"' % (b"x" * (MAX_FRAME // 2))
    assert socket.send(Outgoing((), [reply] * 3))
    assert frames == [b"[%b]" % reply] * 3


@pytest.mark.parametrize(
    ("stalled", "connect_only", "room"),
    [
        (False, False, MAX_HANDED_OVER),
        (True, False, 0),
        (True, True, MAX_HANDED_OVER),
        (False, True, MAX_HANDED_OVER),
    ],
)
def test_a_connection_has_room_unless_its_buffer_paces_it(
    socket: Socket, room: int, *, stalled: bool, connect_only: bool
) -> None:
    session = World().polling().enter().session
    session.connect_only = connect_only
    socket.stalled = stalled
    socket.say(b"[]")
    assert socket.room(session) == room


def test_a_reason_is_cut_between_characters(socket: Socket) -> None:
    socket.refuse(1007, "é" * 100)
    assert socket.closed == (1007, "é" * 61)


@pytest.mark.parametrize("text", [b"[]", b" [ ] ", b"", b"\n", b" \t\r\n"])
def test_a_sign_of_life_is_not_answered_and_closes_nothing(text: bytes) -> None:
    """Clients of Faye up to 1.2.5 send an empty array as the connection opens, and as a heartbeat."""
    world = World()
    socket = world.socket()
    socket.send_text(text)
    socket.enter()
    socket.send_text(text)
    assert socket.subscribe("/a")["successful"]
    world.publish("/a", 1)
    assert socket.data == [1]
    assert [] not in socket.frames
    assert socket.closed is None


@pytest.mark.parametrize("text", [b"\0", b"\x0b", b"\xc2\xa0", b"X", b"[[]]", b"null"])
def test_what_is_not_json_is_no_sign_of_life(text: bytes) -> None:
    socket = World().socket()
    socket.send_text(text)
    assert socket.closed is not None
    assert socket.closed[0] == 1007
