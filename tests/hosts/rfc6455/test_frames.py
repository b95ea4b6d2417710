"""WebSocket frames by themselves; the Autobahn cases (tests/conformance) show them on connections."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame as WebsocketsFrame
from websockets.frames import Opcode

from mirant.hosts.rfc6455.frames import (
    BINARY,
    CLOSE,
    PING,
    TEXT,
    Frame,
    FrameInvalid,
    FrameReader,
    close_payload,
    frame,
)


def sent(payload: bytes, opcode: int = TEXT, *, fin: bool = True) -> bytes:
    """Return a frame as a client sends it, made by another library."""
    return WebsocketsFrame(Opcode(opcode), payload, fin).serialize(mask=True)


def events(*reads: bytes, max_size: int = 1000) -> list[Frame]:
    """Return what *reads* are understood as."""
    reader = FrameReader(max_size)
    found: list[Frame] = []
    for read in reads:
        reader.feed(read)
        while (event := reader.next()) is not None:
            found.append(event)
    return found


def code_of(*reads: bytes) -> int:
    """Return the code with which *reads* fail the connection."""
    with pytest.raises(FrameInvalid) as invalid:
        events(*reads)
    assert str(invalid.value.code) in str(invalid.value)
    return invalid.value.code


@settings(deadline=None)  # how busy the machine is says nothing about the frames
@given(st.text(max_size=400), st.data())
def test_a_text_arrives_however_it_is_cut(text: str, data: st.DataObject) -> None:
    payload = text.encode()
    parts = []
    while len(payload) > 0 and data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(payload)))
        parts.append(payload[:at])
        payload = payload[at:]
    fragments = [*parts, payload]
    wire = b"".join(
        sent(part, TEXT if index == 0 else 0, fin=index == len(fragments) - 1) + sent(b"?", PING)
        for index, part in enumerate(fragments)
    )
    step = data.draw(st.integers(1, 50))
    found = events(*(wire[at : at + step] for at in range(0, len(wire), step)), max_size=4000)

    assert [event for event in found if event[0] != PING] == [(TEXT, text.encode())]
    assert found.count((PING, b"?")) == len(fragments)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 100_000])
def test_lengths_both_ways(size: int) -> None:
    payload = b"x" * size

    assert events(sent(payload), max_size=size) == [(TEXT, payload)]
    assert frame(TEXT, payload) == WebsocketsFrame(Opcode.TEXT, payload).serialize(mask=False)
    assert frame(BINARY, payload) == WebsocketsFrame(Opcode.BINARY, payload).serialize(mask=False)


def test_several_frames_in_one_read() -> None:
    assert events(sent(b"a") + sent(b"", PING) + sent(b"b", BINARY) + sent(b"c")) == [
        (TEXT, b"a"),
        (PING, b""),
        (BINARY, b"b"),
        (TEXT, b"c"),
    ]


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (WebsocketsFrame(Opcode.TEXT, b"x").serialize(mask=False), 1002),
        (sent(b"x", 0), 1002),
        (sent(b"x", TEXT, fin=False) + sent(b"y"), 1002),
        (b"\xc1\x80", 1002),
        (b"\x83\x80", 1002),
        (b"\x89\xfe", 1002),
        (b"\x09\x80", 1002),
        (b"\x82\xff\x80" + bytes(7), 1002),
        (sent(b"\x03", CLOSE), 1002),
        (sent(b"\x03\xed", CLOSE), 1002),  # 1005
        (sent(b"\x03\xf7", CLOSE), 1002),  # 1015
        (sent(b"\x03\xe8\xff", CLOSE), 1007),
        (sent(b"\xff"), 1007),
        (sent(b"\xed\xa0\x80"), 1007),  # half a surrogate pair
        (sent(b"\xc3", TEXT, fin=False) + sent(b"", 0), 1007),
        (sent(b"x" * 1001), 1009),
        (sent(b"x" * 600, TEXT, fin=False) + sent(b"x" * 401, 0), 1009),
    ],
)
def test_what_breaks_the_protocol(wire: bytes, code: int) -> None:
    assert code_of(wire) == code
    assert code_of(*(wire[at : at + 1] for at in range(len(wire)))) == code


def test_it_fails_before_the_rest_has_come() -> None:
    assert code_of(b"\x81\xff" + (1 << 40).to_bytes(8, "big")) == 1009
    assert code_of(sent(b"\xff" + b"x" * 200)[:20]) == 1007


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999])
def test_codes_of_a_close(code: int) -> None:
    payload = close_payload(code, "är")

    assert events(sent(payload, CLOSE)) == [(CLOSE, payload)]
    assert frame(CLOSE, payload) == WebsocketsFrame(Opcode.CLOSE, payload).serialize(mask=False)


def test_fragments_of_one_byte_cost_no_more_than_they_are() -> None:
    reader = FrameReader(100_000)
    reader.feed(sent(b"a", TEXT, fin=False) + sent(b"a", 0, fin=False) * 99_998 + sent(b"a", 0))

    assert reader.next() == (TEXT, b"a" * 100_000)
