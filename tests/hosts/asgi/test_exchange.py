"""One request under ASGI: its body, its answer, and a client that goes away before."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.middleware.base import BaseHTTPMiddleware

from mirant import Bus, Caller, Settings
from mirant.hosts.asgi.scope import AsgiApplication
from tests.hosts.asgi.caller import Call, post, turns

NEVER = 30.0


async def entered(bus: AsgiApplication) -> str:
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


async def test_a_client_that_goes_away_leaves_no_request_without_a_response(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bus = Bus(settings=Settings(timeout=NEVER, max_interval=NEVER))

    async def through(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    app = BaseHTTPMiddleware(bus, through)  # what `@app.middleware("http")` makes
    me = await entered(app)
    poll = post(app, {"channel": "/meta/connect", "clientId": me})
    await turns()
    poll.tell("http.disconnect")
    await poll.end()  # it raised "No response returned."

    assert poll.status == 204
    assert poll.body == b""
    assert caplog.records == []


async def test_a_held_poll_that_is_cancelled_is_answered_with_advice_and_stays_cancelled() -> None:
    bus = Bus(settings=Settings(timeout=NEVER, max_interval=NEVER))
    me = await entered(bus)
    poll = post(bus, {"channel": "/meta/connect", "clientId": me, "id": "held"})
    await turns()
    poll.cancel()
    with pytest.raises(asyncio.CancelledError):
        await poll.end()

    [reply] = poll.messages
    assert poll.status == 200
    assert (reply["id"], reply["successful"], reply["advice"]["reconnect"]) == ("held", True, "retry")
    assert 1000 <= reply["advice"]["interval"] <= 5000


@pytest.mark.parametrize("cancelled_first", [True, False])
async def test_a_message_and_a_cancellation_in_one_turn_lose_nothing(*, cancelled_first: bool) -> None:
    bus = Bus(settings=Settings(timeout=NEVER, max_interval=NEVER))
    me = await entered(bus)
    poll = post(bus, {"channel": "/meta/connect", "clientId": me})
    await turns()
    if cancelled_first:
        poll.cancel()
        await turns(1)
    await bus.publish("/a", "precious")
    if not cancelled_first:
        poll.cancel()
    with pytest.raises(asyncio.CancelledError):
        await poll.end()
    again = post(bus, {"channel": "/meta/connect", "clientId": me})
    await turns()
    await bus.publish("/a", "next")
    await again.end()
    once_more = post(bus, {"channel": "/meta/connect", "clientId": me})
    await turns()
    once_more.tell("http.disconnect")
    await once_more.end()

    said = [*poll.messages, *again.messages, *once_more.messages]
    assert [message["data"] for message in said if "data" in message] == ["precious", "next"]


async def test_after_a_cancelled_poll_the_client_is_told_the_usual_pace_again() -> None:
    bus = Bus(settings=Settings(timeout=NEVER, max_interval=NEVER))
    me = await entered(bus)
    poll = post(bus, {"channel": "/meta/connect", "clientId": me})
    await turns()
    poll.cancel()
    with pytest.raises(asyncio.CancelledError):
        await poll.end()
    again = post(bus, {"channel": "/meta/connect", "clientId": me})
    await turns()
    await bus.publish("/a", "go on")
    await again.end()

    [reply] = [message for message in again.messages if message["channel"] == "/meta/connect"]
    assert reply["advice"] == {"reconnect": "retry", "interval": 0, "timeout": NEVER * 1000}


async def test_a_call_that_is_cancelled_is_cancelled() -> None:
    bus, reached = Bus(), list[str]()

    @bus.on_publish("/slow")
    async def slow(caller: Caller, data: object) -> None:
        reached.append("called")
        try:
            await asyncio.Event().wait()
        finally:
            reached.append("ended")

    me = await entered(bus)
    call = post(bus, {"channel": "/slow", "data": 1, "clientId": me})
    await turns()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call.end()

    assert reached == ["called", "ended"]
