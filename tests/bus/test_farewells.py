"""Clients that are not there as their session is dismissed: they get the last words, and stay away."""

import json

import pytest

from mirant.bayeux.channels import Channel
from mirant.bayeux.messages import Delivery
from mirant.bus import farewells
from mirant.bus.farewells import Farewells
from mirant.bus.request import Request
from mirant.extensions.ack import Ack
from mirant.options.cookies import COOKIE
from mirant.services.function import Caller
from mirant.testing import FrozenHost, Json, PollingClient, World
from mirant.transports.callback_polling import ScriptExchange
from mirant.transports.eventsource import session_lost
from tests.transports.test_eventsource_stream import Stream

GOODBYE = {"channel": "/meta/disconnect", "successful": True}
AWAY = {"reconnect": "none"}
AGAIN = {"reconnect": "handshake", "interval": 0}


@pytest.fixture
def world() -> World:
    return World()


def gone(world: World, *data: object, cookies: bool = True) -> PollingClient:
    """Return a client that was dismissed between two polls, while *data* waited for it."""
    client = world.polling(cookies=cookies).enter()
    client.subscribe("/a")
    for each in data:
        world.publish("/a", each)
    world.dismiss(client.session)
    return client


def assert_farewell(messages: list[Json], *data: object) -> None:
    """Assert that *messages* are the last words *data*, the goodbye, and a connect that is sent away."""
    *words, goodbye, reply = messages
    assert [message["data"] for message in words] == list(data)
    assert goodbye == GOODBYE
    assert (reply["channel"], reply["error"]) == ("/meta/connect", "402::session_unknown")
    assert reply["advice"] == AWAY


def assert_lost(messages: list[Json]) -> None:
    """Assert that *messages* are what is answered if nothing is known of the session."""
    [reply] = messages
    assert reply["advice"] == AGAIN


# --- On each transport ---


def test_the_next_poll_gets_what_waited_and_is_sent_away(world: World) -> None:
    assert_farewell(gone(world, 1, 2).connect().messages, 1, 2)


def test_without_words_it_is_sent_away_too(world: World) -> None:
    assert_farewell(gone(world).connect().messages)


def test_the_words_come_once_but_each_later_poll_is_sent_away(world: World) -> None:
    client = gone(world, 1)
    client.connect()
    assert_farewell(client.connect().messages)
    assert_farewell(client.connect().messages)


def test_what_is_published_in_the_same_turn_is_among_the_words(world: World) -> None:
    client = world.polling().enter()
    client.subscribe("/a")
    with world.tick():
        world.publish("/a", 1)
        world.dismiss(client.session)
        world.publish("/a", 2)
    assert_farewell(client.connect().messages, 1)


def test_over_callback_polling(world: World) -> None:
    client = gone(world, 1)
    bodies: list[bytes] = []
    request = Request({"cookie": f"{COOKIE}={client.cookie}"}, "127.0.0.1", query="jsonp=f")

    def answer(response: object) -> bool:
        bodies.append(response.body)  # type: ignore[attr-defined]  # it is a Response
        return True

    exchange = ScriptExchange(world.core, request, answer)
    text = json.dumps([client.message("/meta/connect", connectionType="callback-polling")]).encode()
    messages = exchange.decode(text)
    assert messages is not None
    world.run(world.core.receive(messages, exchange, world.now))
    assert_farewell(json.loads(bodies[0].removeprefix(b"/**/f(").removesuffix(b");")), 1)


def test_between_two_event_streams(world: World) -> None:
    client = gone(world, 1, cookies=False)
    path = f"/cometd/{client.client_id}"
    assert_farewell(json.loads(session_lost(world.core, path, Stream(world))), 1)
    assert_farewell(json.loads(session_lost(world.core, path, Stream(world))))
    assert_farewell(client.connect().messages)  # its heartbeat, which comes by POST


def test_an_event_stream_of_no_session_is_told_to_handshake(world: World) -> None:
    assert_lost(json.loads(session_lost(world.core, "/cometd/nobody", Stream(world))))


def test_between_two_sockets(world: World) -> None:
    first = world.socket().enter()
    first.subscribe("/a")
    first.drop()
    world.publish("/a", 1)
    world.dismiss(first.session)
    second = world.socket(first)
    second.connect()
    assert_farewell(second.messages, 1)


def test_a_poll_that_hung_up_leaves_its_words_to_the_next(world: World) -> None:
    client = world.polling().enter()
    client.subscribe("/a")
    client.connect().hang_up()
    world.publish("/a", 1)
    world.dismiss(client.session)
    assert_farewell(client.connect().messages, 1)


def test_lazy_words_and_reports_come_too() -> None:
    world = World(max_outbox=64, overflow="drop-newest").channel("/a", lazy=5.0)
    client = gone(world, "x" * 40, "y" * 40)
    word, report, *_ = sorted(client.connect().messages, key=lambda message: message["channel"] != "/a")
    assert word["data"] == "x" * 40
    assert report["data"]["count"] == 1


def test_with_ack_all_that_waits_comes_however_small_the_answers_are() -> None:
    world = World().use(Ack())
    client = world.polling()
    client.handshake(ext={"ack": True})
    client.connect(ext={"ack": 0})
    client.subscribe("/a")
    client.session.outbox.resend({}, 1)  # an answer carries one message
    for number in range(3):
        world.publish("/a", number)
    world.dismiss(client.session)
    assert_farewell(client.connect(ext={"ack": 1}).messages, 0, 1, 2)


# --- Other messages ---


def test_other_messages_are_refused_and_leave_the_words_to_the_poll(world: World) -> None:
    client = gone(world, 1)
    for reply in (client.publish("/b", 1), client.subscribe("/b"), client.disconnect()):
        assert reply["error"] == "402::session_unknown"
        assert "advice" not in reply
    assert_farewell(client.connect().messages, 1)


def test_a_connect_behind_the_message_that_ended_the_session_is_sent_away(world: World) -> None:
    client = world.polling().enter()

    @world.services.on_publish("/end")
    def end(caller: Caller, data: object) -> None:
        world.core.dismiss(client.session)

    connect = client.message("/meta/connect", connectionType="long-polling")
    messages = client.ask(client.message("/end", data=1), connect)
    assert messages[-1]["advice"] == AWAY


def test_a_client_that_begins_anew_is_welcome(world: World) -> None:
    client = gone(world, 1)
    assert client.handshake()["successful"]
    assert "advice" not in client.connect().reply


def test_a_session_that_ended_otherwise_leaves_no_farewell(world: World) -> None:
    client = world.polling().enter()
    client.disconnect()
    assert_lost(client.connect().messages)


def test_to_dismiss_twice_is_once(world: World) -> None:
    client = world.polling().enter()
    client.subscribe("/a")
    session = client.session
    world.publish("/a", 1)
    world.dismiss(session)
    world.dismiss(session)
    assert_farewell(client.connect().messages, 1)


# --- Whose they are ---


def test_another_browser_gets_nothing(world: World) -> None:
    client, other = gone(world, 1), world.polling().enter()
    other.client_id = client.client_id
    assert_lost(other.connect().messages)
    assert_farewell(client.connect().messages, 1)


def test_without_its_cookie_a_bound_client_gets_nothing(world: World) -> None:
    client, other = gone(world, 1), world.polling(cookies=False)
    other.client_id = client.client_id
    assert_lost(other.connect().messages)


def test_a_client_without_cookies_needs_its_id_alone(world: World) -> None:
    assert_farewell(gone(world, 1, cookies=False).connect().messages, 1)


def test_another_browser_gets_nothing_on_a_stream(world: World) -> None:
    client = gone(world, 1)
    assert_lost(json.loads(session_lost(world.core, f"/{client.client_id}", Stream(world))))


# --- Bounds ---


def test_they_are_kept_for_as_long_as_the_session_would_have_lived() -> None:
    world = World(max_interval=10)
    early, late = gone(world, 1), gone(world, 2)
    world.advance(9.9)
    assert_farewell(early.connect().messages, 1)
    world.advance(0.2)
    assert_lost(late.connect().messages)
    assert world.is_empty()


def test_they_are_kept_for_a_minute_at_most() -> None:
    world = World(max_interval=3_600)
    early, late = gone(world), gone(world, 1)
    world.advance(59.9)
    assert_farewell(early.connect().messages)
    world.advance(0.2)
    assert_lost(late.connect().messages)


def test_the_oldest_give_way_to_later_ones(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(farewells, "MAX_KEPT", 2)
    first, second, third = gone(world, 1), gone(world, 2), gone(world, 3)
    assert_lost(first.connect().messages)
    assert_farewell(second.connect().messages, 2)
    assert_farewell(third.connect().messages, 3)


def test_where_there_are_too_many_bytes_the_oldest_words_give_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(farewells, "MAX_BYTES", 250)
    first, second, third = (gone(world, letter * 90) for letter in "abc")
    assert_farewell(first.connect().messages)
    assert_farewell(second.connect().messages, "b" * 90)
    assert_farewell(third.connect().messages, "c" * 90)


def test_one_client_has_as_many_words_as_fit_into_an_answer() -> None:
    world = World(max_outbox=4_000_000)
    client = gone(world, *("x" * 200_000 for _ in range(5)))
    assert_farewell(client.connect().messages, "x" * 200_000, "x" * 200_000)


def test_bytes_are_counted_as_they_come_and_go(world: World) -> None:
    kept = Farewells(world)
    session = world.polling().enter().session
    delivery = Delivery.of(Channel.parse("/a"), 1)
    assert (len(kept), kept.size, kept.next()) == (0, 0, None)
    kept.keep(session, [delivery], world.now)
    assert (len(kept), kept.size) == (1, len(delivery.payload))
    found = kept.find(session.id)
    assert found is not None
    assert list(kept.take(found)) == [delivery]
    assert (len(kept), kept.size) == (1, 0)
    kept.advance(world.now + 61)
    assert (len(kept), kept.size, kept.next()) == (0, 0, None)


def test_the_host_is_asked_to_wake_the_bus_for_the_first_of_them() -> None:
    asked: list[float] = []

    class Sleeper(FrozenHost):
        def wake_at(self, when: float) -> None:
            asked.append(when)

    host, world = Sleeper(), World()
    session = world.polling().enter().session
    Farewells(host).keep(session, (), 5.0)
    assert asked[-1] == 5.0 + session.max_interval
