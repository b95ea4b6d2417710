"""Functions that decide who comes in, and those that are told who left."""

import asyncio
from typing import Any

import pytest

from mirant import (
    Bus,
    Caller,
    Ending,
    Handshake,
    Identity,
    Session,
    Settings,
    Veto,
)
from tests.hosts.clients import Poller

Calls = list[Any]


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_who_authenticates_has_an_identity(*, asynchronous: bool) -> None:
    bus = Bus()
    seen: list[Handshake] = []
    callers: Calls = []

    def who(handshake: Handshake) -> Identity | None:
        seen.append(handshake)
        return Identity(handshake.ext["token"], roles=frozenset({"member"}))

    async def who_later(handshake: Handshake) -> Identity | None:
        await asyncio.sleep(0)
        return who(handshake)

    bus.authenticate(who_later if asynchronous else who)
    bus.rpc("/who")(lambda caller, data: callers.append(caller.identity))
    async with Poller.inside(bus) as client:
        client.http.headers["x-token"] = "t"
        reply = await client.handshake(ext={"token": "ann", "other": [1]}, agent={"a": 1})
        await client.call("/who")

        assert reply["successful"]
        assert seen[0].ext == {"token": "ann", "other": [1]}
        assert seen[0].fields == {"agent": {"a": 1}}
        assert seen[0].request.address == "127.0.0.1"
        assert seen[0].request.headers["x-token"] == "t"
        assert not seen[0].request.secure
        assert callers == [Identity("ann", roles=frozenset({"member"}))]


def _raise(error: Exception) -> Any:
    raise error


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda handshake: None, ""),
        (lambda handshake: _raise(Veto("no")), "no"),
        (lambda handshake: _raise(KeyError("secret")), ""),
        (lambda handshake: True, ""),
        (lambda handshake: "ann", ""),
    ],
)
async def test_who_does_not_authenticate_stays_out(*, asynchronous: bool, answer: Any, reason: str) -> None:
    bus = Bus()

    async def later(handshake: Handshake) -> Any:
        return answer(handshake)

    bus.authenticate(later if asynchronous else answer)
    async with Poller.inside(bus) as client:
        reply = await client.handshake(id="1")

        assert reply == {
            "channel": "/meta/handshake",
            "id": "1",
            "successful": False,
            "error": f"403:{reason}:handshake_denied",
            "advice": {"reconnect": "none"},
        }
        assert bus.sessions == 0


async def test_handshakes_that_wait_for_authentication_keep_to_the_limit() -> None:
    bus = Bus(settings=Settings(max_sessions=1))
    release = asyncio.Event()

    @bus.authenticate
    async def who(handshake: Handshake) -> Identity:
        await release.wait()
        return Identity("ann")

    async with Poller.inside(bus) as one, Poller.inside(bus) as two:
        both = asyncio.gather(one.handshake(), two.handshake())
        for _ in range(20):
            await asyncio.sleep(0)
        release.set()
        replies = await both

        assert bus.sessions == 1
        assert sorted(reply["successful"] for reply in replies) == [False, True]


async def test_leaving_is_told_with_its_reason() -> None:
    bus = Bus(settings=Settings(max_interval=0.1))
    left: asyncio.Queue[tuple[str, Ending | None, Any]] = asyncio.Queue()

    @bus.rpc("/name")
    def name(caller: Caller, data: object) -> None:
        caller.session.attributes["name"] = data

    @bus.on_leave
    async def leave(session: Session) -> None:
        await asyncio.sleep(0)
        left.put_nowait((session.id, session.ending, session.attributes.get("name")))

    async with Poller.inside(bus) as client:
        await client.begin()
        await client.call("/name", "ann")
        await client.send({"channel": "/meta/disconnect"})
        assert await asyncio.wait_for(left.get(), 1) == (client.id, Ending.DISCONNECTED, "ann")

        await client.begin()
        session = bus.session(client.id or "")
        assert session is not None
        bus.dismiss(session)
        bus.dismiss(session)
        assert await asyncio.wait_for(left.get(), 1) == (client.id, Ending.DISMISSED, None)

        await client.begin()
        assert await asyncio.wait_for(left.get(), 1) == (client.id, Ending.EXPIRED, None)
        assert left.empty()


async def test_a_function_that_breaks_keeps_the_others_from_nothing(caplog: pytest.LogCaptureFixture) -> None:
    bus = Bus()
    left: Calls = []

    @bus.on_leave
    def fail(session: Session) -> None:
        raise KeyError("x")

    bus.on_leave(lambda session: left.append(session.ending))
    async with Poller.inside(bus) as client:
        await client.begin()
        [reply] = await client.send({"channel": "/meta/disconnect"})

        assert reply["successful"]
        assert left == [Ending.DISCONNECTED]
        assert "on_leave" in caplog.text
