"""WebSocket frames, against the `websockets` library at the other end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from mirant.load.frames import (
    PING,
    TEXT,
    WHOLE_TEXT,
    Assembler,
    ServerFrameInvalid,
    accept_of,
    frame,
    split,
    upgrade_fault,
)

SIZES = st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536, 70_000])


def from_server(payload: bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> bytes:
    """Return a frame as `websockets` writes it at a server."""
    return Frame(opcode, payload, fin=fin).serialize(mask=False)


@given(st.lists(SIZES, max_size=4), st.integers(0, 200_000))
def test_frames_come_out_whole_wherever_the_stream_is_cut(sizes: list[int], cut: int) -> None:
    payloads = [bytes([65 + index]) * size for index, size in enumerate(sizes)]
    stream = b"".join(map(from_server, payloads))
    first, rest = split(stream[:cut])
    second, rest = split(rest + stream[cut:])

    assert first + second == [(WHOLE_TEXT, payload) for payload in payloads]
    assert rest == b""


@pytest.mark.parametrize("size", [0, 1, 3, 4, 125, 126, 65_535, 65_536])
def test_a_server_reads_our_frames(size: int) -> None:
    payload = bytes(range(256)) * (size // 256 + 1)
    written = frame(TEXT, payload[:size])
    reader = StreamReader()
    reader.feed_data(written)
    parsing = Frame.parse(reader.read_exact, mask=True)
    with pytest.raises(StopIteration) as done:
        next(parsing)

    assert done.value.value == Frame(Opcode.TEXT, payload[:size])


def test_masked_frames_are_refused() -> None:
    with pytest.raises(ServerFrameInvalid, match="masks"):
        split(frame(TEXT, b"hello"))


def test_an_absurd_length_is_refused() -> None:
    with pytest.raises(ServerFrameInvalid, match="bytes"):
        split(b"\x81\x7f" + (1 << 40).to_bytes(8, "big"))


def test_fragments_are_put_together() -> None:
    assembler = Assembler()
    parts = [
        from_server(b"one ", fin=False),
        from_server(b"two ", Opcode.CONT, fin=False),
        from_server(b"three", Opcode.CONT),
    ]
    frames, _ = split(b"".join(parts))

    assert [assembler.add(*each) for each in frames] == [None, None, b"one two three"]


@pytest.mark.parametrize("first", [0x80, 0x82, 0xC1, 0x83])
def test_frames_out_of_place_are_refused(first: int) -> None:
    with pytest.raises(ServerFrameInvalid):
        Assembler().add(first, b"")


def test_a_new_message_inside_another_is_refused() -> None:
    assembler = Assembler()
    assembler.add(0x01, b"one")
    with pytest.raises(ServerFrameInvalid):
        assembler.add(0x01, b"two")


def test_a_ping_is_not_taken_for_text() -> None:
    assert split(from_server(b"hi", Opcode.PING)) == ([(0x80 | PING, b"hi")], b"")


def test_the_answer_to_the_example_of_the_standard() -> None:
    assert accept_of("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize(
    ("head", "fault"),
    [
        ("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {}", None),
        ("HTTP/1.1 101 x\r\nsec-websocket-accept:{}\r\nX: y", None),
        ("HTTP/1.1 404 Not Found\r\nX: y", "404"),
        ("HTTP/1.1 101 x\r\nSec-WebSocket-Accept: nonsense", "Accept"),
        ("HTTP/1.1 101 x\r\nSec-WebSocket-Accept: {}\r\nSec-WebSocket-Extensions: a", "extension"),
        ("nonsense", "no WebSocket there"),
    ],
)
def test_an_upgrade_is_checked(head: str, fault: str | None) -> None:
    said = upgrade_fault(head.format(accept_of("abc")).encode(), "abc")

    assert said is None if fault is None else said is not None and fault in said
