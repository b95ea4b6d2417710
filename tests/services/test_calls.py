"""Remote calls and messages to services: the answers that results and exceptions of functions become."""

import asyncio
import gc
import re
import tracemalloc
from typing import Any

import msgspec
import pytest

from mirant import (
    Bus,
    Caller,
    RemoteError,
    Settings,
)
from tests.hosts.clients import Poller

Calls = list[Any]


class Order(msgspec.Struct):
    """What a typed function takes."""

    item: str
    count: int = 1


async def test_a_call_is_answered_with_what_the_function_returns() -> None:
    bus = Bus()

    @bus.rpc("/double")
    def double(caller: Caller, data: Any) -> Any:
        return [data, data]

    async with Poller.inside(bus) as client:
        await client.begin()
        answer, reply = await client.send({"channel": "/service/double", "data": {"é": 1}, "id": "7"})

        assert answer == {
            "channel": "/service/double",
            "data": [{"é": 1}, {"é": 1}],
            "id": "7",
            "successful": True,
        }
        assert reply == {"channel": "/service/double", "id": "7", "successful": True}


async def test_an_answer_of_nothing_still_has_data() -> None:
    bus = Bus()

    @bus.rpc("/nothing")
    def nothing(caller: Caller, data: object) -> None: ...

    async with Poller.inside(bus) as client:
        await client.begin()
        answer = (await client.send({"channel": "/service/nothing", "data": None, "id": "1"}))[0]

        assert answer["data"] is None
        assert answer["successful"] is True


async def test_a_call_without_data_is_a_call_with_none() -> None:
    bus = Bus()
    seen: Calls = []

    @bus.rpc("/ping")
    def ping(caller: Caller, data: object) -> None:
        seen.append(data)

    async with Poller.inside(bus) as client:
        await client.begin()
        await client.send({"channel": "/service/ping"})

        assert seen == [None]


async def test_an_asynchronous_call_is_answered_later() -> None:
    bus = Bus(settings=Settings(timeout=5))
    release = asyncio.Event()

    @bus.rpc("/later")
    async def later(caller: Caller, data: object) -> object:
        await release.wait()
        return data

    async with Poller.inside(bus) as client:
        await client.begin()
        [reply] = await client.send({"channel": "/service/later", "data": 1, "id": "1"})
        release.set()
        answer, connected = await client.connect()

        assert "data" not in reply
        assert reply["successful"]
        assert answer == {"channel": "/service/later", "data": 1, "id": "1", "successful": True}
        assert connected["channel"] == "/meta/connect"


async def test_asynchronous_calls_overlap() -> None:
    bus = Bus(settings=Settings(timeout=5))
    meeting = asyncio.Barrier(3)

    @bus.rpc("/meet/{name}")
    async def meet(caller: Caller, data: object, name: str) -> str:
        await meeting.wait()
        return name

    async with Poller.inside(bus) as client:
        await client.begin()
        calls = ({"channel": f"/service/meet/{name}", "data": 1, "id": name} for name in "abc")
        arrived = await client.send(*calls)
        while len(answers := {m["id"]: m["data"] for m in arrived if "data" in m}) < 3:
            arrived += await client.connect()

        assert answers == {"a": "a", "b": "b", "c": "c"}


async def test_parameters_are_given_by_name() -> None:
    bus = Bus()

    @bus.rpc("/map/{x}/{y}")
    def where(caller: Caller, data: object, y: str, x: str) -> object:
        return {"x": x, "y": y}

    async with Poller.inside(bus) as client:
        await client.begin()

        assert (await client.call("/map/1/b c"))["data"] == {"x": "1", "y": "b c"}


async def test_a_plain_name_wins_nothing_over_a_template() -> None:
    """One function for one channel: two that fit would give two answers to one call."""
    bus = Bus()
    bus.rpc("/city/{name}")(lambda caller, data, name: name)
    bus.rpc("/city/paris")(lambda caller, data: "the capital")

    async with Poller.inside(bus) as client:
        await client.begin()
        arrived = await client.send({"channel": "/service/city/paris", "data": 1, "id": "1"})

        assert len([message for message in arrived if "data" in message]) == 1


async def test_typed_data_is_decoded() -> None:
    bus = Bus()

    @bus.rpc("/order")
    def order(caller: Caller, data: Order) -> object:
        assert isinstance(data, Order)
        return [data.item, data.count]

    async with Poller.inside(bus) as client:
        await client.begin()

        assert (await client.call("/order", {"item": "tea", "count": 2}))["data"] == ["tea", 2]
        assert (await client.call("/order", {"item": "tea"}))["data"] == ["tea", 1]


@pytest.mark.parametrize("data", [{"count": 2}, {"item": 1}, None, [], "tea", {"item": "tea", "count": "2"}])
async def test_data_of_another_type_is_explained_to_the_caller(data: object) -> None:
    bus = Bus()

    @bus.rpc("/order")
    def order(caller: Caller, data: Order) -> object:
        raise AssertionError("it must not be called")

    async with Poller.inside(bus) as client:
        await client.begin()
        answer = await client.call("/order", data)

        assert answer["successful"] is False
        assert answer["data"]["code"] == 400
        assert re.search("Expected|missing", answer["data"]["message"])


@pytest.mark.parametrize("number", ["12345678901234567890123", "1.50", "-0", "1e400"])
async def test_raw_data_is_answered_to_the_digit(number: str) -> None:
    bus = Bus()

    @bus.rpc("/echo")
    def echo(caller: Caller, data: msgspec.Raw) -> msgspec.Raw:
        return data

    async with Poller.inside(bus) as client:
        await client.begin()
        response = await client.post(
            f'{{"channel":"/service/echo","clientId":"{client.id}","data":{number}}}'
        )

        assert f'"data":{number}' in response.text


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("data", ["sold out", {"code": 7}, None])
async def test_a_remote_error_is_a_failed_answer(*, asynchronous: bool, data: object) -> None:
    bus = Bus()

    def fail(caller: Caller, given: object) -> object:
        raise RemoteError(data)

    async def fail_later(caller: Caller, given: object) -> object:
        raise RemoteError(data)

    bus.rpc("/fail")(fail_later if asynchronous else fail)
    async with Poller.inside(bus) as client:
        await client.begin()
        answer = await client.call("/fail")

        assert answer["data"] == data
        assert answer["successful"] is False


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_an_exception_is_logged_and_not_told(
    *, asynchronous: bool, caplog: pytest.LogCaptureFixture
) -> None:
    bus = Bus()

    def fail(caller: Caller, data: object) -> object:
        raise KeyError("password=hunter2")

    async def fail_later(caller: Caller, data: object) -> object:
        raise KeyError("password=hunter2")

    bus.rpc("/fail")(fail_later if asynchronous else fail)
    async with Poller.inside(bus) as client:
        await client.begin()
        answer = await client.call("/fail")

        assert answer["data"] == {"code": 500, "message": "The call failed on the server."}
        assert answer["successful"] is False
        assert "hunter2" in caplog.text
        assert client.id is not None
        assert client.id not in caplog.text


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("failing", [False, True])
async def test_an_answer_that_has_no_json_form_is_a_failed_call(*, asynchronous: bool, failing: bool) -> None:
    bus = Bus(settings=Settings(timeout=0.2))

    def answer(caller: Caller, data: object) -> object:
        if failing:
            raise RemoteError(object())
        return object()

    async def answer_later(caller: Caller, data: object) -> object:
        return answer(caller, data)

    bus.rpc("/odd")(answer_later if asynchronous else answer)
    async with Poller.inside(bus) as client:
        await client.begin()
        answered = await asyncio.wait_for(client.call("/odd"), 1)

        assert answered["successful"] is False
        assert answered["data"] == {"code": 500, "message": "The call failed on the server."}


async def test_more_calls_than_one_client_may_have() -> None:
    bus = Bus(settings=Settings(max_calls=2))
    release = asyncio.Event()

    @bus.rpc("/wait")
    async def wait(caller: Caller, data: object) -> None:
        await release.wait()

    async with Poller.inside(bus) as client:
        await client.begin()
        call = {"channel": "/service/wait", "data": 1}
        replies = await client.send(call, call, call)
        assert [reply.get("error") for reply in replies] == [None, None, "429::too_many_calls"]

        release.set()
        await client.connect()
        replies = await client.send(call)
        assert all(reply["successful"] for reply in replies)


async def test_a_call_whose_session_ended_runs_on() -> None:
    bus = Bus()
    release, done = asyncio.Event(), asyncio.Event()

    @bus.rpc("/long")
    async def long(caller: Caller, data: object) -> None:
        await release.wait()
        assert caller.session.ended
        caller.deliver("/note", 1)  # goes nowhere
        done.set()

    async with Poller.inside(bus) as client:
        await client.begin()
        await client.send({"channel": "/service/long", "data": 1})
        await client.send({"channel": "/meta/disconnect"})
        release.set()
        await asyncio.wait_for(done.wait(), 1)


async def test_a_call_is_cancelled_when_the_bus_closes() -> None:
    bus = Bus()
    outcome: Calls = []

    @bus.rpc("/long")
    async def long(caller: Caller, data: object) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            outcome.append("cancelled")
            raise

    async with Poller.inside(bus) as client:
        await client.begin()
        await client.send({"channel": "/service/long", "data": 1})
        await asyncio.sleep(0)
        await bus.close()

        assert outcome == ["cancelled"]


async def test_a_service_channel_that_nobody_serves() -> None:
    async with Poller.inside(Bus()) as client:
        await client.begin()
        [reply] = await client.send({"channel": "/service/nobody", "data": 1, "id": "1"})

        assert reply == {"channel": "/service/nobody", "id": "1", "successful": True}


async def test_a_service_takes_messages_and_answers_by_delivering() -> None:
    bus = Bus()

    @bus.service("/join/{room}")
    async def join(caller: Caller, data: Order, room: str) -> str:
        caller.deliver(f"/room/{room}", {"welcome": data.item})
        return "ignored"

    async with Poller.inside(bus) as client:
        await client.begin()
        arrived = await client.send({"channel": "/service/join/a", "data": {"item": "me"}, "id": "1"})
        while not any(message["channel"] == "/room/a" for message in arrived):
            arrived += await client.connect()

        assert {"channel": "/room/a", "data": {"welcome": "me"}} in arrived
        assert "ignored" not in str(arrived)


async def test_data_of_another_type_refuses_a_service_message() -> None:
    bus = Bus()

    @bus.service("/join")
    def join(caller: Caller, data: Order) -> None:
        raise AssertionError("it must not be called")

    async with Poller.inside(bus) as client:
        await client.begin()
        [reply] = await client.send({"channel": "/service/join", "data": 5})

        assert reply["error"] == "400:data:field_invalid"


async def test_a_service_that_breaks_refuses_the_message(caplog: pytest.LogCaptureFixture) -> None:
    bus = Bus()

    @bus.service("/break")
    def break_(caller: Caller, data: object) -> None:
        raise KeyError("secret")

    async with Poller.inside(bus) as client:
        await client.begin()
        [reply] = await client.send({"channel": "/service/break", "data": 5})

        assert reply["error"] == "500::application_failed"
        assert "secret" in caplog.text


@pytest.mark.parametrize("kind", ["rpc", "service"])
async def test_a_call_under_way_keeps_no_more_than_its_function_does(kind: str) -> None:
    """A field takes many times its bytes, and one small field keeps a whole body alive."""
    bus, ended = Bus(), asyncio.Event()

    @getattr(bus, kind)("/wait")  # type: ignore[untyped-decorator]  # either of two
    async def wait(caller: Caller, data: Any) -> None:
        await ended.wait()

    async with Poller.inside(bus) as client:
        await client.begin()
        large = {"ext": {str(field): 0 for field in range(4_000)}, "own": "x" * 200_000}
        gc.collect()
        tracemalloc.start()
        try:
            for number in range(20):
                await client.send({"channel": "/service/wait", "data": 1, "id": str(number), **large})
            gc.collect()
            kept = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
            ended.set()
        assert kept < 20 * 20_000
