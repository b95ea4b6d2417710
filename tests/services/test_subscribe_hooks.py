"""Functions that decide on subscriptions."""

import asyncio

import pytest

from mirant import (
    Bus,
    Caller,
    Veto,
)
from tests.hosts.clients import Poller


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_subscription_can_be_refused(*, asynchronous: bool) -> None:
    bus = Bus()

    def decide(caller: Caller, user: str) -> None:
        if user != "me":
            raise Veto("not yours")

    async def decide_later(caller: Caller, user: str) -> None:
        decide(caller, user)

    bus.on_subscribe("/inbox/{user}")(decide_later if asynchronous else decide)
    async with Poller.inside(bus) as client:
        await client.begin()

        assert (await client.subscribe("/inbox/me"))["successful"]
        assert (await client.subscribe("/inbox/you"))["error"] == "403:not yours:subscribe_denied"
        assert await bus.publish("/inbox/you", 1) == 0
        assert await bus.publish("/inbox/me", 1) == 1


@pytest.mark.parametrize("pattern", ["/inbox/*", "/inbox/**", "/**"])
async def test_a_wildcard_gets_round_no_guard(pattern: str) -> None:
    bus = Bus()
    bus.on_subscribe("/inbox/{user}")(lambda caller, user: None)

    async with Poller.inside(bus) as client:
        await client.begin()
        reply = await client.subscribe(pattern)

        assert reply["error"] == "403:wildcard_covers_guarded_channel:subscribe_denied"
        assert await bus.publish("/inbox/me", 1) == 0


@pytest.mark.parametrize("pattern", ["/*", "/inbox/me/*", "/inbox/me/**", "/outbox/*"])
async def test_a_wildcard_beside_a_guard_is_granted(pattern: str) -> None:
    bus = Bus()
    bus.on_subscribe("/inbox/{user}")(lambda caller, user: None)

    async with Poller.inside(bus) as client:
        await client.begin()

        assert (await client.subscribe(pattern))["successful"]


async def test_a_guard_that_breaks_refuses(caplog: pytest.LogCaptureFixture) -> None:
    bus = Bus()

    @bus.on_subscribe("/a")
    def decide(caller: Caller) -> None:
        raise KeyError("secret")

    async with Poller.inside(bus) as client:
        await client.begin()

        assert (await client.subscribe("/a"))["error"] == "500::application_failed"
        assert await bus.publish("/a", 1) == 0


async def test_a_session_that_ends_while_its_subscription_is_decided_leaves_no_trace() -> None:
    bus = Bus()
    asked, release = asyncio.Event(), asyncio.Event()

    @bus.on_subscribe("/slow")
    async def decide(caller: Caller) -> None:
        asked.set()
        await release.wait()

    async with Poller.inside(bus) as client:
        await client.begin()
        subscribing = asyncio.create_task(client.subscribe("/slow"))
        await asked.wait()
        await client.send({"channel": "/meta/disconnect"})
        release.set()
        reply = await subscribing

        assert not reply["successful"]
        assert await bus.publish("/slow", 1) == 0
