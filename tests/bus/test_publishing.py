"""Publishing: who gets what, in which order, and what may be refused (Bayeux 1.0, section 5)."""

from typing import Any

import pytest

from mirant.bayeux.messages import Message
from mirant.bus.extension import Veto
from mirant.services import Caller
from mirant.testing import Json, Later, World


@pytest.fixture
def world() -> World:
    return World()


def test_a_publish_is_answered_and_reaches_subscribers_on_every_transport(world: World) -> None:
    alice, bob, carol = world.polling().enter(), world.polling().enter(), world.socket().enter()
    bob.subscribe("/chat/*")
    carol.subscribe("/chat/**")
    poll = bob.connect()
    assert alice.publish("/chat/room", {"text": "hi"}) == {
        "channel": "/chat/room",
        "id": "3",
        "successful": True,
    }
    expected = {"channel": "/chat/room", "data": {"text": "hi"}}
    assert poll.messages[0] == expected
    assert carol.frames[-1] == [expected]


def test_a_publisher_that_is_subscribed_gets_its_message_before_the_reply(world: World) -> None:
    for client in (world.polling().enter(), world.socket().enter()):
        client.subscribe("/a")
        message = client.message("/a", data=1)
        assert client.ask(message) == [
            {"channel": "/a", "data": 1},
            {"channel": "/a", "id": message["id"], "successful": True},
        ]


def test_a_publishers_own_message_rides_on_the_reply_and_does_not_release_its_poll(world: World) -> None:
    client = world.polling().enter()
    client.subscribe("/a")
    poll = client.connect()
    client.publish("/a", 1)
    assert poll.held
    assert client.data == [1]


def test_answers_are_in_the_order_of_the_messages_after_all_deliveries(world: World) -> None:
    client = world.polling().enter()
    messages = [
        client.message("/meta/subscribe", subscription="/a"),
        client.message("/a", data=1),
        client.message("/service/x", data=0),
        client.message("/a", data=2),
        client.message("/meta/unsubscribe", subscription="/a"),
    ]
    answers = client.ask(*messages)
    assert [answer.get("data") for answer in answers[:2]] == [1, 2]
    assert [answer.get("id") for answer in answers[2:]] == [message["id"] for message in messages]


def test_on_a_socket_answers_of_a_frame_come_in_one_frame_after_the_deliveries(world: World) -> None:
    client = world.socket().enter()
    client.subscribe("/a")
    first, second = client.message("/a", data=1), client.message("/a", data=2)
    client.send(first, second)
    deliveries, replies = client.frames[-2:]
    assert [delivery["data"] for delivery in deliveries] == [1, 2]
    assert [reply["id"] for reply in replies] == [first["id"], second["id"]]


def test_messages_waiting_for_a_session_ride_on_any_of_its_answers(world: World) -> None:
    client = world.polling().enter()
    client.subscribe("/a")
    world.publish("/a", 1)
    reply = client.publish("/b", 0)
    assert client.messages[-2:] == [{"channel": "/a", "data": 1}, reply]


def test_every_subscriber_gets_one_copy_however_many_patterns_match(world: World) -> None:
    client = world.socket().enter()
    client.subscribe(["/a/b", "/a/*", "/a/**", "/**"])
    world.publish("/a/b", 1)
    assert client.data == [1]


@pytest.mark.parametrize("data", [None, 0, False, "", [], {}, "é\u2028", 1e300, [[[]]]])
def test_all_json_values_are_data(world: World, data: object) -> None:
    alice, bob = world.polling().enter(), world.socket().enter()
    bob.subscribe("/a")
    assert alice.publish("/a", data)["successful"]
    assert bob.frames[-1] == [{"channel": "/a", "data": data}]


def test_without_data_a_publish_is_refused(world: World) -> None:
    """The subscribers of the reference server then mistake the message for a reply."""
    alice, bob = world.polling().enter(), world.socket().enter()
    bob.subscribe("/a")
    before = len(bob.frames)
    assert alice.say("/a")["error"] == "400::data_missing"
    assert len(bob.frames) == before


@pytest.mark.parametrize(
    "name", ["/a/*", "/a/**", "/*", "/**", "//", "/a//b", "a", "/ä", "/a?", "/" + "a" * 300]
)
def test_what_is_no_channel_cannot_be_published_to(world: World, name: str) -> None:
    """The reference server delivers to a channel called ``/a/*``."""
    alice, bob = world.polling().enter(), world.socket().enter()
    bob.subscribe(["/**", "/a/**"])
    reply = alice.publish(name, 1)
    assert (reply["channel"], reply["error"]) == (name, "405::channel_invalid")
    assert bob.data == []


@pytest.mark.parametrize(
    "name", ["/meta/subscribe/x", "/meta/handshake/x", "/meta/connect/y/z", "/meta/x", "/meta"]
)
def test_what_only_looks_like_a_meta_channel_is_neither_handled_nor_distributed(
    world: World, name: str
) -> None:
    """A server that compared beginnings of names let ``/meta/subscribe/x`` pass without authentication."""
    alice, bob = world.polling().enter(), world.socket().enter()
    bob.subscribe(["/**", "/*"])
    reply = alice.say(name, data=1, subscription="/secret", clientId=alice.client_id)
    assert (reply["successful"], reply["error"]) == (
        False,
        "403:denied_by_security_policy:channel_create_denied",
    )
    assert alice.session.subscriptions == set()
    assert bob.data == []
    assert len(world.core.sessions) == 2


@pytest.mark.parametrize("name", ["/meta/subscribe/x", "/meta/x", "/a", "/service/x"])
def test_without_a_session_nothing_can_be_published_anywhere(world: World, name: str) -> None:
    bob = world.socket().enter()
    bob.subscribe("/**")
    assert world.polling().publish(name, 1)["error"] == "402::session_unknown"
    assert bob.data == []


def test_ext_timestamp_and_own_fields_reach_subscribers_and_credentials_do_not(world: World) -> None:
    alice, bob = world.polling().enter(), world.socket().enter()
    bob.subscribe("/a")
    alice.publish(
        "/a", 1, ext={"x": 1}, timestamp="now", mine=[1], advice={"reconnect": "none"}, successful=False
    )
    assert bob.deliveries == [{"channel": "/a", "data": 1, "ext": {"x": 1}, "timestamp": "now", "mine": [1]}]


def test_a_message_that_is_refused_spoils_only_itself(world: World) -> None:
    alice, bob = world.polling().enter(), world.socket().enter()
    bob.subscribe("/**")
    bad: list[Json] = [
        {"id": "1"},
        {"channel": 7},
        {"channel": "/a", "id": ""},
        {"channel": "/a", "id": "x" * 200, "data": 1},
        {"channel": "/a", "id": [], "data": 1},
        {"channel": "/a", "data": 1},
        {"channel": "/a", "data": 1, "ext": 1},
        {"channel": "/a", "data": 1, "clientId": 5},
    ]
    replies = alice.ask(alice.message("/a", data=1), *bad, alice.message("/a", data=2))
    assert [reply.get("error") for reply in replies] == [
        None,
        "400::channel_missing",
        "405::channel_invalid",
        "405::message_id_invalid",
        "405::message_id_invalid",
        "405::message_id_invalid",
        "402::session_unknown",
        "400:ext:field_invalid",
        "402::session_unknown",
        None,
    ]
    assert bob.data == [1, 2]
    assert "channel" not in replies[1]


def test_402_on_other_channels_than_connect_has_no_advice(world: World) -> None:
    client = world.polling()
    client.client_id = "nobody"
    for channel in ("/a", "/meta/subscribe", "/meta/disconnect", "/service/x"):
        assert "advice" not in client.say(channel, data=1, subscription="/a")


# --- The application's hooks ---


def test_the_application_may_change_what_is_published(world: World) -> None:
    world.services.on_publish("/a")(lambda caller, data: {"was": data})
    alice, bob = world.polling().enter(), world.socket().enter()
    bob.subscribe("/a")
    assert alice.publish("/a", 1)["successful"]
    assert bob.data == [{"was": 1}]


@pytest.mark.parametrize(
    ("reason", "error"), [("spam", "404:spam:message_deleted"), ("", "404::message_deleted")]
)
def test_the_application_may_veto_with_a_reason(world: World, reason: str, error: str) -> None:
    @world.services.on_publish("/{name}")
    def moderate(caller: Caller, data: Any, name: str) -> None:
        if data == "bad":
            raise Veto(reason)

    alice, bob = world.polling().enter(), world.socket().enter()
    bob.subscribe("/a")
    assert alice.publish("/a", "bad")["error"] == error
    assert alice.publish("/a", "good")["successful"]
    assert bob.data == ["good"]


def test_a_broken_hook_refuses_the_message_and_tells_no_details(world: World) -> None:
    @world.services.on_publish("/a")
    def broken(caller: Caller, data: Any) -> None:
        raise RuntimeError("password=1234")

    alice, bob = world.polling().enter(), world.socket().enter()
    bob.subscribe("/**")
    assert alice.publish("/a", 1) == {
        "channel": "/a",
        "id": "3",
        "successful": False,
        "error": "500::application_failed",
    }
    assert alice.publish("/b", 2)["successful"]
    assert bob.data == [2]


def test_data_of_another_type_than_the_hook_declares_is_refused(world: World) -> None:
    @world.services.on_publish("/a")
    def typed(caller: Caller, data: list[int]) -> None: ...

    alice = world.polling().enter()
    assert alice.publish("/a", [1])["successful"]
    assert alice.publish("/a", "x")["error"] == "400:data:field_invalid"


def test_a_slow_hook_keeps_the_order_of_its_session_and_delays_nobody_else(world: World) -> None:
    laters: list[Later] = []

    @world.services.on_publish("/slow")
    async def slow(caller: Caller, data: Any) -> None:
        laters.append(Later())
        await laters[-1]

    alice, bob = world.socket().enter(), world.socket().enter()
    bob.subscribe("/**")
    alice.send(alice.message("/slow", data=1), alice.message("/fast", data=2))
    alice.send(alice.message("/fast", data=3))
    world.polling().enter().publish("/fast", "other")
    assert bob.data == ["other"]
    laters[0].resolve()
    assert bob.data == ["other", 1, 2, 3]


@pytest.mark.parametrize(
    ("error", "answer"),
    [(Veto("late"), "404:late:message_deleted"), (RuntimeError("x"), "500::application_failed")],
)
def test_a_slow_hook_may_refuse_too(world: World, error: Exception, answer: str) -> None:
    later = Later()

    @world.services.on_publish("/a")
    async def slow(caller: Caller, data: Any) -> None:
        await later

    alice = world.polling().enter()
    poll = alice.send(alice.message("/a", data=1), alice.message("/b", data=1))
    later.fail(error)
    assert [message.get("error") for message in poll.messages] == [answer, None]


def test_hooks_run_in_the_order_in_which_they_were_added_each_on_the_result_of_the_last(world: World) -> None:
    world.services.on_publish("/{name}")(lambda caller, data, name: [*data, "first", name])
    world.services.on_publish("/a")(lambda caller, data: [*data, "second"])
    alice, bob = world.polling().enter(), world.socket().enter()
    bob.subscribe("/a")
    alice.publish("/a", [])
    assert bob.data == [["first", "a", "second"]]


def test_a_function_that_ends_the_session_and_refuses_nothing_lets_the_message_pass(world: World) -> None:
    @world.services.on_publish("/last")
    def see(caller: Caller, data: object) -> None:
        world.dismiss(caller.session)

    alice, bob = world.polling().enter(), world.socket().enter()
    bob.subscribe("/last")
    alice.send(alice.message("/last", data="goodbye"))
    assert not alice.alive
    assert bob.data == ["goodbye"]


def test_a_credential_is_taken_out_of_a_message_that_a_function_saw(world: World) -> None:
    def conceal(message: Message) -> None:
        message.ext = None

    world.core.hooks.conceal = conceal

    @world.services.on_publish("/a")
    def see(caller: Caller, data: object) -> None:
        return None

    alice, bob = world.polling().enter(), world.socket().enter()
    bob.subscribe("/a")
    assert alice.say("/a", data=1, ext={"token": "secret"})["successful"]
    assert bob.frames[-1] == [{"channel": "/a", "data": 1}]
