"""Functions that see what is published, change it or refuse it."""

import asyncio
from typing import Any

import pytest

from mirant import (
    Bus,
    Caller,
    Veto,
)
from tests.hosts.clients import Poller


async def test_a_publish_is_seen_changed_or_refused() -> None:
    bus = Bus()

    @bus.on_publish("/chat/{room}")
    def moderate(caller: Caller, data: Any, room: str) -> object:
        if data == "spam":
            raise Veto("no spam")
        if data == "rude":
            return {"room": room, "text": "polite"}
        return None

    async with Poller.inside(bus) as client:
        await client.begin()
        await client.subscribe("/chat/**")
        arrived = await client.send(
            *({"channel": "/chat/a", "data": data, "id": data} for data in ("hello", "spam", "rude"))
        )

        assert [m["data"] for m in arrived if "data" in m] == ["hello", {"room": "a", "text": "polite"}]
        assert [m.get("error") for m in arrived if "id" in m] == [None, "404:no spam:message_deleted", None]


async def test_falsy_data_replaces_too() -> None:
    bus = Bus()
    bus.on_publish("/a")(lambda caller, data: 0)

    async with Poller.inside(bus) as client:
        await client.begin()
        await client.subscribe("/a")
        event, _ = await client.send({"channel": "/a", "data": 1})

        assert event["data"] == 0


async def test_functions_for_one_channel_see_it_one_after_the_other() -> None:
    bus = Bus()
    bus.on_publish("/{room}")(lambda caller, data, room: [*data, "first"])
    bus.on_publish("/a")(lambda caller, data: [*data, "second"])

    async with Poller.inside(bus) as client:
        await client.begin()
        await client.subscribe("/a")
        event, _ = await client.send({"channel": "/a", "data": []})

        assert event["data"] == ["first", "second"]


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_hook_that_breaks_refuses_the_publish(
    *, asynchronous: bool, caplog: pytest.LogCaptureFixture
) -> None:
    bus = Bus()

    def fail(caller: Caller, data: object) -> None:
        raise KeyError("secret")

    async def fail_later(caller: Caller, data: object) -> None:
        raise KeyError("secret")

    bus.on_publish("/a")(fail_later if asynchronous else fail)
    async with Poller.inside(bus) as client:
        await client.begin()
        await client.subscribe("/a")
        arrived = await client.send({"channel": "/a", "data": 1}, {"channel": "/b", "data": 1})

        assert [message.get("error") for message in arrived] == ["500::application_failed", None]
        assert "secret" in caplog.text


async def test_messages_of_one_body_keep_their_order_through_slow_hooks() -> None:
    bus = Bus()

    @bus.on_publish("/slow/{n}")
    async def slow(caller: Caller, data: int, n: str) -> object:
        for _ in range(5 - data):
            await asyncio.sleep(0)
        return {"seen": data}

    async with Poller.inside(bus) as client:
        await client.begin()
        await client.subscribe("/**")
        messages = [{"channel": f"/slow/{n}" if n % 2 else "/quick", "data": n} for n in range(5)]
        arrived = await client.send(*messages)
        data = [m["data"] for m in arrived if "data" in m]

        assert data == [0, {"seen": 1}, 2, {"seen": 3}, 4]


async def test_a_slow_hook_delays_its_session_alone() -> None:
    bus = Bus()
    release = asyncio.Event()

    @bus.on_publish("/slow")
    async def slow(caller: Caller, data: object) -> None:
        await release.wait()

    async with Poller.inside(bus) as one, Poller.inside(bus) as two:
        await one.begin()
        await two.begin()
        waiting = asyncio.create_task(one.publish("/slow", 1))
        await asyncio.sleep(0)
        assert (await two.publish("/quick", 1))["successful"]
        assert not waiting.done()
        release.set()
        assert (await waiting)["successful"]
