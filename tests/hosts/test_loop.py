"""A core on an event loop: on one after the other, on none that is not its own, and what it leaves behind."""

import asyncio
from collections.abc import Callable

import pytest

from mirant import Bus, Caller, Settings
from tests.hosts.clients import Fields, Poller
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


def test_a_poll_that_an_event_loop_left_behind_takes_no_message_with_it() -> None:
    bus = Bus(settings=Settings(timeout=30))
    inside = Poller.inside(bus)

    async def hold() -> tuple[Poller, asyncio.Task[list[Fields]]]:
        client = await inside.__aenter__()
        await client.begin()
        await client.subscribe("/a")
        poll = asyncio.create_task(client.connect())
        [session] = bus.loop.core.sessions.values()
        while session.held is None:
            await asyncio.sleep(0)
        return client, poll

    async def go_on(client: Poller) -> Fields:
        bus.open()
        bus.publish_nowait("/a", 1)
        return (await asyncio.wait_for(client.connect(), 5))[0]

    async def end(poll: asyncio.Task[list[Fields]]) -> None:
        poll.cancel()
        await asyncio.gather(poll, return_exceptions=True)
        await inside.__aexit__(None, None, None)

    first = asyncio.new_event_loop()
    client, poll = first.run_until_complete(hold())  # it stands still then
    try:
        assert asyncio.run(go_on(client)) == {"channel": "/a", "data": 1}
    finally:
        first.run_until_complete(end(poll))
        first.close()


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


async def test_a_thread_that_delivers_to_a_caller_is_told_what_is_wrong() -> None:
    bus, errors = Bus(), []

    @bus.rpc("/slow")
    async def slow(caller: Caller, data: object) -> str:
        try:
            await asyncio.to_thread(caller.deliver, "/b", 1)
        except RuntimeError as error:
            errors.append(str(error))
        return "done"

    async with Poller.inside(bus) as client:
        await client.begin()
        answer = await asyncio.wait_for(client.call("/slow"), 5)
        arrived = await client.send({"channel": "/a", "data": 2})

    assert answer["data"] == "done"
    assert ["A bus may only be used on the event loop" in error for error in errors] == [True]
    assert "/b" not in [message["channel"] for message in arrived]


@pytest.mark.parametrize("read", [lambda bus: bus.history("/a"), lambda bus: bus.session("x")])
async def test_a_thread_that_reads_while_the_bus_is_served_is_told_what_is_wrong(
    read: Callable[[Bus], object],
) -> None:
    bus = Bus()
    read(bus)  # nobody serves it yet
    async with Poller.inside(bus) as client:
        await client.begin()
        read(bus)
        with pytest.raises(RuntimeError, match="A bus may only be used on the event loop"):
            await asyncio.to_thread(read, bus)
