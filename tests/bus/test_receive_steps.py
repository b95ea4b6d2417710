"""The steps of a message that came in: its form, its session, what extensions wait for, and its channel."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from typing import cast

import pytest

from mirant.bayeux.messages import MAX_ID, Message
from mirant.bus.contracts import Observer
from mirant.bus.extension import Extension, Veto
from mirant.bus.party import Party
from mirant.bus.refusal import Refusal
from mirant.bus.request import Request
from mirant.bus.turn import Turn
from mirant.testing import Json, Later, PollingClient, World
from mirant.transports.long_polling import Exchange
from mirant.transports.response import Response


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def alice(world: World) -> PollingClient:
    return world.polling().enter()


def ask(client: PollingClient, **fields: object) -> Json:
    """Return the reply to a publish with *fields* instead of its own."""
    [reply] = client.ask({**client.message("/a", data=1), **fields})
    return reply


# --- The form ---


@pytest.mark.parametrize(("given", "echoed"), [("7", "7"), (7, "7"), (0, "0"), ("x" * MAX_ID, "x" * MAX_ID)])
def test_an_id_is_echoed_as_a_string(alice: PollingClient, given: object, echoed: str) -> None:
    reply = ask(alice, id=given)
    assert (reply["id"], reply["successful"]) == (echoed, True)


def test_a_message_without_an_id_is_answered_without_one(alice: PollingClient) -> None:
    reply = ask(alice, id=None)
    assert reply["successful"]
    assert "id" not in reply


@pytest.mark.parametrize("given", ["", "x" * (MAX_ID + 1)])
def test_an_id_that_is_empty_or_too_long_is_refused(alice: PollingClient, given: str) -> None:
    assert ask(alice, id=given)["error"] == "405::message_id_invalid"


@pytest.mark.parametrize("given", [True, {}, {"a": [1]}, [], [1], "", "x" * (MAX_ID + 1), 10**MAX_ID])
@pytest.mark.parametrize("channel", ["/meta/handshake", "/meta/connect", "/meta/subscribe", "/a"])
def test_whatever_the_id_the_reply_carries_it(world: World, channel: str, given: object) -> None:
    """A client that finds no reply to its message waits for ever."""
    client = world.polling().enter()
    [reply] = client.ask({**client.message(channel, subscription="/a", data=1), "id": given})
    assert reply["error"] == "405::message_id_invalid"
    assert reply["id"] == (str(given) if isinstance(given, int) and given > 1 else given)


@pytest.mark.parametrize(
    "channel", ["/meta/handshake", "/meta/connect", "/meta/subscribe", "/a", "/service/x"]
)
def test_a_number_is_served_and_echoed_as_it_is_spelt(world: World, channel: str) -> None:
    client = world.polling().enter()
    poll = client.post(
        b'[{"channel":"%b","clientId":"%b","id":-1.50e+3,"subscription":"/a","data":1,"advice":{"timeout":0}}]'
        % (channel.encode(), str(client.client_id).encode())
    )
    assert poll.messages[-1]["id"] == "-1.50e+3"
    assert poll.messages[-1]["successful"]


def test_a_message_without_a_channel_is_refused(alice: PollingClient) -> None:
    reply = ask(alice, channel=None)
    assert reply["successful"] is False
    assert reply["error"].startswith("4")


def test_the_subscription_is_echoed_and_where_there_is_none_nothing_is(alice: PollingClient) -> None:
    assert alice.subscribe(["/b", "/c"])["subscription"] == ["/b", "/c"]
    assert "subscription" not in ask(alice)


# --- The session ---


def test_an_open_connection_takes_the_session_that_its_first_message_names(world: World) -> None:
    alice, bob = world.polling(cookies=False).enter(), world.polling(cookies=False).enter()
    socket = world.socket(alice)
    socket.publish("/a", 1)
    foreign = {**socket.message("/a", data=2), "clientId": bob.client_id}
    [reply] = socket.ask(foreign)
    assert reply["error"] == "402::session_unknown"


def test_a_connection_that_named_nobody_may_name_somebody_later(world: World, alice: PollingClient) -> None:
    socket = world.socket(alice)
    socket.client_id = "nobody"
    assert socket.publish("/a", 1)["error"] == "402::session_unknown"
    socket.client_id = alice.client_id
    assert socket.publish("/a", 1)["successful"]


def test_each_request_names_its_session_anew_though_one_exchange_brings_it(world: World) -> None:
    answers: list[Response] = []

    def answer(response: Response) -> bool:
        answers.append(response)
        return True

    clients = [world.polling(cookies=False).enter() for _ in range(2)]
    exchange = Exchange(world.core, Request({}), answer)
    for client in clients:
        messages = exchange.read(json.dumps([client.message("/a", data=1)]).encode())
        assert messages is not None
        world.run(world.core.receive(messages, exchange, world.now))
    assert [json.loads(response.body)[0]["successful"] for response in answers] == [True, True]


def test_a_handshake_that_is_refused_on_a_bound_connection_is_told_with_its_session(world: World) -> None:
    socket, ears = world.socket().enter(), Ears()
    world.core.observers.add(ears)
    label = socket.session.label
    world.core.hooks.authenticate = deny
    assert not socket.handshake()["successful"]
    assert ears.parties == [(label, "127.0.0.1")]


def deny(message: Message, request: Request) -> object:
    raise Veto("no")


class Ears(Observer):
    """Keeps who was refused."""

    def __init__(self) -> None:
        self.parties: list[tuple[str | None, str | None]] = []

    def refused(self, party: Party, channel: str | None, refusal: Refusal) -> None:
        self.parties.append((party.label, party.address))


def test_observers_are_told_which_session_was_refused_or_else_from_where(
    world: World, alice: PollingClient
) -> None:
    ears = Ears()
    world.core.observers.add(ears)
    label = alice.session.label
    alice.say("/meta/unknown")
    world.polling().say("/meta/unknown")
    assert ears.parties == [(label, "127.0.0.1"), (None, "127.0.0.1")]


# --- Extensions that wait ---


class Waiting(Extension):
    """Lets messages to channels wait for what a test says."""

    def __init__(self, waits: dict[str, Later]) -> None:
        self.waits = waits
        self.seen: list[tuple[str | None, float]] = []

    def incoming(self, message: Message, turn: Turn, now: float) -> Awaitable[None] | None:
        self.seen.append((message.channel, now))
        return cast("Awaitable[None] | None", self.waits.get(message.channel or ""))


def test_each_extension_has_its_turn_and_may_wait_too(world: World, alice: PollingClient) -> None:
    first, second = Later(), Later()
    one, two, three = Waiting({"/a": first}), Waiting({"/a": second}), Waiting({})
    world.use(one, two, three)
    poll = alice.send(alice.message("/a", data=1))
    assert (len(one.seen), len(two.seen), len(three.seen)) == (1, 0, 0)
    world.advance(1)
    first.resolve()
    assert (len(two.seen), len(three.seen)) == (1, 0)
    assert two.seen == [("/a", 1_001.0)]
    assert poll.held
    second.resolve()
    assert len(three.seen) == 1
    assert poll.reply["successful"]


def test_a_session_that_ended_while_the_second_waited_is_unknown(world: World, alice: PollingClient) -> None:
    first, second = Later(), Later()
    last = Waiting({})
    world.use(Waiting({"/a": first}), Waiting({"/a": second}), last)
    poll = alice.send(alice.message("/a", data=1))
    first.resolve()
    world.dismiss(alice.session)
    second.resolve()
    assert poll.messages[-1]["error"] == "402::session_unknown"
    assert last.seen == []


@pytest.mark.parametrize(
    ("channel", "fields"),
    [
        ("/a", {"data": 1}),
        ("/service/a", {"data": 1}),
        ("/meta/subscribe", {"subscription": "/a"}),
        ("/meta/disconnect", {}),
    ],
)
def test_a_message_that_waited_is_acted_on_as_any_other(
    world: World, alice: PollingClient, channel: str, fields: dict[str, object]
) -> None:
    later = Later()
    world.use(Waiting({channel: later}))
    poll = alice.send(alice.message(channel, **fields))
    assert poll.held
    later.resolve()
    assert poll.reply["successful"]
    assert alice.alive is (channel != "/meta/disconnect")


def test_a_connect_that_waited_is_held(world: World, alice: PollingClient) -> None:
    later = Later()
    world.use(Waiting({"/meta/connect": later}))
    poll = alice.connect()
    later.resolve()
    assert poll.held
    world.advance(30.1)
    assert poll.reply["successful"]


# --- The channel ---


def test_a_call_is_answered_at_once_and_a_meta_channel_that_there_is_not_is_refused(
    alice: PollingClient,
) -> None:
    assert alice.say("/service/nobody", data=1)["successful"] is True
    assert alice.say("/meta/unknown")["error"] == "403:denied_by_security_policy:channel_create_denied"
