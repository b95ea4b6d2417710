"""What a held poll is answered with, when, and how long its session lives then."""

from __future__ import annotations

import pytest

from mirant.bayeux.messages import Message, Reply
from mirant.bus.beat import LONGEST
from mirant.bus.extension import Extension
from mirant.bus.plain_connect import KnownConnect
from mirant.bus.polls import CLOSING_PAUSE
from mirant.bus.request import Request
from mirant.bus.turn import Turn
from mirant.testing import Poll, PollingClient, World
from mirant.transports.long_polling import Exchange
from tests.bus.slow_world import SlowWorld


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> PollingClient:
    return entered(world)


def entered(world: World) -> PollingClient:
    client = world.polling(cookies=False).enter()
    client.subscribe(["/a", "/b"])
    return client


def hold(
    client: PollingClient, message_id: str, known: KnownConnect | None = None
) -> tuple[Poll, KnownConnect]:
    """Send a plain connect where *known* was the last; return the poll, and what is known then."""
    body = b'[{"channel":"/meta/connect","clientId":"%b","connectionType":"long-polling","id":"%b"}]' % (
        client.session.id.encode(),
        message_id.encode(),
    )
    poll = Poll(client)
    poll.exchange = Exchange(client.world.core, Request({}), poll.answer)
    found = client.world.core.hold_plain(body, poll.exchange, client.world.now, known)
    assert found is not None
    client.world.settle()
    return poll, found


def data_of(poll: Poll) -> list[object]:
    return [message["data"] for message in poll.messages if "data" in message]


# --- Connections that bring one poll after the other ---


def test_the_next_poll_of_a_connection_is_answered_under_its_own_id(
    world: World, client: PollingClient
) -> None:
    first, known = hold(client, "7")
    world.publish("/a", 1)
    second, again = hold(client, "8", known)
    world.publish("/a", 2)
    assert (first.reply["id"], second.reply["id"]) == ("7", "8")
    assert again is known


def test_a_connection_that_brings_the_poll_of_another_session_holds_it_for_that_one(world: World) -> None:
    alice, bob = entered(world), entered(world)
    _, known = hold(alice, "7")
    poll, _ = hold(bob, "8", known)
    world.deliver(bob.session, "/private", 1)
    assert data_of(poll) == [1]
    assert bob.session.held is None
    assert alice.session.held is not None


# --- What they carry ---


def test_what_a_poll_was_answered_with_does_not_come_again(world: World, client: PollingClient) -> None:
    poll, _ = hold(client, "7")
    world.publish("/a", 1)
    assert data_of(poll) == [1]
    assert hold(client, "8")[0].held
    assert world.core.statistics().waiting == 0


def test_a_prompt_message_does_not_overtake_a_lazy_one(world: World, client: PollingClient) -> None:
    world.channel("/a", lazy=60.0)
    poll, _ = hold(client, "7")
    world.publish("/a", "first")
    world.publish("/b", "second")
    assert data_of(poll) == ["first", "second"]


def test_more_than_its_outbox_may_hold_ends_a_session_though_it_polls(
    world: World, client: PollingClient
) -> None:
    client.session.outbox.limit = 100
    poll, _ = hold(client, "7")
    with world.tick():
        for number in range(10):
            world.publish("/a", number)
    assert poll.reply["error"] == "402::session_unknown"
    assert not client.alive


def test_what_a_flush_publishes_rides_on_the_answer_that_it_sends_anyway(
    world: World, client: PollingClient
) -> None:
    other = entered(world)
    poll, _ = hold(client, "7")
    other_poll, _ = hold(other, "7")
    [delivery, reply] = client.ask(client.message("/a", data=1))
    assert (delivery["data"], reply["channel"]) == (1, "/a")
    assert poll.held
    assert data_of(other_poll) == [1]


class Signing(Extension):
    """Signs the replies of the session that it belongs to."""

    def outgoing(self, reply: Reply, message: Message, turn: Turn, now: float) -> None:
        reply.ext = {"signed": True}


def test_an_extension_that_its_session_got_while_it_polls_completes_the_reply(
    world: World, client: PollingClient
) -> None:
    poll, _ = hold(client, "7")
    client.session.extensions = (Signing(),)
    world.publish("/a", 1)
    assert poll.messages[0]["data"] == 1
    assert poll.reply["ext"] == {"signed": True}


# --- For how long ---


def test_after_an_answer_a_session_lives_for_its_pause_and_the_maximum_interval() -> None:
    world = World(interval=5, max_interval=10)
    client = entered(world)
    hold(client, "7")
    world.publish("/a", 1)
    world.advance(14.9)
    assert client.alive
    world.advance(0.3)
    assert not client.alive


def test_after_a_handshake_there_is_no_pause(world: World) -> None:
    client = world.polling()
    client.handshake()
    world.advance(10.3)
    assert not client.alive


def test_a_client_that_hangs_up_after_the_server_closed_has_the_pause_that_it_was_told_of() -> None:
    world = World(max_interval=10)
    client = entered(world)
    poll, _ = hold(client, "7")
    world.core.close(world.now)
    assert poll.reply["advice"]["interval"] == 1_000
    poll.hang_up()
    world.advance(9.9 + CLOSING_PAUSE)
    assert client.alive
    world.advance(0.3)
    assert not client.alive


def test_a_socket_that_closes_leaves_the_poll_held(world: World, client: PollingClient) -> None:
    poll, _ = hold(client, "7")
    socket = world.socket(client)
    socket.publish("/other", 0)
    socket.drop()
    world.publish("/a", 1)
    assert data_of(poll) == [1]


# --- In the pause of a busy bus ---


@pytest.fixture
def busy() -> SlowWorld:
    """Return a world in a pause: answering a poll has just taken time."""
    world = SlowWorld()
    client = entered(world)
    hold(client, "7")
    world.slow = True
    world.publish("/a", 0)
    world.slow = False
    client.disconnect()
    return world


def test_a_poll_is_answered_when_the_pause_ends_and_not_before(busy: SlowWorld) -> None:
    client = entered(busy)
    poll, _ = hold(client, "7")
    busy.publish("/a", 1)
    assert poll.held
    end = busy.core.next_deadline()
    assert end is not None
    busy.advance(end - busy.now)
    assert data_of(poll) == [1]


def test_what_is_published_at_the_very_end_of_the_pause_does_not_wait(busy: SlowWorld) -> None:
    client = entered(busy)
    hold(client, "7")
    busy.publish("/a", 1)
    end = busy.core.next_deadline()
    assert end is not None
    busy.now = end
    other = entered(busy)
    poll, _ = hold(other, "8")
    busy.publish("/b", 2)
    assert data_of(poll) == [2]


def test_a_burst_is_measured_from_its_own_beginning(busy: SlowWorld) -> None:
    client = entered(busy)
    busy.advance(1)
    for message_id in ("7", "8"):
        poll, _ = hold(client, message_id)
        busy.publish("/a", message_id)
        assert data_of(poll) == [message_id]


def test_an_answer_to_what_waited_begins_a_burst_too() -> None:
    world = SlowWorld()
    client = entered(world)
    world.publish("/a", 1)
    world.slow = True
    first, _ = hold(client, "7")
    world.slow = False
    assert data_of(first) == [1]
    second, _ = hold(client, "8")
    world.publish("/a", 2)
    assert second.held
    world.advance(LONGEST)
    assert data_of(second) == [2]


def test_in_the_pause_the_newest_of_a_channel_replaces_what_waits(busy: SlowWorld) -> None:
    busy.channel("/a", latest=True)
    client = entered(busy)
    poll, _ = hold(client, "7")
    busy.publish("/a", 1)
    waiting = busy.core.statistics().waiting
    busy.publish("/a", 2)
    assert busy.core.statistics().waiting == waiting
    busy.advance(LONGEST)
    assert data_of(poll) == [2]
    assert busy.core.statistics().waiting == 0


def test_in_the_pause_a_lazy_message_waits_for_its_own_time(busy: SlowWorld) -> None:
    busy.channel("/a", lazy=5.0)
    client = entered(busy)
    poll, _ = hold(client, "7")
    busy.publish("/a", 1)
    busy.advance(4.9)
    assert poll.held
    busy.advance(0.2)
    assert data_of(poll) == [1]
