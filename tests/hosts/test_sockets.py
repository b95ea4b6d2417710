"""Bayeux over real WebSockets: frames, close codes, binding, and what outlives the connection."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from mirant import Bus, Caller, Settings
from mirant.services.face import SessionFace
from tests.hosts.clients import Poller, Socket
from tests.hosts.serving import serving
from tests.hosts.waiting import until

NEVER = 30.0


async def closing_of(socket: Socket) -> tuple[int, str]:
    """Wait until the server closes the connection; return its code and reason."""
    await socket.connection.wait_closed()
    close = socket.connection.protocol.close_rcvd
    assert close is not None
    return close.code, close.reason


async def lost_link(bus: Bus, client_id: str) -> None:
    """Wait until the bus knows that the session has no connection."""
    session = bus.loop.core.sessions.get(client_id)
    assert session is not None
    await until(lambda: session.link is None)


async def test_publish_and_subscribe() -> None:
    bus = Bus()
    async with serving(bus) as url, Socket.at(url) as client:
        await client.begin()
        await client.subscribe("/news")
        await client.send({"channel": "/news", "data": {"a": 1}, "id": "5"})
        messages = [*await client.receive(), *await client.receive()]

        assert messages == [
            {"channel": "/news", "data": {"a": 1}},
            {"channel": "/news", "id": "5", "successful": True},
        ]


async def test_a_held_connect_is_not_released_by_messages() -> None:
    bus = Bus(settings=Settings(timeout=0.3))
    async with serving(bus) as url, Socket.at(url) as client:
        await client.begin()
        await client.subscribe("/news")
        await client.connect(id="beat")
        await bus.publish("/news", 1)

        assert await client.receive() == [{"channel": "/news", "data": 1}]
        assert await client.receive() == [{"channel": "/meta/connect", "id": "beat", "successful": True}]


async def test_answers_are_not_held_with_the_connect_in_their_frame() -> None:
    bus = Bus(settings=Settings(timeout=NEVER))
    async with serving(bus) as url, Socket.at(url) as client:
        await client.begin()
        await client.send({"channel": "/meta/connect"}, {"channel": "/a", "data": 1, "id": "5"})

        assert await client.receive() == [{"channel": "/a", "id": "5", "successful": True}]


async def test_a_binary_frame_is_refused() -> None:
    async with serving(Bus()) as url, Socket.at(url) as client:
        await client.connection.send(b'[{"channel":"/meta/handshake"}]')

        assert await closing_of(client) == (1003, "Bayeux messages travel in text frames")


@pytest.mark.parametrize("text", ["[", "[,]", "1", "null", "[[]]", "nonsense", "é" * 200])
async def test_a_frame_that_is_not_bayeux(text: str) -> None:
    async with serving(Bus()) as url, Socket.at(url) as client:
        await client.connection.send(text)
        code, reason = await closing_of(client)

        assert code == 1007
        assert reason


async def test_a_frame_over_the_limit() -> None:
    bus = Bus(settings=Settings(max_body=1000))
    async with serving(bus) as url, Socket.at(url) as client:
        await client.connection.send("[" + " " * 1000 + "]")
        code, _ = await closing_of(client)

        assert code == 1009


async def test_a_frame_with_too_many_messages() -> None:
    bus = Bus(settings=Settings(max_batch=2))
    async with serving(bus) as url, Socket.at(url) as client:
        await client.connection.send("[{},{},{}]")
        code, reason = await closing_of(client)

        assert code == 1009
        assert "2" in reason


async def test_a_bad_frame_costs_only_its_connection() -> None:
    async with serving(Bus()) as url, Socket.at(url) as good, Socket.at(url) as bad:
        await good.begin()
        await bad.begin()
        await bad.connection.send("nonsense")
        await closing_of(bad)
        await good.subscribe("/a")
        async with Socket.at(url, bad.id) as again:  # the session is still there
            await again.subscribe("/a")


@pytest.mark.parametrize("offered", [["bayeux"], ["a", "b"]])
async def test_the_first_subprotocol_is_accepted(offered: list[str]) -> None:
    async with serving(Bus()) as url:
        protocols = [Subprotocol(name) for name in offered]
        async with connect(url.replace("http", "ws"), subprotocols=protocols) as connection:
            assert connection.subprotocol == offered[0]


async def test_no_subprotocol_is_offered_and_none_is_chosen() -> None:
    async with serving(Bus()) as url, Socket.at(url) as client:
        assert client.connection.subprotocol is None


async def test_a_page_of_another_origin_is_refused() -> None:
    async with serving(Bus()) as url:
        with pytest.raises(InvalidStatus, match="403"):
            await connect(url.replace("http", "ws"), origin="http://evil.example")  # type: ignore[arg-type]  # it takes a NewType


async def test_a_transport_that_is_not_offered_is_refused() -> None:
    bus = Bus(settings=Settings(transports=("long-polling",)))
    async with serving(bus) as url:
        with pytest.raises(InvalidStatus, match="403"):
            await connect(url.replace("http", "ws"))


async def test_large_messages_both_ways() -> None:
    text = "é" * 450_000
    async with serving(Bus()) as url, Socket.at(url) as client:
        await client.begin()
        await client.subscribe("/large")
        body = json.dumps([{"channel": "/large", "data": text, "clientId": client.id}], ensure_ascii=False)
        await client.connection.send(body)
        [event] = await client.receive()

        assert event["data"] == text
        assert (await client.receive())[0]["successful"]


async def test_a_fragmented_message() -> None:
    async with serving(Bus()) as url, Socket.at(url) as client:
        await client.connection.send(["[{", '"channel":', '"/meta/handshake"', "}]"])

        assert (await client.receive())[0]["successful"]


async def test_a_text_outside_the_basic_plane() -> None:
    async with serving(Bus()) as url, Socket.at(url) as client:
        await client.begin()
        await client.subscribe("/text")
        await client.send({"channel": "/text", "data": "👩‍👧\u2028\U0010ffff"})

        assert (await client.receive())[0]["data"] == "👩‍👧\u2028\U0010ffff"


async def test_what_comes_while_the_peer_is_away_waits_for_its_next_connection() -> None:
    bus = Bus(settings=Settings(max_interval=NEVER))
    async with serving(bus) as url:
        async with Socket.at(url) as client:
            await client.begin()
            await client.subscribe("/news")
            client.connection.transport.abort()  # a reset: no close frame
            await lost_link(bus, client.id or "")
        for number in range(3):
            await bus.publish("/news", number)
        async with Socket.at(url, client.id) as again:
            await again.connect()
            messages = await again.receive()

            assert [message["data"] for message in messages] == [0, 1, 2]


async def test_a_session_whose_peer_stays_away_expires() -> None:
    bus = Bus(settings=Settings(max_interval=0.1))
    left = asyncio.Event()
    bus.on_leave(lambda session: left.set())
    async with serving(bus) as url:
        async with Socket.at(url) as client:
            await client.begin()
            await client.connect()
        await asyncio.wait_for(left.wait(), 2)
        async with Socket.at(url, client.id) as again:
            await again.connect()
            [reply] = await again.receive()

            assert reply["error"].startswith("402:")
            assert reply["advice"] == {"reconnect": "handshake", "interval": 0}


async def test_a_session_moves_to_the_connection_that_spoke_last() -> None:
    bus = Bus()
    async with serving(bus) as url, Socket.at(url) as client:
        await client.begin()
        await client.subscribe("/news")
        async with Socket.at(url, client.id) as second:
            await second.connect()
            code, reason = await closing_of(client)
            await bus.publish("/news", 1)

            assert (code, reason) == (1000, "the session moved to another connection")
            assert await second.receive() == [{"channel": "/news", "data": 1}]


async def test_a_session_moves_from_polling_to_a_socket() -> None:
    bus = Bus(settings=Settings(timeout=NEVER))
    async with serving(bus) as url, Poller.at(url) as poller:
        await poller.begin()
        await poller.subscribe("/news")
        cookie = "; ".join(f"{name}={value}" for name, value in poller.http.cookies.items())
        headers = {"cookie": cookie}
        async with connect(url.replace("http", "ws"), additional_headers=headers) as connection:
            client = Socket(connection, poller.id)
            await client.connect(id="1")
            await bus.publish("/news", 1)
            messages: list[dict[str, Any]] = []
            while len(messages) < 1:
                messages += [m for m in await client.receive() if m["channel"] == "/news"]

            assert messages == [{"channel": "/news", "data": 1}]


async def test_a_foreign_client_id_on_a_bound_connection() -> None:
    async with serving(Bus()) as url, Socket.at(url) as one, Socket.at(url) as two:
        await one.begin()
        await two.begin()
        await two.send({"channel": "/a", "data": 1, "clientId": one.id})
        [reply] = await two.receive()

        assert reply["error"].startswith("402:")
        await one.subscribe("/a")  # and nobody was cut off


async def test_a_second_handshake_on_a_connection_ends_the_first_session() -> None:
    bus = Bus(settings=Settings(max_interval=NEVER))
    async with serving(bus) as url, Socket.at(url) as client:
        await client.begin()
        first = client.id
        await client.begin()

        assert client.id != first
        assert bus.sessions == 1
        await client.send({"channel": "/a", "data": 1, "clientId": first})
        assert (await client.receive())[0]["error"].startswith("402:")


async def test_a_slow_call_does_not_delay_the_heartbeat() -> None:
    bus = Bus(settings=Settings(timeout=0.05))
    release = asyncio.Event()

    @bus.rpc("/slow")
    async def slow(caller: Caller, data: object) -> str:
        await release.wait()
        return "done"

    async with serving(bus) as url, Socket.at(url) as client:
        await client.begin()
        await client.send({"channel": "/service/slow", "data": 1, "id": "s"})
        assert (await client.receive())[0]["id"] == "s"
        for beat in ("1", "2"):
            await client.connect(id=beat)
            assert (await client.receive())[0]["id"] == beat
        release.set()

        assert await client.receive() == [
            {"channel": "/service/slow", "data": "done", "id": "s", "successful": True}
        ]


async def test_a_dismissed_client_is_told() -> None:
    bus = Bus(settings=Settings(timeout=NEVER))
    async with serving(bus) as url, Socket.at(url) as client:
        await client.begin()
        await client.connect(id="9")
        session = bus.loop.core.sessions.get(client.id or "")
        assert session is not None
        await until(lambda: session.held is not None)
        bus.dismiss(SessionFace(session))

        assert await client.receive() == [
            {"channel": "/meta/connect", "id": "9", "successful": True, "advice": {"reconnect": "none"}},
            {"channel": "/meta/disconnect", "successful": True},
        ]


async def test_many_messages_arrive_in_order_in_frames_of_bounded_size() -> None:
    bus = Bus()
    async with serving(bus) as url, Socket.at(url) as client:
        await client.begin()
        await client.subscribe("/bulk")
        for number in range(1000):
            bus.publish_nowait("/bulk", [number, "x" * 200])
        received: list[int] = []
        while len(received) < 1000:
            frame = await client.connection.recv()
            assert len(frame) <= 32 * 1024 + 2
            received += [message["data"][0] for message in json.loads(frame)]

        assert received == list(range(1000))


@pytest.mark.parametrize("text", ["[]", "", "\n"])
async def test_a_sign_of_life_costs_no_connection(text: str) -> None:
    """Clients of Faye up to 1.2.5 send an empty array as the connection opens, and as a heartbeat."""
    async with serving(Bus()) as url, Socket.at(url) as client:
        await client.connection.send(text)
        await client.begin()
        await client.connection.send(text)
        await client.subscribe("/a")
