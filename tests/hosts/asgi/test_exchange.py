"""One request under ASGI: its body, its answer, and a client that goes away before."""

from __future__ import annotations

from mirant import Bus, Settings
from tests.hosts.asgi.caller import Call, post, turns

NEVER = 30.0


async def entered(bus: Bus) -> str:
    """Open a session that subscribes to /a; return its id."""
    call = post(bus, {"channel": "/meta/handshake"})
    await call.end()
    me = str(call.messages[0]["clientId"])
    for message in ({"channel": "/meta/subscribe", "subscription": "/a"}, {"channel": "/meta/connect"}):
        call = post(bus, {**message, "clientId": me})
        await call.end()
        assert call.messages[-1]["successful"]
    return me


async def test_a_body_in_parts_over_the_limit_is_not_read_on() -> None:
    call = Call(Bus(settings=Settings(max_body=10)), {"type": "http"})
    call.tell("http.request", body=b"x" * 6, more_body=True)
    call.tell("http.request", body=b"x" * 6, more_body=True)
    await call.end()

    assert call.status == 413


async def test_a_query_with_bytes_that_are_not_utf_8_is_refused() -> None:
    bus = Bus(settings=Settings(transports=("callback-polling",)))
    call = Call(bus, {"type": "http", "method": "GET", "query_string": b"jsonp=f&message=\x80"})
    call.tell("http.request", body=b"")
    await call.end()

    assert call.status == 400
    assert call.body.startswith(b"This is not a Bayeux message: ")


async def test_an_answer_and_a_hang_up_in_one_turn_lose_nothing() -> None:
    bus = Bus(settings=Settings(timeout=NEVER, max_interval=NEVER))
    me = await entered(bus)
    poll = post(bus, {"channel": "/meta/connect", "clientId": me})
    await turns()
    session = bus.loop.core.sessions.get(me)
    assert session is not None
    assert session.held is not None
    await bus.publish("/a", "precious")
    poll.tell("http.disconnect")
    await poll.end()
    again = post(bus, {"channel": "/meta/connect", "clientId": me})
    await turns()
    await bus.publish("/a", "next")
    await again.end()

    received = [message["data"] for message in [*poll.messages, *again.messages] if "data" in message]
    assert received == ["precious", "next"]


async def test_a_held_poll_of_a_client_that_goes_away_is_let_go() -> None:
    bus = Bus(settings=Settings(timeout=NEVER, max_interval=NEVER))
    me = await entered(bus)
    poll = post(bus, {"channel": "/meta/connect", "clientId": me})
    await turns()
    poll.tell("http.disconnect")
    await poll.end()
    session = bus.loop.core.sessions.get(me)

    assert session is not None
    assert session.held is None
    assert poll.sent == []
