"""What an application's functions are called with, and what becomes of what they return and raise."""

import asyncio
import functools
import logging
import re
from typing import Any

import msgspec
import pytest

from mirant import (
    Bus,
    Caller,
    ChannelInvalid,
    Ending,
    Extension,
    Handshake,
    Identity,
    RemoteError,
    Session,
    Settings,
    Veto,
)
from mirant.bayeux.messages import Message, Reply
from mirant.bus.carrier import Turn
from tests.hosts.clients import Poller

Calls = list[Any]


class Order(msgspec.Struct):
    """What a typed function takes."""

    item: str
    count: int = 1


# --- rpc ---


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


# --- service ---


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


# --- on_publish ---


async def test_a_publish_is_seen_changed_or_refused() -> None:
    bus = Bus()

    @bus.on_publish("/chat/{room}")
    def moderate(caller: Caller, data: Any, room: str) -> object:
        if data == "spam":
            raise Veto("no spam")
        if data == "rude":
            return {"room": room, "text": "polite"}
        return None

    async with Poller.inside(bus) as client:
        await client.begin()
        await client.subscribe("/chat/**")
        arrived = await client.send(
            *({"channel": "/chat/a", "data": data, "id": data} for data in ("hello", "spam", "rude"))
        )

        assert [m["data"] for m in arrived if "data" in m] == ["hello", {"room": "a", "text": "polite"}]
        assert [m.get("error") for m in arrived if "id" in m] == [None, "404:no spam:message_deleted", None]


async def test_falsy_data_replaces_too() -> None:
    bus = Bus()
    bus.on_publish("/a")(lambda caller, data: 0)

    async with Poller.inside(bus) as client:
        await client.begin()
        await client.subscribe("/a")
        event, _ = await client.send({"channel": "/a", "data": 1})

        assert event["data"] == 0


async def test_functions_for_one_channel_see_it_one_after_the_other() -> None:
    bus = Bus()
    bus.on_publish("/{room}")(lambda caller, data, room: [*data, "first"])
    bus.on_publish("/a")(lambda caller, data: [*data, "second"])

    async with Poller.inside(bus) as client:
        await client.begin()
        await client.subscribe("/a")
        event, _ = await client.send({"channel": "/a", "data": []})

        assert event["data"] == ["first", "second"]


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_hook_that_breaks_refuses_the_publish(
    *, asynchronous: bool, caplog: pytest.LogCaptureFixture
) -> None:
    bus = Bus()

    def fail(caller: Caller, data: object) -> None:
        raise KeyError("secret")

    async def fail_later(caller: Caller, data: object) -> None:
        raise KeyError("secret")

    bus.on_publish("/a")(fail_later if asynchronous else fail)
    async with Poller.inside(bus) as client:
        await client.begin()
        await client.subscribe("/a")
        arrived = await client.send({"channel": "/a", "data": 1}, {"channel": "/b", "data": 1})

        assert [message.get("error") for message in arrived] == ["500::application_failed", None]
        assert "secret" in caplog.text


async def test_messages_of_one_body_keep_their_order_through_slow_hooks() -> None:
    bus = Bus()

    @bus.on_publish("/slow/{n}")
    async def slow(caller: Caller, data: int, n: str) -> object:
        for _ in range(5 - data):
            await asyncio.sleep(0)
        return {"seen": data}

    async with Poller.inside(bus) as client:
        await client.begin()
        await client.subscribe("/**")
        messages = [{"channel": f"/slow/{n}" if n % 2 else "/quick", "data": n} for n in range(5)]
        arrived = await client.send(*messages)
        data = [m["data"] for m in arrived if "data" in m]

        assert data == [0, {"seen": 1}, 2, {"seen": 3}, 4]


async def test_a_slow_hook_delays_its_session_alone() -> None:
    bus = Bus()
    release = asyncio.Event()

    @bus.on_publish("/slow")
    async def slow(caller: Caller, data: object) -> None:
        await release.wait()

    async with Poller.inside(bus) as one, Poller.inside(bus) as two:
        await one.begin()
        await two.begin()
        waiting = asyncio.create_task(one.publish("/slow", 1))
        await asyncio.sleep(0)
        assert (await two.publish("/quick", 1))["successful"]
        assert not waiting.done()
        release.set()
        assert (await waiting)["successful"]


# --- on_subscribe ---


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


# --- authenticate ---


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


# --- on_leave ---


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


# --- registrations that cannot work ---


def _one(caller: Caller) -> None: ...
def _two(caller: Caller, data: object) -> None: ...
def _room(caller: Caller, data: object, room: str) -> None: ...
def _swapped(caller: Caller, room: str, data: object) -> None: ...
def _any(*arguments: object) -> None: ...


@pytest.mark.parametrize("decorator", ["rpc", "service", "on_publish"])
@pytest.mark.parametrize(
    ("template", "function", "takes"),
    [
        ("/a", _one, "(caller, data)"),
        ("/a", _room, "(caller, data)"),
        ("/a/{room}", _two, "(caller, data, room)"),
        ("/a/{rooms}", _room, "(caller, data, rooms)"),
        ("/a/{room}", _swapped, "(caller, data, room)"),
        ("/a/{room}", _any, "(caller, data, room)"),
        ("/a", _any, "(caller, data)"),
    ],
)
def test_a_function_that_takes_something_else(
    decorator: str, template: str, function: Any, takes: str
) -> None:
    with pytest.raises(TypeError) as caught:
        getattr(Bus(), decorator)(template)(function)

    assert takes in str(caught.value)
    assert template in str(caught.value)
    assert function.__name__ in str(caught.value)


@pytest.mark.parametrize("function", [_two, lambda: None, lambda caller, data, user: None])
def test_a_guard_that_takes_something_else(function: Any) -> None:
    with pytest.raises(TypeError, match=r"\(caller, user\)"):
        Bus().on_subscribe("/a/{user}")(function)


@pytest.mark.parametrize("decorator", ["rpc", "service", "on_publish", "on_subscribe"])
@pytest.mark.parametrize(
    "template", ["/a/*", "/a/**", "/a/{x", "/a/x{y}", "/{a}/{a}", "/a//b", "/a?", "", "/"]
)
def test_a_template_that_is_no_channel(decorator: str, template: str) -> None:
    with pytest.raises(ChannelInvalid):
        getattr(Bus(), decorator)(template)(_two)


@pytest.mark.parametrize("decorator", ["rpc", "service", "on_publish", "on_subscribe"])
def test_a_template_needs_its_slash(decorator: str) -> None:
    with pytest.raises(ChannelInvalid, match="weather"):
        getattr(Bus(), decorator)("weather")(_two)


@pytest.mark.parametrize("decorator", ["rpc", "service"])
def test_a_service_is_named_without_its_prefix(decorator: str) -> None:
    with pytest.raises(ValueError, match="/service"):
        getattr(Bus(), decorator)("/service/weather")(_two)


@pytest.mark.parametrize("template", ["/service/a", "/meta/connect"])
def test_hooks_are_for_channels_that_are_distributed(template: str) -> None:
    with pytest.raises(ValueError, match=template):
        Bus().on_publish(template)(_two)
    with pytest.raises(ValueError, match=template):
        Bus().on_subscribe(template)(_one)


def test_one_call_has_one_answer() -> None:
    bus = Bus()
    bus.rpc("/a")(_two)
    with pytest.raises(ValueError, match="/a"):
        bus.rpc("/a")(_two)


class Desk:
    """Functions of an object."""

    def take(self, caller: Caller, data: Order) -> str:
        return data.item

    def __call__(self, caller: Caller, data: Order) -> str:
        return data.item


def _prefixed(prefix: str, caller: Caller, data: Order) -> str:
    return prefix + data.item


@pytest.mark.parametrize(
    "function", [Desk().take, Desk(), functools.partial(_prefixed, ""), lambda caller, data: data["item"]]
)
async def test_anything_that_can_be_called_will_do(function: Any) -> None:
    bus = Bus()
    bus.rpc("/take")(function)

    async with Poller.inside(bus) as client:
        await client.begin()

        assert (await client.call("/take", {"item": "tea"}))["data"] == "tea"


def test_decorators_give_the_function_back() -> None:
    bus = Bus()

    assert bus.rpc("/a")(_two) is _two
    assert bus.service("/b")(_two) is _two
    assert bus.on_publish("/a")(_two) is _two
    assert bus.on_subscribe("/a")(_one) is _one
    assert bus.on_leave(_one) is _one
    assert bus.authenticate(_one) is _one


def test_a_type_that_data_cannot_have_is_told_at_once() -> None:
    def function(caller: Caller, data: logging.Logger) -> None: ...

    with pytest.raises(TypeError, match="Logger"):
        Bus().rpc("/a")(function)


# --- extensions that break ---


class Breaking(Extension):
    """Raises when a reply to a message with this id leaves."""

    def outgoing(self, reply: Reply, message: Message, turn: Turn, now: float) -> None:
        if message.id == "break":
            raise ValueError("the extension is broken")


async def test_an_extension_that_breaks_does_not_stop_the_bus() -> None:
    bus = Bus(extensions=[Breaking()])

    async with Poller.inside(bus) as client:
        await client.begin()
        await asyncio.wait_for(client.send({"channel": "/a", "data": 1, "id": "break"}), 1)
        assert (await asyncio.wait_for(client.publish("/a", 1), 1))["successful"]


@pytest.mark.parametrize("number", ["1e308", "1e300", "-1e308", "1" * 400])
async def test_no_clock_of_a_client_stops_the_bus(number: str) -> None:
    bus = Bus()

    async with Poller.inside(bus) as client:
        body = (
            '{"channel":"/meta/handshake",'
            f'"ext":{{"timesync":{{"tc":{number},"l":{number},"o":{number}}}}}}}'
        )
        response = await asyncio.wait_for(client.post(body), 1)
        assert response.json()[0]["successful"]
        assert (await asyncio.wait_for(client.handshake(), 1))["successful"]
