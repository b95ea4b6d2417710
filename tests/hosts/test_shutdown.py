"""How ``mirant serve`` ends: held polls answered, sockets closed with 1001, soon, and without a traceback."""

import asyncio
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests.hosts.clients import Poller, Socket
from tests.hosts.frozen import FrozenPeer
from tests.hosts.serving import Process

APPLICATION = """
import asyncio
from mirant import Bus

bus = Bus()

@bus.rpc("/slow")
async def slow(caller, data):
    print("called", flush=True)
    await asyncio.Event().wait()

@bus.rpc("/stubborn")
async def stubborn(caller, data):
    print("called", flush=True)
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass

@bus.rpc("/fill")
async def fill(caller, data):
    for _ in range(300):
        await bus.publish("/bulk", "x" * 100_000)
        await asyncio.sleep(0)
"""


@pytest.fixture(scope="module", autouse=True)
def host() -> None:
    """It is a process of its own, with the host that it has."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    """Run ``mirant serve`` with the application above."""
    (tmp_path / "app.py").write_text(APPLICATION)
    with Process("serve", "app:bus", "--port", "0", folder=tmp_path) as server:
        yield server


async def ended(server: Process, *, within: float = 1.0) -> tuple[int, str, str]:
    """Wait for the end of *server*, which was sent a signal just now."""
    start = time.monotonic()
    result = await asyncio.to_thread(server.finish)
    taken = time.monotonic() - start
    assert taken < within, f"it took {taken:.1f} s\n{result}"
    return result


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM)])
async def test_an_idle_server(server: Process, number: signal.Signals, code: int) -> None:
    server.signal(number)

    assert await ended(server) == (code, "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_held_polls_are_answered(server: Process, number: signal.Signals) -> None:
    async with Poller.at(server.url) as one, Poller.at(server.url) as two:
        polls = []
        for client in (one, two):
            await client.begin()
            polls.append(asyncio.create_task(client.connect(id="held")))
        await two.publish("/after", "the polls were sent")  # on another connection
        await one.publish("/after", "the polls were sent")
        server.signal(number)
        answers = await asyncio.gather(*polls)
        _, out, err = await ended(server)

        for [reply] in answers:
            assert reply["id"] == "held"
            assert reply["successful"]
        assert (out, err) == ("", "")


async def test_sockets_are_closed_with_1001(server: Process) -> None:
    async with Socket.at(server.url) as client:
        await client.begin()
        await client.connect(id="held")
        await client.send({"channel": "/a", "data": 1, "id": "after"})
        await client.receive()
        server.signal(signal.SIGINT)
        [reply] = await client.receive()
        with pytest.raises(ConnectionClosed) as closed:
            await client.receive()
        _, out, err = await ended(server)

        assert reply["id"] == "held"
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        assert (out, err) == ("", "")


async def test_a_socket_without_a_session_is_closed_with_1001(server: Process) -> None:
    async with Socket.at(server.url) as client:
        server.signal(signal.SIGINT)
        with pytest.raises(ConnectionClosed) as closed:
            await client.receive()
        _, _, err = await ended(server)

        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        assert err == ""


async def test_an_event_stream_ends(server: Process) -> None:
    async with Poller.at(server.url) as client:
        await client.begin()
        stream = client.http.stream(
            "GET", f"{server.url}/{client.id}", headers={"accept": "text/event-stream"}
        )
        async with stream as response:
            assert response.status_code == 200
            lines = response.aiter_lines()
            assert await anext(lines) == ":"
            server.signal(signal.SIGINT)
            assert [line async for line in lines if line] == []
        _, out, err = await ended(server)

        assert (out, err) == ("", "")


async def test_a_peer_that_does_not_answer_the_close_is_not_waited_for(server: Process) -> None:
    async with FrozenPeer.at(server.url) as peer:
        await peer.begin("/news")
        server.signal(signal.SIGINT)
        _, out, err = await ended(server, within=1.5)

        assert await peer.close_code() == 1001
        assert (out, err) == ("", "")


async def test_a_peer_that_does_not_read_is_not_waited_for(server: Process) -> None:
    async with FrozenPeer.at(server.url) as peer, Poller.at(server.url) as other:
        await peer.begin("/bulk")
        await other.begin()
        assert (await other.call("/fill"))["successful"]
        server.signal(signal.SIGINT)
        _, out, _ = await ended(server, within=1.5)

        assert out == ""


async def test_a_running_call_is_cancelled(server: Process) -> None:
    async with Poller.at(server.url) as client:
        await client.begin()
        await client.send({"channel": "/service/slow", "data": 1})
        server.signal(signal.SIGINT)
        code, out, err = await ended(server)

        assert (code, out, err) == (0, "called\n", "")


async def test_a_call_that_cannot_be_cancelled_yields_to_a_second_signal(server: Process) -> None:
    async with Poller.at(server.url) as client:
        await client.begin()
        await client.send({"channel": "/service/stubborn", "data": 1})
    server.signal(signal.SIGINT)
    assert "calls.stubborn count=1" in await asyncio.to_thread(server.complaint)
    assert server.is_running
    server.signal(signal.SIGINT)
    code, out, _ = await ended(server, within=3)

    assert (code, out) == (-signal.SIGINT, "called\n")


async def test_a_second_signal_at_once_is_no_error(server: Process) -> None:
    async with Poller.at(server.url) as client:
        await client.begin()
        poll = asyncio.create_task(client.connect())
        await client.publish("/after", 1)
        server.signal(signal.SIGINT)
        server.signal(signal.SIGINT)
        _, _, err = await ended(server)
        await asyncio.gather(poll, return_exceptions=True)

        assert "Traceback" not in err
