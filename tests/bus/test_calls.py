"""Messages to service channels: who answers, and how many may be unanswered (Bayeux 1.0, section 2.2.2)."""

from __future__ import annotations

from typing import Any

import pytest

from mirant.bus.extension import Veto
from mirant.services import Caller, RemoteError
from mirant.testing import Json, Later, World


@pytest.fixture
def world() -> World:
    return World()


def test_messages_to_service_channels_reach_no_subscriber(world: World) -> None:
    alice, bob = world.polling().enter(), world.socket().enter()
    bob.subscribe(["/**", "/service/**", "/service/x"])
    assert alice.publish("/service/x", 1)["successful"]
    assert alice.say("/service/x")["successful"]
    assert bob.data == []


def test_of_two_services_the_one_that_is_spelt_out_answers(world: World) -> None:
    world.services.rpc("/city/{name}")(lambda caller, data, name: f"some city: {name}")
    world.services.rpc("/city/paris")(lambda caller, data: "Paris")
    client = world.polling().enter()
    assert call(world, client, "/service/city/paris")[0]["data"] == "Paris"
    assert call(world, client, "/service/city/rome")[0]["data"] == "some city: rome"


def test_a_call_that_fails_is_not_counted_for_ever() -> None:
    world = World(max_calls=1)

    @world.services.rpc("/broken")
    def broken(caller: Caller, data: Any) -> None:
        raise RuntimeError

    client = world.polling().enter()
    assert [client.publish("/service/broken", n)["successful"] for n in range(3)] == [True] * 3
    assert client.session.calls == 0


def call(world: World, client: Any, channel: str, data: object = None) -> tuple[Json, Json]:
    """Make a remote call and return what comes with it: the result, then the reply to the publish."""
    message = client.message(channel, data=data)
    result, reply = [answer for answer in client.ask(message) if answer.get("id") == message["id"]]
    return result, reply


@pytest.mark.parametrize("transport", ["polling", "socket"])
def test_a_remote_call_is_answered_with_data_before_its_reply(world: World, transport: str) -> None:
    world.services.rpc("/add/{n}")(lambda caller, data, n: data + int(n))
    client: Any = world.polling().enter() if transport == "polling" else world.socket().enter()
    result, reply = call(world, client, "/service/add/2", 40)
    assert result == {"channel": "/service/add/2", "id": result["id"], "data": 42, "successful": True}
    assert reply == {"channel": "/service/add/2", "id": result["id"], "successful": True}


def test_a_result_of_nothing_is_null_and_not_absent(world: World) -> None:
    """The reference server omits the field, and its clients wait until their timeout."""
    world.services.rpc("/nothing")(lambda caller, data: None)
    result, _ = call(world, world.polling().enter(), "/service/nothing")
    assert result["data"] is None


@pytest.mark.parametrize(
    ("error", "data"),
    [
        (RemoteError({"code": 7}), {"code": 7}),
        (Veto("not you"), {"code": 403, "message": "not you"}),
        (RuntimeError("password=1234"), {"code": 500, "message": "The call failed on the server."}),
    ],
)
def test_a_call_that_fails_is_answered_without_details_that_were_not_meant_for_the_client(
    world: World, error: Exception, data: object
) -> None:
    @world.services.rpc("/broken")
    def broken(caller: Caller, data: Any) -> None:
        raise error

    result, reply = call(world, world.polling().enter(), "/service/broken")
    assert (result["successful"], result["data"], reply["successful"]) == (False, data, True)


def test_a_call_that_takes_long_is_answered_later_and_holds_up_nothing(world: World) -> None:
    later = Later()

    @world.services.rpc("/slow")
    async def slow(caller: Caller, data: Any) -> object:
        return await later

    client = world.polling().enter()
    assert client.publish("/service/slow", 1)["successful"]
    poll = client.connect()
    later.resolve({"done": True})
    assert poll.messages[0]["data"] == {"done": True}


def test_a_session_has_a_most_number_of_unanswered_calls() -> None:
    world, laters = World(max_calls=2), []

    @world.services.rpc("/slow")
    async def slow(caller: Caller, data: Any) -> None:
        laters.append(Later())
        await laters[-1]

    client, other = world.polling().enter(), world.polling().enter()
    errors = [client.publish("/service/slow", n).get("error") for n in range(3)]
    assert errors == [None, None, "429::too_many_calls"]
    assert other.publish("/service/slow", 0)["successful"]
    laters[0].resolve()
    assert client.publish("/service/slow", 4)["successful"]


def test_the_answer_to_a_session_that_ended_goes_nowhere(world: World) -> None:
    later = Later()

    @world.services.rpc("/slow")
    async def slow(caller: Caller, data: Any) -> object:
        return await later

    client = world.polling().enter()
    client.publish("/service/slow", 1)
    client.disconnect()
    later.resolve(1)
    assert client.data == []
    assert world.failures == []
    assert world.is_empty()
