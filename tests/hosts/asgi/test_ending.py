"""The end of an ASGI server: held polls are answered with advice, whatever the server does, and soon."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mirant.hosts.asgi.ending import ServerEnding
from tests.hosts.asgi.caller import turns
from tests.hosts.clients import Poller
from tests.hosts.uvicorn_process import Uvicorn
from tests.hosts.waiting import until

APPLICATION = """
import asyncio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.routing import Mount
from mirant import Bus

bus = Bus()

@bus.on_publish("/held/{count}")
async def wait_until_so_many_polls_are_held(caller, data, count):
    while sum(each.held is not None for each in bus.loop.core.sessions.values()) < int(count):
        await asyncio.sleep(0)

class Through(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)

app = Starlette(routes=[Mount("/cometd", bus)], middleware=[Middleware(Through)])
"""


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """What was called. The signal SIGTERM has a handler, as a server would have one, that notes the call."""
    calls: list[str] = []
    before = signal.signal(signal.SIGTERM, lambda *_: calls.append("server"))
    yield calls
    signal.signal(signal.SIGTERM, before)


async def test_the_bus_learns_of_the_end_from_the_signal_and_so_does_the_server(heard: list[str]) -> None:
    ending = ServerEnding(lambda: heard.append("bus"))
    ending.watch(asyncio.get_running_loop(), has_requests=False)
    ending.watch(asyncio.get_running_loop(), has_requests=True)
    signal.raise_signal(signal.SIGTERM)
    await turns()
    ending.leave()

    assert heard == ["server", "bus"]


async def test_the_server_gets_its_handler_back(heard: list[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    ending = ServerEnding(lambda: heard.append("bus"))
    ending.watch(asyncio.get_running_loop(), has_requests=True)
    assert signal.getsignal(signal.SIGTERM) is not before
    ending.leave()

    assert signal.getsignal(signal.SIGTERM) is before


async def test_a_handler_of_somebody_who_came_later_stays(heard: list[str]) -> None:
    one, other = ServerEnding(lambda: heard.append("one")), ServerEnding(lambda: heard.append("other"))
    for each in (one, other):
        each.watch(asyncio.get_running_loop(), has_requests=True)
    one.leave()
    signal.raise_signal(signal.SIGTERM)
    await turns()
    other.leave()

    assert heard == ["server", "other"]


async def test_a_signal_that_ends_the_process_at_once_still_does() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ending = ServerEnding(lambda: None)
    ending.watch(asyncio.get_running_loop(), has_requests=True)
    try:
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        ending.leave()
        signal.signal(signal.SIGTERM, before)


def test_the_handler_of_asyncio_is_left_alone() -> None:
    async def is_left() -> bool:
        theirs = signal.getsignal(signal.SIGINT)
        ending = ServerEnding(lambda: None)
        ending.watch(asyncio.get_running_loop(), has_requests=True)
        left = signal.getsignal(signal.SIGINT) is theirs
        ending.leave()
        return left and theirs is not signal.default_int_handler

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert asyncio.run(is_left())
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


async def test_in_another_thread_there_are_no_signals_to_join(heard: list[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)

    async def watch() -> None:
        ServerEnding(lambda: None).watch(asyncio.get_running_loop(), has_requests=True)

    await asyncio.to_thread(asyncio.run, watch())

    assert signal.getsignal(signal.SIGTERM) is before


async def test_a_signal_after_the_event_loop_was_closed_reaches_the_server(heard: list[str]) -> None:
    loop = asyncio.new_event_loop()
    ending = ServerEnding(lambda: heard.append("bus"))
    ending.watch(loop, has_requests=False)
    loop.close()
    signal.raise_signal(signal.SIGTERM)
    ending.leave()

    assert heard == ["server"]


async def test_a_server_that_drops_connections_at_once_gets_the_signal_after_the_answers(
    heard: list[str],
) -> None:
    theirs = signal.getsignal(signal.SIGTERM)
    theirs.__module__ = "twisted.internet.base"
    ending = ServerEnding(lambda: heard.append("bus"))
    ending.watch(asyncio.get_running_loop(), has_requests=True)
    signal.raise_signal(signal.SIGTERM)
    await turns()
    assert heard == ["bus"]
    await until(lambda: heard != ["bus"])
    ending.leave()

    assert heard == ["bus", "server"]


async def test_a_hypercorn_worker_has_a_task_that_waits_for_the_end() -> None:
    scope: dict[str, Any] = {"__name__": "hypercorn.utils"}
    exec("async def raise_shutdown(event):\n    await event.wait()\n    raise RuntimeError", scope)
    event, calls = asyncio.Event(), list[str]()
    waiting = asyncio.create_task(scope["raise_shutdown"](event))
    await turns()
    ending = ServerEnding(lambda: calls.append("bus"))
    ending.watch(asyncio.get_running_loop(), has_requests=True)
    event.set()
    with pytest.raises(RuntimeError):
        await waiting
    await turns()
    ending.leave()

    assert calls == ["bus"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the application."""
    (tmp_path / "app.py").write_text(APPLICATION)
    return tmp_path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("arguments", [(), ("--timeout-graceful-shutdown", "1"), ("--http", "h11")])
async def test_polls_under_uvicorn_are_answered_with_advice_and_it_ends(
    folder: Path, number: signal.Signals, arguments: tuple[str, ...]
) -> None:
    server = Uvicorn(*arguments, folder=folder)
    try:
        async with Poller.at(await asyncio.to_thread(server.url)) as client, Poller.at(client.url) as other:
            await client.begin()
            await other.begin()
            polls = [asyncio.create_task(each.connect()) for each in (client, other)]
            await client.publish("/held/2", 1)
            server.process.send_signal(number)
            start = time.monotonic()
            answers = await asyncio.gather(*polls)
            log = await asyncio.to_thread(server.end)
    finally:
        server.process.kill()

    assert time.monotonic() - start < 10  # a poll is held for thirty seconds
    for [reply] in answers:
        assert reply["successful"]
        assert reply["advice"]["reconnect"] == "retry"
        assert reply["advice"]["interval"] >= 1000
    assert "Traceback" not in log
    assert "ERROR" not in log


async def test_uvicorn_reloads_while_a_poll_is_held(folder: Path) -> None:
    server = Uvicorn("--reload", folder=folder)
    try:
        async with Poller.at(await asyncio.to_thread(server.url)) as client:
            await client.begin()
            poll = asyncio.create_task(client.connect())
            await asyncio.sleep(1.2)  # a file is newer if its time, in whole seconds, is
            start = time.monotonic()
            (folder / "app.py").write_text(APPLICATION + "#\n")
            [reply] = await poll
            await asyncio.to_thread(server.wait_for, "startup complete")
            taken = time.monotonic() - start
    finally:
        server.process.send_signal(signal.SIGINT)
        log = await asyncio.to_thread(server.end)

    assert reply["advice"]["interval"] >= 1000
    assert taken < 15  # a poll is held for thirty seconds
    assert "Traceback" not in log
