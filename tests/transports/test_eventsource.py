"""The eventsource transport over a real connection: a stream of deliveries, requests beside it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from mirant import Bus, Settings
from mirant.services.face import SessionFace
from tests.hosts.clients import Fields, Poller
from tests.hosts.serving import serving
from tests.hosts.waiting import until


@asynccontextmanager
async def stream_of(client: Poller, session_id: str | None) -> AsyncIterator[AsyncIterator[list[Fields]]]:
    """Open a stream; give the arrays of messages that come down it."""
    headers = {"accept": "text/event-stream"}
    async with client.http.stream("GET", f"{client.url}/{session_id}", headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream"
        assert "no-cache" in response.headers["cache-control"]

        async def blocks() -> AsyncIterator[bytes]:
            # Not by lines as str knows them: only CR and LF end a line of an event stream.
            received = b""
            async for part in response.aiter_raw():
                *complete, received = (received + part).split(b"\n\n")
                for block in complete:
                    yield block

        arrived = blocks()
        assert await anext(arrived) == b":"

        async def events() -> AsyncIterator[list[Fields]]:
            async for block in arrived:
                assert block.startswith(b"data: ")
                yield json.loads(block.removeprefix(b"data: "))

        yield events()


async def test_what_is_published_comes_down_the_stream() -> None:
    bus = Bus()
    async with serving(bus) as url, Poller.at(url) as client:
        await client.begin()
        await client.subscribe("/a")
        async with stream_of(client, client.id) as events:
            await bus.publish("/a", "é\u2028\n")
            await bus.publish("/a", 2)

            # What is published in one turn of the event loop travels in one array.
            assert await anext(events) == [
                {"channel": "/a", "data": "é\u2028\n"},
                {"channel": "/a", "data": 2},
            ]


async def test_what_is_published_while_there_is_no_stream_waits() -> None:
    bus = Bus()
    async with serving(bus) as url, Poller.at(url) as client:
        await client.begin()
        await client.subscribe("/a")
        async with stream_of(client, client.id) as events:
            await bus.publish("/a", 1)
            assert await anext(events) == [{"channel": "/a", "data": 1}]
        session = bus.loop.core.sessions.get(client.id or "")
        assert session is not None
        await until(lambda: session.link is None)
        await bus.publish("/a", 2)
        async with stream_of(client, client.id) as events:
            assert await anext(events) == [{"channel": "/a", "data": 2}]


async def test_a_connect_beside_a_stream_is_answered_at_once() -> None:
    bus = Bus(settings=Settings(timeout=30))
    async with serving(bus) as url, Poller.at(url) as client:
        await client.begin()
        async with stream_of(client, client.id):
            [reply] = await asyncio.wait_for(client.connect(connectionType="eventsource"), 2)

            assert reply["successful"]
            assert reply["advice"]["interval"] == 30_000


def assert_ends_with_advice_to_handshake(response: httpx.Response) -> None:
    # An error status would end the client's attempts for good.
    assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream")
    [reply] = json.loads(response.text.removeprefix("data: "))
    assert (reply["channel"], reply["error"]) == ("/meta/connect", "402::session_unknown")
    assert reply["advice"] == {"reconnect": "handshake", "interval": 0}


@pytest.mark.parametrize("session_id", ["nobody", "", "%00"])
async def test_a_stream_of_no_session(session_id: str) -> None:
    async with Poller.inside(Bus()) as client:
        response = await client.http.get(f"/{session_id}", headers={"accept": "text/event-stream"})

        assert_ends_with_advice_to_handshake(response)


async def test_a_stream_of_another_browsers_session() -> None:
    async with Poller.inside(bus := Bus()) as client, Poller.inside(bus) as thief:
        await client.begin()
        response = await thief.http.get(f"/{client.id}", headers={"accept": "text/event-stream"})

        assert_ends_with_advice_to_handshake(response)


async def test_a_dismissed_session_is_told_and_its_stream_ends() -> None:
    bus = Bus()
    async with serving(bus) as url, Poller.at(url) as client:
        await client.begin()
        session = bus.loop.core.sessions.get(client.id or "")
        assert session is not None
        async with stream_of(client, client.id) as events:
            bus.dismiss(SessionFace(session))

            assert await anext(events) == [{"channel": "/meta/disconnect", "successful": True}]
            assert await asyncio.wait_for(anext(events, None), 2) is None


async def test_a_stream_of_a_session_that_disconnects_ends() -> None:
    async with serving(Bus()) as url, Poller.at(url) as client:
        await client.begin()
        async with stream_of(client, client.id) as events:
            await client.send({"channel": "/meta/disconnect"})

            assert await asyncio.wait_for(anext(events, None), 2) is None


async def test_with_ack_messages_come_with_connects_though_there_is_a_stream() -> None:
    bus = Bus(settings=Settings(timeout=30))
    async with serving(bus) as url, Poller.at(url) as client:
        assert (await client.handshake(ext={"ack": True}))["ext"] == {"ack": True}
        await client.connect(ext={"ack": 0})
        await client.subscribe("/a")
        async with stream_of(client, client.id):
            fields: Fields = {"connectionType": "eventsource", "ext": {"ack": 1}}
            poll = asyncio.create_task(client.connect(**fields))
            session = bus.loop.core.sessions.get(client.id or "")
            assert session is not None
            await until(lambda: session.held is not None)
            await bus.publish("/a", 1)
            messages = await asyncio.wait_for(poll, 2)

        assert [message.get("data") for message in messages] == [1, None]
        assert messages[-1]["ext"] == {"ack": 2}


@pytest.mark.parametrize("lines", ["[1,\r\n2]", "[1,\n\n2]", "[\r1,2\r\n\r\n]"])
async def test_line_breaks_in_a_publishers_json_do_not_end_the_event(lines: str) -> None:
    async with serving(Bus()) as url, Poller.at(url) as client:
        await client.begin()
        await client.subscribe("/a")
        async with Poller.at(url) as publisher, stream_of(client, client.id) as events:
            await publisher.begin()
            await publisher.post(f'[{{"channel":"/a","clientId":"{publisher.id}","data":{lines}}}]')

            assert await asyncio.wait_for(anext(events), 2) == [{"channel": "/a", "data": [1, 2]}]


async def test_a_newer_stream_takes_the_place_of_the_older() -> None:
    bus = Bus()
    async with serving(bus) as url, Poller.at(url) as client:
        await client.begin()
        await client.subscribe("/a")
        async with stream_of(client, client.id) as older, stream_of(client, client.id) as newer:
            assert await asyncio.wait_for(anext(older, None), 2) is None
            await bus.publish("/a", 1)

            assert await asyncio.wait_for(anext(newer), 2) == [{"channel": "/a", "data": 1}]
