"""A core on an event loop: on one after the other, on none that is not its own, and what it leaves behind."""

import asyncio

import pytest

from mirant import Bus, Settings
from tests.hosts.clients import Poller
from tests.hosts.serving import serving
from tests.hosts.test_mount import application, lifespan_of


async def test_a_bus_can_be_served_again() -> None:
    bus = Bus(settings=Settings(timeout=0.2))
    for _ in range(2):
        await lifespan_of(bus)
    async with serving(bus) as origin, Poller.at(origin) as client:
        await client.begin()
        loop = asyncio.get_running_loop()
        start = loop.time()
        await client.connect()

        assert loop.time() - start > 0.15  # it was held


def test_one_bus_on_two_event_loops_one_after_the_other() -> None:
    """A module's bus in a test suite, where each test has a loop of its own."""
    bus = Bus(settings=Settings(timeout=0.2, max_interval=0.1))

    async def use() -> float:
        async with Poller.inside(bus.mount(application())) as client:
            client.url += "cometd"
            await client.begin()
            await client.subscribe("/a")
            bus.publish_nowait("/a", 1)  # and nobody takes it
            start = asyncio.get_running_loop().time()
            assert len(await client.connect()) == 2
            await client.connect()
            bus.publish_nowait("/a", 2)
            return asyncio.get_running_loop().time() - start

    for _ in range(2):
        assert asyncio.run(asyncio.wait_for(use(), 3)) > 0.15


async def test_a_thread_that_publishes_is_told_what_is_wrong() -> None:
    """Starlette runs plain functions in worker threads, so this mistake will be made."""
    bus = Bus()
    async with Poller.inside(bus) as client:
        await client.begin()
        await client.subscribe("/a")
        with pytest.raises(RuntimeError, match="loop"):
            await asyncio.to_thread(bus.publish_nowait, "/a", 1)
        arrived = await asyncio.wait_for(client.send({"channel": "/a", "data": 2}), 1)

        assert [message["data"] for message in arrived if "data" in message] == [2]
