"""Plain polls get the same bytes as polls that take the normal path."""

from collections.abc import Callable
from itertools import repeat
from typing import Any

import pytest

from mirant.bayeux.messages import Message, Reply
from mirant.bus.carrier import MAX_RESPONSE
from mirant.bus.extension import Extension
from mirant.bus.request import Request
from mirant.bus.turn import Turn
from mirant.extensions.ack import Ack
from mirant.extensions.binary import BinaryData
from mirant.extensions.timestamp import TimeStamp
from mirant.extensions.timesync import TimeSync
from mirant.testing import Poll, PollingClient, World, reply_to
from mirant.transports.long_polling import Exchange


def poll_of(client: PollingClient, *, message_id: str) -> tuple[Poll, bool]:
    """Send a connect on the short path; return the poll, and whether that path took it."""
    body = b'[{"channel":"/meta/connect","clientId":"%b","connectionType":"long-polling","id":%b}]' % (
        client.session.id.encode(),
        message_id.encode(),
    )
    poll = Poll(client)
    cookie = {"cookie": f"BAYEUX_BROWSER={client.cookie}"} if client.cookie else {}
    exchange = Exchange(client.world.core, Request(cookie), poll.answer)
    if client.world.core.hold_plain(body, exchange, client.world.now, None) is None:
        return client.post(body), False
    poll.exchange = exchange
    client.world.settle()
    return poll, True


def publish_once(world: World, client: PollingClient) -> None:
    world.publish("/a", "\u2028 text")


def publish_more(world: World, client: PollingClient) -> None:
    with world.tick():
        world.publish("/a", 1)
        world.publish("/b", {"x": [1]})


def publish_lazily(world: World, client: PollingClient) -> None:
    world.channel("/a", lazy=0.5)
    world.publish("/a", 1)
    world.advance(1)


def let_time_pass(world: World, client: PollingClient) -> None:
    world.advance(40)


def disconnect(world: World, client: PollingClient) -> None:
    client.ask(client.message("/meta/disconnect"))


def dismiss(world: World, client: PollingClient) -> None:
    with world.tick():
        world.publish("/a", 1)
        world.dismiss(client.session)


def connect_again(world: World, client: PollingClient) -> None:
    client.connect()


def publish_oneself(world: World, client: PollingClient) -> None:
    client.ask(client.message("/a", data=1))
    world.publish("/b", 2)


EVENTS = [
    publish_once,
    publish_more,
    publish_lazily,
    let_time_pass,
    disconnect,
    dismiss,
    connect_again,
    publish_oneself,
]


def entered(world: World) -> PollingClient:
    client = world.polling().enter()
    client.subscribe("/a")
    client.subscribe("/b")
    return client


def body_of(poll: Poll) -> bytes:
    assert poll.response is not None
    return poll.response.body


@pytest.mark.parametrize("message_id", ['"7"', r'"\u00e9\"\u0041"'])
@pytest.mark.parametrize("event", EVENTS)
def test_what_answers_it_is_the_same(event: Callable[[World, PollingClient], Any], message_id: str) -> None:
    bodies = []
    for short in (True, False):
        world = World().use(Ack(), BinaryData(), TimeSync())
        client = entered(world)
        if short:
            poll, held_short = poll_of(client, message_id=message_id)
            assert held_short
        else:
            poll = client.send(
                {**client.message("/meta/connect"), "connectionType": "long-polling"} | ID[message_id]
            )
        assert poll.held
        event(world, client)
        bodies.append(body_of(poll))
    assert bodies[0] == bodies[1]


def publish_before(world: World, client: PollingClient) -> None:
    world.publish("/a", "\u2028 text")
    with world.tick():
        world.publish("/b", {"x": [1]})
        world.publish("/a", 2)


def publish_lazily_before(world: World, client: PollingClient) -> None:
    world.channel("/a", lazy=0.5)
    world.publish("/a", 1)
    world.publish("/b", 2)


def publish_the_latest_before(world: World, client: PollingClient) -> None:
    world.channel("/a", latest=True)
    world.publish("/a", 1)
    world.publish("/a", 2)


def publish_too_much_before(world: World, client: PollingClient) -> None:
    client.session.outbox.overflow = "drop-oldest"
    client.session.outbox.limit = 100
    for number in range(10):
        world.publish("/a", number)


def publish_more_than_one_answer_holds_before(world: World, client: PollingClient) -> None:
    for _ in range(3):
        world.publish("/a", "x" * (MAX_RESPONSE // 2))


BEFORE = [
    publish_before,
    publish_lazily_before,
    publish_the_latest_before,
    publish_too_much_before,
    publish_more_than_one_answer_holds_before,
]


@pytest.mark.parametrize("before", BEFORE)
def test_what_waits_for_it_is_the_same(before: Callable[[World, PollingClient], Any]) -> None:
    bodies: list[list[bytes]] = []
    for short in (True, False):
        world = World()
        client = entered(world)
        before(world, client)
        bodies.append([])
        for number in (
            "7",
            "8",
            "9",
        ):  # each finds what the one before left; the one that finds nothing is held
            if short:
                poll, was_short = poll_of(client, message_id=f'"{number}"')
                assert was_short
            else:
                poll = client.send(
                    {**client.message("/meta/connect"), "connectionType": "long-polling", "id": number}
                )
            world.advance(1)
            if poll.held:
                break
            bodies[-1].append(body_of(poll))
        assert not client.session.outbox
    assert b"data" in bodies[0][0]
    assert bodies[0] == bodies[1]


def test_what_waits_is_completed_by_an_extension_that_came_with_it() -> None:
    world = World()
    client = entered(world)
    with world.tick():
        world.publish("/a", 1)
        poll, short = poll_of(client, message_id='"7"')
        world.use(Marks())
    assert short
    assert poll.reply["ext"] == {"marked": True}
    assert poll.messages[0]["data"] == 1


def test_a_poll_does_not_overtake_what_waits_for_a_socket() -> None:
    world = World()
    client = entered(world)
    poll, short = poll_of(client, message_id='"7"')
    assert short
    socket = world.socket(client)
    socket.send(socket.message("/b", data="it is on the socket now"))
    socket.stall()
    for number in range(3):
        world.publish("/a", number)
    assert poll.held
    socket.read_on()
    assert socket.data == ["it is on the socket now", 0, 1, 2]


ID = {'"7"': {"id": "7"}, r'"\u00e9\"\u0041"': {"id": '\u00e9"A'}}


class Marks(Extension):
    """Adds a field to every reply."""

    def outgoing(self, reply: Reply, message: Message, turn: Turn, now: float) -> None:
        reply.ext = {"marked": True}


class MarkingSync(TimeSync):
    def outgoing(self, reply: Reply, message: Message, turn: Turn, now: float) -> None:
        reply.ext = {"marked": True}


@pytest.mark.parametrize("extension", [Marks(), MarkingSync(), TimeStamp()])
def test_it_is_not_taken_where_an_extension_has_a_say(extension: Extension) -> None:
    client = entered(World().use(extension))
    poll, short = poll_of(client, message_id='"7"')
    assert poll.held
    assert not short


def test_an_extension_that_comes_while_it_is_held_completes_the_reply() -> None:
    world = World()
    client = entered(world)
    poll, short = poll_of(client, message_id='"7"')
    assert short
    world.use(Marks())
    world.publish("/a", 1)
    assert poll.reply["ext"] == {"marked": True}


def test_a_session_of_another_browser_is_not_found() -> None:
    client = entered(World())
    client.cookie = None
    poll, short = poll_of(client, message_id='"7"')
    assert not short
    assert poll.reply["successful"] is False


def test_a_window_that_has_room_again_is_told_so_before_it_is_held() -> None:
    world = World()
    first, second = world.polling().enter(), world.polling()
    second.cookie = first.cookie
    second.enter()
    first.connect()
    poll, short = poll_of(second, message_id='"7"')
    assert not short
    assert poll.reply["advice"]["multiple-clients"]
    first.disconnect()
    poll, short = poll_of(second, message_id='"8"')
    assert not short
    assert poll.reply["advice"] == {"reconnect": "retry", "interval": 0, "timeout": 30_000}
    poll, short = poll_of(second, message_id='"9"')
    assert short
    assert poll.held


def test_a_second_poll_lets_the_first_go_and_is_held_on_the_normal_path() -> None:
    client = entered(World())
    first, was_short = poll_of(client, message_id='"7"')
    second, short = poll_of(client, message_id='"8"')
    assert (was_short, short) == (True, False)
    assert first.reply["error"] == "409::connect_superseded"
    assert second.held
    client.world.advance(40)
    assert second.reply["successful"]


def test_the_pause_that_a_client_asked_for_ends_with_its_next_plain_poll() -> None:
    world = World()
    client = entered(world)
    client.connect(advice={"timeout": 0, "interval": 20_000})
    poll, short = poll_of(client, message_id='"7"')
    assert short
    world.publish("/a", 1)
    assert not poll.held
    world.advance(11)
    assert not client.alive


@pytest.mark.parametrize("short", [True, False])
def test_a_message_beside_a_held_poll_does_not_prolong_it(*, short: bool) -> None:
    world = World(timeout=5, max_interval=60)
    client = entered(world)
    poll = poll_of(client, message_id='"7"')[0] if short else client.connect()
    world.advance(3)
    client.publish("/other", 1)
    world.advance(2.1)
    assert not poll.held


def test_what_a_poll_that_is_cut_could_not_take_waits_for_the_next() -> None:
    world = World().channel("/a", latest=True)
    client = entered(world)
    poll, short = poll_of(client, message_id='"7"')
    poll.is_cut = True
    with world.tick():
        world.publish("/a", 1)
        world.publish("/a", 2)
    assert short
    assert [message.get("data") for message in client.connect().messages] == [2, None]


def test_a_session_whose_poll_ended_with_the_server_expires_as_after_any_answer() -> None:
    world = World(timeout=120, max_interval=10)
    client = entered(world)
    poll, _ = poll_of(client, message_id='"7"')
    world.core.close(world.now)
    assert poll.reply["advice"]["interval"] == 1_000
    world.advance(10.9)
    assert client.alive
    world.advance(0.3)
    assert not client.alive


def test_at_the_end_each_client_is_told_another_time_to_come_back() -> None:
    world = World()
    polls = []
    for _ in range(3):
        client = world.polling().enter()
        polls.append(client.connect())
    world.luck = iter([0.0, 0.25, 1.0])
    world.core.close(world.now)

    advised = [poll.messages[-1]["advice"]["interval"] for poll in polls]
    assert advised == [1000, 2000, 5000]


def test_a_connect_that_comes_while_the_server_ends_is_spread_too() -> None:
    world = World()
    client = world.polling().enter()
    world.luck = repeat(0.5)
    world.core.close(world.now)

    assert client.connect().messages[-1]["advice"]["interval"] == 3000


def test_a_socket_is_told_when_to_come_back_before_it_is_closed() -> None:
    world = World()
    client = world.socket().enter()
    connect = client.connect()
    world.luck = repeat(0.75)
    world.core.close(world.now)

    assert reply_to(connect, client.messages)["advice"]["interval"] == 4000
