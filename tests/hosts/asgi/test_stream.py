"""An event stream under ASGI while nothing happens. `tests/transports/test_eventsource.py` has the rest."""

from __future__ import annotations

from mirant import Bus, Settings
from tests.hosts.asgi.caller import Call, post, turns
from tests.hosts.clock import clock

FROZEN_TIME = True

COMMENT = b":\n\n"


async def stream_of(bus: Bus) -> Call:
    """Open the stream of a new session that subscribes to /a."""
    call = post(bus, {"channel": "/meta/handshake"})
    await call.end()
    me = str(call.messages[0]["clientId"])
    await post(bus, {"channel": "/meta/subscribe", "subscription": "/a", "clientId": me}).end()
    stream = Call(
        bus,
        {
            "type": "http",
            "method": "GET",
            "path": f"/{me}",
            "headers": [(b"accept", b"text/event-stream")],
        },
    )
    await turns()
    assert stream.body == COMMENT
    return stream


async def ended(stream: Call) -> None:
    stream.tell("http.disconnect")
    await stream.end()


async def test_a_silent_stream_has_a_comment_every_fifteen_seconds() -> None:
    stream = await stream_of(Bus(settings=Settings(max_interval=1_000)))
    await clock().advance(14.9)
    assert stream.body == COMMENT
    await clock().advance(0.2)
    assert stream.body == 2 * COMMENT
    await clock().advance(45)
    assert stream.body == 5 * COMMENT
    await ended(stream)


async def test_a_comment_keeps_no_message_back() -> None:
    bus = Bus(settings=Settings(max_interval=1_000))
    stream = await stream_of(bus)
    await clock().advance(15)
    await bus.publish("/a", 1)
    await turns()

    assert stream.body == 2 * COMMENT + b'data: [{"channel":"/a","data":1}]\n\n'
    await ended(stream)


async def test_for_a_peer_that_does_not_read_no_comments_pile_up() -> None:
    stream = await stream_of(Bus(settings=Settings(max_interval=1_000)))
    stream.free.clear()
    await clock().advance(150)
    stream.free.set()
    await turns()

    assert stream.body == 2 * COMMENT
    await ended(stream)


async def test_after_its_end_a_stream_has_no_comments() -> None:
    stream = await stream_of(Bus(settings=Settings(max_interval=1_000)))
    await ended(stream)
    sent = len(stream.sent)
    await clock().advance(100)

    assert len(stream.sent) == sent
