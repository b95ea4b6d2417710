"""Clients of an ASGI server that say much at once, or too little: turns and deadlines."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mirant import Bus, Settings
from mirant.hosts.asgi.exchange import BODY_DEADLINE
from mirant.hosts.asgi.websocket import HANDSHAKE_DEADLINE
from mirant.hosts.native.deadlines import LEAST_SENT
from mirant.hosts.turns import PROMPT, STEPS
from tests.hosts.asgi.caller import Call, post, socket, turns
from tests.hosts.clock import clock

FROZEN_TIME = True
NEVER = 86_400.0
HANDSHAKE = '[{"channel":"/meta/handshake","id":"1"}]'


@pytest.fixture
def bus() -> Bus:
    return Bus(settings=Settings(timeout=NEVER, max_interval=NEVER))


def codes(call: Call) -> list[int]:
    """Return the codes with which the WebSocket was closed."""
    return [event["code"] for event in call.sent if event["type"] == "websocket.close"]


async def test_a_flood_of_messages_is_answered_in_many_turns(bus: Bus) -> None:
    flooding, innocent = socket(bus), socket(bus)
    for _ in range(STEPS * 10):
        flooding.tell("websocket.receive", text="{}")
    await turns(2)
    innocent.tell("websocket.receive", text=HANDSHAKE)
    await turns(6)
    assert len(innocent.messages) == 1
    assert len(flooding.messages) <= 3 * STEPS

    await turns(200)
    assert len(flooding.messages) == STEPS * 10


async def test_large_bodies_do_not_come_all_in_one_turn(bus: Bus) -> None:
    calls = [Call(bus, {"type": "http"}) for _ in range(10)]
    for call in calls:
        call.tell("http.request", body=b"[{}" + b" " * PROMPT + b"]")
    await turns(6)
    assert 0 < sum(bool(call.sent) for call in calls) < 10

    await turns(40)
    assert all(call.status == 200 for call in calls)


@pytest.mark.parametrize("text", ["[{}]", '[{"channel":"/meta/connect","clientId":"x"}]'])
async def test_only_a_session_lets_a_connection_stay(bus: Bus, text: str) -> None:
    """Each message used to give it the whole time again."""
    call = socket(bus)
    for _ in range(int(HANDSHAKE_DEADLINE * 2)):
        call.tell("websocket.receive", text=text)
        await clock().advance(0.5)
    await clock().advance(0.1)

    assert codes(call) == [1008]
    await call.end()


async def test_a_connection_whose_session_ended_does_not_stay(bus: Bus) -> None:
    call = socket(bus)
    call.tell("websocket.receive", text=HANDSHAKE)
    await turns(20)
    client_id = call.messages[0]["clientId"]
    await clock().advance(3 * HANDSHAKE_DEADLINE)
    assert codes(call) == []

    call.tell("websocket.receive", text=f'[{{"channel":"/meta/disconnect","clientId":"{client_id}"}}]')
    await clock().advance(2 * HANDSHAKE_DEADLINE + 0.1)
    assert codes(call) == [1008]


async def test_who_waits_for_the_application_is_not_late(bus: Bus) -> None:
    @bus.authenticate
    async def slowly(handshake: Any) -> None:
        await asyncio.sleep(3 * HANDSHAKE_DEADLINE)  # on the clock that stands still

    call = socket(bus)
    call.tell("websocket.receive", text=HANDSHAKE)
    await clock().advance(3 * HANDSHAKE_DEADLINE + 1)

    assert len(call.messages) == 1
    assert codes(call) == []


@pytest.mark.parametrize("begun", [b"", b"[{}"])
async def test_a_body_that_does_not_come_whole_is_answered(bus: Bus, begun: bytes) -> None:
    call = Call(bus, {"type": "http"})
    if begun:
        call.tell("http.request", body=begun, more_body=True)
    await clock().advance(BODY_DEADLINE - 0.1)
    assert not call.sent
    await clock().advance(0.2)

    assert call.status == 408
    assert (b"connection", b"close") in call.sent[0]["headers"]


async def test_a_long_body_on_a_slow_link_is_taken(bus: Bus) -> None:
    call = Call(bus, {"type": "http"})
    call.tell("http.request", body=b"[{}", more_body=True)
    for _ in range(10):
        call.tell("http.request", body=b" " * LEAST_SENT, more_body=True)
        await clock().advance(BODY_DEADLINE - 1)
    call.tell("http.request", body=b"]")
    await clock().advance(1)

    assert call.status == 200


async def test_a_body_that_comes_in_time_is_served_at_once(bus: Bus) -> None:
    call = post(bus, {"channel": "/meta/handshake", "id": "1"})
    await turns(5)

    assert call.messages[0]["successful"]
