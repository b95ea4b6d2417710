"""Long-polling over real connections: what holds a poll, what releases it, what survives a hang-up."""

import asyncio
import json

import httpx
import pytest

from mirant import Bus, Ending, Session, Settings
from mirant.services.face import SessionFace
from tests.hosts.clients import Poller
from tests.hosts.serving import serving
from tests.hosts.waiting import until

NEVER = 30.0


async def is_held(bus: Bus, client: Poller) -> None:
    """Wait until the bus holds a poll of *client*."""
    session = bus.loop.core.sessions.get(client.id or "")
    assert session is not None
    await until(lambda: session.held is not None)


async def is_let_go(bus: Bus, client: Poller) -> None:
    """Wait until the bus holds no poll of *client* any more."""
    session = bus.loop.core.sessions.get(client.id or "")
    assert session is not None
    await until(lambda: session.held is None)


async def test_a_publish_releases_the_poll() -> None:
    bus = Bus(settings=Settings(timeout=NEVER))
    async with serving(bus) as url, Poller.at(url) as client:
        await client.begin()
        await client.subscribe("/news")
        poll = asyncio.create_task(client.connect(id="7"))
        await is_held(bus, client)
        assert await bus.publish("/news", {"a": 1}) == 1

        assert await poll == [
            {"channel": "/news", "data": {"a": 1}},
            {"channel": "/meta/connect", "id": "7", "successful": True},
        ]


async def test_a_poll_with_nothing_to_say_ends_at_the_timeout() -> None:
    bus = Bus(settings=Settings(timeout=0.2))
    async with serving(bus) as url, Poller.at(url) as client:
        await client.begin()
        loop = asyncio.get_running_loop()
        start = loop.time()
        [reply] = await client.connect()

        assert reply["successful"]
        assert 0.19 < loop.time() - start < 1


async def test_a_publish_between_polls_is_answered_by_the_next() -> None:
    bus = Bus(settings=Settings(timeout=NEVER))
    async with serving(bus) as url, Poller.at(url) as client:
        await client.begin()
        await client.subscribe("/news")
        await bus.publish("/news", 1)
        await bus.publish("/news", 2)

        assert [message.get("data") for message in await client.connect()] == [1, 2, None]


async def test_what_is_published_after_the_client_hung_up_waits_for_its_next_poll() -> None:
    bus = Bus(settings=Settings(timeout=NEVER, max_interval=NEVER))
    async with serving(bus) as url, Poller.at(url) as client:
        await client.begin()
        await client.subscribe("/news")
        poll = asyncio.create_task(client.connect())
        await is_held(bus, client)
        poll.cancel()  # httpx closes the connection
        await is_let_go(bus, client)
        for number in range(3):
            await bus.publish("/news", number)

        assert [message.get("data") for message in await client.connect()] == [0, 1, 2, None]


async def test_a_client_that_hung_up_and_stays_away_expires() -> None:
    bus = Bus(settings=Settings(timeout=NEVER, max_interval=0.1))
    left = asyncio.Event()
    endings: list[Ending | None] = []

    @bus.on_leave
    def leave(session: Session) -> None:
        endings.append(session.ending)
        left.set()

    async with serving(bus) as url, Poller.at(url) as client:
        await client.begin()
        poll = asyncio.create_task(client.connect())
        await is_held(bus, client)
        poll.cancel()
        await asyncio.wait_for(left.wait(), 2)
        [reply] = await client.connect()

        assert endings == [Ending.EXPIRED]
        assert bus.sessions == 0
        assert reply["error"].startswith("402:")
        assert reply["advice"] == {"reconnect": "handshake", "interval": 0}


async def test_the_second_of_two_polls_lets_the_first_go() -> None:
    bus = Bus(settings=Settings(timeout=NEVER))
    async with serving(bus) as url, Poller.at(url) as client:
        await client.begin()
        await client.subscribe("/news")
        first = asyncio.create_task(client.connect(id="1"))
        await is_held(bus, client)
        second = asyncio.create_task(client.connect(id="2"))
        [superseded] = await first
        await bus.publish("/news", 1)
        arrived = await second

        assert superseded["id"] == "1"
        assert superseded["successful"] is False
        assert superseded["error"] == "409::connect_superseded"
        assert "advice" not in superseded
        assert [message.get("id") for message in arrived] == [None, "2"]


async def test_publishes_arrive_in_their_order() -> None:
    bus = Bus(settings=Settings(timeout=NEVER))
    async with serving(bus) as url, Poller.at(url) as publisher, Poller.at(url) as subscriber:
        await publisher.begin()
        await subscriber.begin()
        await subscriber.subscribe("/numbers")

        async def publish() -> None:
            for number in range(200):
                assert (await publisher.publish("/numbers", number))["successful"]

        publishing = asyncio.create_task(publish())
        received: list[int] = []
        while len(received) < 200:
            received += [m["data"] for m in await subscriber.connect() if m["channel"] == "/numbers"]
        await publishing

        assert received == list(range(200))


async def test_a_disconnect_answers_the_poll() -> None:
    bus = Bus(settings=Settings(timeout=NEVER))
    async with serving(bus) as url, Poller.at(url) as client:
        await client.begin()
        poll = asyncio.create_task(client.connect())
        await is_held(bus, client)
        [goodbye] = await client.send({"channel": "/meta/disconnect"})
        [reply] = await poll

        assert goodbye == {"channel": "/meta/disconnect", "successful": True}
        assert reply["advice"] == {"reconnect": "none"}
        assert bus.sessions == 0


async def test_a_dismissal_answers_the_poll() -> None:
    bus = Bus(settings=Settings(timeout=NEVER))
    async with serving(bus) as url, Poller.at(url) as client:
        await client.begin()
        poll = asyncio.create_task(client.connect(id="9"))
        await is_held(bus, client)
        session = bus.loop.core.sessions.get(client.id or "")
        assert session is not None
        bus.dismiss(SessionFace(session))

        assert await poll == [
            {"channel": "/meta/disconnect", "successful": True},
            {"channel": "/meta/connect", "id": "9", "successful": True, "advice": {"reconnect": "none"}},
        ]


async def test_a_long_queue_comes_in_several_answers() -> None:
    bus = Bus(settings=Settings(timeout=NEVER))
    async with serving(bus) as url, Poller.at(url) as client:
        await client.begin()
        await client.subscribe("/bulk")
        for number in range(20):
            await bus.publish("/bulk", str(number).ljust(100_000))
        received: list[str] = []
        answers = 0
        while len(received) < 20:
            arrived = await client.connect()
            received += [message["data"] for message in arrived if message["channel"] == "/bulk"]
            answers += 1

        assert [int(text.strip()) for text in received] == list(range(20))
        assert answers > 1


async def test_a_client_too_slow_to_poll_loses_its_session_and_is_told() -> None:
    bus = Bus(settings=Settings(timeout=NEVER, max_outbox=10_000))
    async with serving(bus) as url, Poller.at(url) as slow, Poller.at(url) as quick:
        await slow.begin()
        await quick.begin()
        await slow.subscribe("/bulk")
        await quick.subscribe("/bulk")
        for _ in range(11):
            await bus.publish("/bulk", "x" * 1000)
            assert (await quick.connect())[0]["data"] == "x" * 1000

        [reply] = await slow.connect()
        assert reply["error"].startswith("402:")
        assert bus.sessions == 1


@pytest.mark.parametrize("number", range(3))
async def test_no_publish_is_lost_while_polls_come_and_go(number: int) -> None:
    bus = Bus(settings=Settings(timeout=0.05, max_interval=NEVER))
    async with serving(bus) as url, Poller.at(url) as client:
        await client.begin()
        await client.subscribe("/numbers")

        async def publish() -> None:
            for n in range(200):
                await bus.publish("/numbers", n)
                await asyncio.sleep(0.001 * (n % 3))  # the subject: any time, beside polls of 50 ms

        publishing = asyncio.create_task(publish())
        received: list[int] = []
        while len(received) < 200:
            received += [m["data"] for m in await client.connect() if m["channel"] == "/numbers"]
        await publishing

        assert received == list(range(200))


async def test_one_connection_serves_many_polls() -> None:
    bus = Bus(settings=Settings(timeout=0.05))
    async with serving(bus) as url, httpx.AsyncClient(limits=httpx.Limits(max_connections=1)) as http:
        client = await Poller(http, url).begin()
        peers = set()
        for _ in range(3):
            body = json.dumps([{"channel": "/meta/connect", "clientId": client.id}])
            response = await http.post(url, content=body)
            peers.add(response.extensions["network_stream"].get_extra_info("client_addr"))

        assert len(peers) == 1
