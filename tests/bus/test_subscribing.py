"""/meta/subscribe and /meta/unsubscribe (Bayeux 1.0, sections 4.3 and 4.4)."""

import pytest

from mirant.bus.extension import Veto
from mirant.services import Caller
from mirant.testing import Later, PollingClient, SocketClient, World, reply_to


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def alice(world: World) -> PollingClient:
    return world.polling().enter()


@pytest.mark.parametrize("subscription", ["/a", ["/a"], ["/a", "/b/*", "/**"], "/a/", ["/a", "/a"]])
def test_the_subscription_is_echoed_as_it_was_given(alice: PollingClient, subscription: object) -> None:
    assert alice.subscribe(subscription) == {
        "channel": "/meta/subscribe",
        "id": "3",
        "successful": True,
        "subscription": subscription,
    }


def test_one_may_subscribe_before_the_first_connect(world: World) -> None:
    client = world.polling()
    client.handshake()
    assert client.subscribe("/a")["successful"]
    world.publish("/a", 1)
    assert client.connect().messages[0]["data"] == 1


def test_to_subscribe_twice_is_to_subscribe_once(world: World, alice: PollingClient) -> None:
    assert alice.subscribe("/a")["successful"]
    assert alice.subscribe("/a")["successful"]
    assert world.publish("/a", 1) == 1
    alice.connect()
    assert alice.data == [1]


@pytest.mark.parametrize("name", ["/service/x", "/service/**", "/service/*"])
def test_to_subscribe_to_a_service_channel_succeeds_and_is_not_recorded(
    world: World, alice: PollingClient, name: str
) -> None:
    assert alice.subscribe(name)["successful"]
    assert alice.session.subscriptions == set()
    assert len(world.core.hub.subscriptions) == 0
    assert alice.unsubscribe(name)["successful"]


@pytest.mark.parametrize(
    "name", ["/meta/connect", "/meta/subscribe", "/meta/unsubscribe", "/meta/disconnect"]
)
def test_meta_channels_cannot_be_subscribed_to(alice: PollingClient, name: str) -> None:
    reply = alice.subscribe(name)
    assert (reply["successful"], reply["error"]) == (False, "403:denied_by_security_policy:subscribe_denied")


@pytest.mark.parametrize(
    "name", ["/meta/*", "/meta/**", "/meta/x", "/meta/subscribe/x", "/meta", "/meta/a/**"]
)
def test_nor_can_what_would_be_one(alice: PollingClient, name: str) -> None:
    reply = alice.subscribe(name)
    assert (reply["successful"], reply["error"]) == (False, "403:denied_by_security_policy:create_denied")


@pytest.mark.parametrize(
    "subscription",
    ["//", "/a//b", "/a/*/b", "a", "", "/ä", 7, True, {"a": 1}, [1], ["/a", None], [["/a"]], ["/a", "/b//"]],
)
def test_a_subscription_that_is_no_pattern_spoils_its_message_alone(
    alice: PollingClient, subscription: object
) -> None:
    """The reference server answers HTTP 500 to the whole request."""
    bad, good = alice.message("/meta/subscribe", subscription=subscription), alice.message("/b", data=1)
    replies = alice.ask(bad, good)
    assert replies[0]["error"] == "403::subscription_invalid"
    assert replies[0]["subscription"] == subscription
    assert replies[1]["successful"]
    assert alice.session.subscriptions == set()


@pytest.mark.parametrize("channel", ["/meta/subscribe", "/meta/unsubscribe"])
@pytest.mark.parametrize("fields", [{}, {"subscription": None}, {"subscription": []}])
def test_without_a_subscription_it_fails(
    alice: PollingClient, channel: str, fields: dict[str, object]
) -> None:
    """To an empty list the reference server answers neither success nor failure."""
    reply = alice.say(channel, **fields)
    assert (reply["successful"], reply["error"]) == (False, "403::subscription_missing")


def test_a_list_is_worked_through_up_to_the_first_that_is_refused(alice: PollingClient) -> None:
    reply = alice.subscribe(["/a", "/meta/connect", "/b"])
    assert (reply["successful"], reply["subscription"]) == (False, ["/a", "/meta/connect", "/b"])
    assert {pattern.name for pattern in alice.session.subscriptions} == {"/a"}


def test_after_unsubscribing_nothing_comes(world: World, alice: PollingClient) -> None:
    alice.subscribe(["/a", "/b"])
    assert alice.unsubscribe("/a")["successful"]
    world.publish("/a", 1)
    world.publish("/b", 2)
    alice.connect()
    assert alice.data == [2]


def test_of_two_patterns_that_match_one_is_enough(world: World, alice: PollingClient) -> None:
    alice.subscribe(["/a/b", "/a/*"])
    alice.unsubscribe("/a/b")
    world.publish("/a/b", 1)
    alice.connect()
    assert alice.data == [1]


def test_to_unsubscribe_from_what_only_others_are_subscribed_to_succeeds(
    world: World, alice: PollingClient
) -> None:
    bob = world.polling().enter()
    bob.subscribe("/a")
    assert alice.unsubscribe("/a")["successful"]
    assert world.publish("/a", 1) == 1


def test_to_unsubscribe_from_what_nobody_is_subscribed_to_fails(alice: PollingClient) -> None:
    reply = alice.unsubscribe("/nobody")
    assert (reply["successful"], reply["error"]) == (False, "400::channel_missing")


@pytest.mark.parametrize("name", ["/meta/connect", "/meta/x", "/meta/**"])
def test_to_unsubscribe_from_a_meta_channel_fails(alice: PollingClient, name: str) -> None:
    assert alice.unsubscribe(name)["error"] == "403::unsubscribe_failed"


def test_a_session_has_a_most_number_of_subscriptions() -> None:
    world = World(max_subscriptions=3)
    alice = world.polling().enter()
    reply = alice.subscribe(["/1", "/2", "/3", "/4"])
    assert (reply["successful"], reply["error"]) == (False, "403::subscription_limit")
    assert len(alice.session.subscriptions) == 3
    assert alice.subscribe("/2")["successful"]
    alice.unsubscribe("/2")
    assert alice.subscribe("/4")["successful"]


def test_subscriptions_that_wait_do_not_get_round_the_most_number() -> None:
    world = World(max_subscriptions=3)
    laters = [Later() for _ in range(10)]
    waiting = iter(laters)
    world.services.on_subscribe("/{name}")(lambda caller, name: next(waiting))
    alice = world.polling().enter()
    for number in range(10):
        alice.send(alice.message("/meta/subscribe", subscription=f"/{number}"))
    for later in laters:
        later.resolve()
    assert len(alice.session.subscriptions) <= 3


def test_the_application_may_refuse_with_a_reason(world: World, alice: PollingClient) -> None:
    @world.services.on_subscribe("/rooms/{room}")
    def decide(caller: Caller, room: str) -> None:
        assert caller.session.id == alice.session.id
        if room == "secret":
            raise Veto("members_only")

    assert alice.subscribe("/rooms/open")["successful"]
    reply = alice.subscribe("/rooms/secret")
    assert (reply["successful"], reply["error"]) == (False, "403:members_only:subscribe_denied")
    assert alice.subscribe("/elsewhere")["successful"]


@pytest.mark.parametrize("name", ["/rooms/*", "/rooms/**", "/**"])
def test_a_wildcard_does_not_get_round_the_applications_refusal(
    world: World, alice: PollingClient, name: str
) -> None:
    """On the reference server ``/**`` covers protected channels."""
    world.services.on_subscribe("/rooms/{room}")(lambda caller, room: None)
    reply = alice.subscribe(name)
    assert (reply["successful"], reply["error"]) == (
        False,
        "403:wildcard_covers_guarded_channel:subscribe_denied",
    )
    assert alice.subscribe("/other/*")["successful"]


def test_the_application_is_not_asked_again_for_what_it_granted(world: World, alice: PollingClient) -> None:
    asked: list[str] = []
    world.services.on_subscribe("/rooms/{room}")(lambda caller, room: asked.append(room))
    alice.subscribe("/rooms/a")
    alice.subscribe("/rooms/a")
    assert asked == ["a"]


def test_a_broken_hook_refuses_and_tells_no_details(world: World, alice: PollingClient) -> None:
    @world.services.on_subscribe("/a")
    def broken(caller: Caller) -> None:
        raise RuntimeError("password=1234")

    assert alice.subscribe("/a") == {
        "channel": "/meta/subscribe",
        "id": "3",
        "successful": False,
        "error": "500::application_failed",
        "subscription": "/a",
    }
    assert alice.session.subscriptions == set()


def test_the_application_may_take_its_time(world: World, alice: PollingClient) -> None:
    later = Later()
    world.services.on_subscribe("/a")(lambda caller: later)
    poll = alice.send(alice.message("/meta/subscribe", subscription="/a"))
    assert poll.held
    assert world.publish("/a", 1) == 0
    later.resolve()
    assert poll.reply["successful"]
    assert world.publish("/a", 2) == 1


@pytest.mark.parametrize("ending", ["disconnect", "expiry"])
def test_a_subscription_granted_after_the_session_ended_is_not_recorded(
    world: World, alice: PollingClient, ending: str
) -> None:
    later = Later()
    world.services.on_subscribe("/a")(lambda caller: later)
    poll = alice.send(alice.message("/meta/subscribe", subscription="/a"))
    if ending == "disconnect":
        alice.disconnect()
    else:
        world.advance(60)
    later.resolve()
    assert poll.reply["successful"] is False
    assert world.publish("/a", 1) == 0
    assert world.is_empty()


@pytest.mark.parametrize("channel", ["/meta/subscribe", "/meta/unsubscribe"])
def test_one_body_names_so_many_patterns_and_no_more(channel: str) -> None:
    client = World(max_subscriptions=10, max_batch=20).polling().enter()
    names = [f"/service/{number}" for number in range(8)]
    messages = [client.message(channel, subscription=names) for _ in range(3)]
    replies = [reply_to(message, found) for found in [client.ask(*messages)] for message in messages]
    assert [reply.get("error") for reply in replies] == [None, None, "403::subscription_limit"]
    assert client.say(channel, subscription=names)["successful"]


def test_the_past_comes_with_a_subscription_to_one_channel_that_asks_for_it(world: World) -> None:
    world.channel("/kept", history=3)
    for number in range(3):
        world.publish("/kept", number)
    client = world.polling().enter()
    client.say("/meta/subscribe", subscription="/*", ext={"history": 2})
    client.say("/meta/subscribe", subscription="/kept")
    client.unsubscribe("/kept")
    assert client.data == []
    client.say("/meta/subscribe", subscription="/kept", ext={"history": 2})
    client.connect(advice={"timeout": 0})
    assert client.data == [1, 2]


def test_one_body_may_name_as_many_patterns_as_a_session_may_have() -> None:
    world = World(max_subscriptions=3, max_batch=1)
    client = world.polling().enter()
    assert client.subscribe(["/a", "/b", "/c"])["successful"]
    assert not world.polling().enter().subscribe(["/a", "/b", "/c", "/d"])["successful"]


def test_the_past_that_one_body_asks_for_counts_like_the_patterns_that_it_names() -> None:
    world = World(max_subscriptions=10, max_batch=10)
    world.channel("/kept", history=8)
    for number in range(8):
        world.publish("/kept", number)
    client = world.polling().enter()
    messages = [
        client.message("/meta/subscribe", subscription="/kept", ext={"history": 8}),
        client.message("/meta/subscribe", subscription="/a"),
        client.message("/meta/subscribe", subscription="/b"),
    ]
    replies = [reply_to(message, found) for found in [client.ask(*messages)] for message in messages]
    assert [reply.get("error") for reply in replies] == [None, None, "403::subscription_limit"]


# --- How much one session may ask for ---


def test_subscriptions_are_bounded_by_what_they_take_not_only_by_their_number(world: World) -> None:
    client = world.socket().enter()
    deep = ["/a" * 31 + f"/{number:03}" + "x" * 180 for number in range(500)]
    [reply] = client.ask(client.message("/meta/subscribe", subscription=deep))
    assert reply["error"] == "403::subscription_limit"
    assert len(client.session.subscriptions) < 300


def test_a_thousand_names_of_ordinary_length_are_not_too_many(world: World) -> None:
    client = world.socket().enter()
    names = [f"/organisation/rooms/{number:04}/members" for number in range(1_000)]
    [reply] = client.ask(client.message("/meta/subscribe", subscription=names))
    assert reply["successful"]


def test_what_is_unsubscribed_makes_room_again(world: World) -> None:
    client = world.socket().enter()
    before = client.session.weight
    client.ask(client.message("/meta/subscribe", subscription=["/a", "/b/*"]))
    assert client.session.weight > before
    client.ask(client.message("/meta/unsubscribe", subscription=["/a", "/b/*"]))
    assert client.session.weight == before


def granted(client: SocketClient, count: int) -> int:
    """Subscribe to *count* channels and unsubscribe; return how many were granted."""
    names = [f"/{number}" for number in range(count)]
    [reply] = client.ask(client.message("/meta/subscribe", subscription=names))
    assert reply.get("error", "429:1000/10s:rate_exceeded") == "429:1000/10s:rate_exceeded"
    had = len(client.session.subscriptions)
    client.ask(client.message("/meta/unsubscribe", subscription=names))
    return had


def test_a_session_may_ask_for_all_its_subscriptions_at_once_and_then_at_a_rate() -> None:
    world = World(max_interval=600)
    client, other = world.socket().enter(), world.socket().enter()
    assert granted(client, 600) == 600
    assert granted(client, 600) == 400
    assert granted(client, 600) == 0
    assert granted(other, 600) == 600
    world.advance(3)
    assert granted(client, 600) == 300
    world.advance(100)
    assert granted(client, 1_000) == 1_000
    assert granted(client, 1_000) == 0


def test_what_a_session_has_already_costs_nothing() -> None:
    client = World().socket().enter()
    for _ in range(2_000):
        [reply] = client.ask(client.message("/meta/subscribe", subscription="/a"))
        assert reply["successful"]
