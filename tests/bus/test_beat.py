"""Polls under load: a busy bus answers in beats, an idle one at once."""

from __future__ import annotations

from mirant.bayeux.channels import Channel
from mirant.bayeux.messages import Delivery
from mirant.bus.beat import LONGEST, Beat
from mirant.extensions.ack import Ack
from mirant.services.face import SessionFace
from mirant.testing import PollingClient, World
from tests.bus.slow_world import SlowWorld
from tests.bus.test_polls import poll_of


def test_a_short_burst_is_followed_by_no_pause() -> None:
    beat = Beat()
    beat.strike(10.0, 10.0004)
    assert beat.until <= 10.0004


def test_a_pause_is_as_long_as_the_bus_is_busy_and_never_longer_than_the_longest() -> None:
    beat = Beat()
    beat.strike(10.0, 10.002)
    assert 10.0059 < beat.until < 10.0061
    beat.strike(11.0, 12.0)
    assert beat.until == 12.010
    assert LONGEST == 0.010


A = Channel.parse("/a")


def polling(world: World, count: int) -> list[PollingClient]:
    clients = [world.polling(cookies=False).enter() for _ in range(count)]
    for client in clients:
        client.subscribe("/a")
        client.connect()
    return clients


def test_an_idle_bus_answers_at_once() -> None:
    world = SlowWorld()
    [client] = polling(world, 1)
    world.slow = True
    world.publish("/a", 1)
    assert client.data == [1]


def test_messages_that_come_in_the_pause_leave_together_at_its_end() -> None:
    world = SlowWorld()
    [client] = polling(world, 1)
    world.slow = True
    world.publish("/a", 1)
    world.slow = False
    poll = client.connect()
    world.publish("/a", 2)
    world.publish("/a", 3)
    assert poll.held
    world.advance(LONGEST)
    assert [message.get("data") for message in poll.messages] == [2, 3, None]


def test_a_poll_that_finds_messages_in_the_pause_waits_for_its_end() -> None:
    world = SlowWorld()
    [client] = polling(world, 1)
    world.slow = True
    world.publish("/a", 1)
    world.slow = False
    world.publish("/a", 2)
    poll = client.connect()
    assert poll.held
    world.advance(LONGEST)
    assert poll.messages[0]["data"] == 2


def test_a_client_that_leaves_in_the_pause_is_not_missed() -> None:
    world = SlowWorld()
    first, second = polling(world, 2)
    world.slow = True
    world.publish("/a", 1)
    world.slow = False
    poll, other = first.connect(), second.connect()
    world.publish("/a", 2)
    poll.hang_up()
    first.disconnect()
    world.advance(LONGEST)
    assert other.messages[0]["data"] == 2


def test_what_else_is_said_to_a_poll_does_not_wait_for_the_beat() -> None:
    world = SlowWorld()
    [client] = polling(world, 1)
    world.slow = True
    world.publish("/a", 1)
    world.slow = False
    poll = client.connect()
    world.publish("/a", 2)
    client.disconnect()
    assert not poll.held


def test_a_burst_ends_with_its_flush() -> None:
    world = SlowWorld()
    first, second = polling(world, 2)
    world.publish("/a", 1)
    world.now += 1
    for client in (first, second):
        client.connect()
    world.publish("/a", 2)
    assert first.data == second.data == [1, 2]


def test_nothing_is_left_of_a_beat() -> None:
    world = SlowWorld()
    clients = polling(world, 3)
    world.slow = True
    world.publish("/a", 1)
    world.slow = False
    for client in clients:
        client.connect()
    world.publish("/a", 2)
    world.advance(100)
    assert world.is_empty()


def test_polls_do_not_starve_while_connects_on_sockets_are_answered() -> None:
    world = SlowWorld().use(Ack())
    [poller] = polling(world, 1)
    socket = world.socket()
    socket.handshake(ext={"ack": True})
    socket.connect(ext={"ack": 0})
    socket.subscribe("/a")
    for number in range(30):
        socket.connect(ext={"ack": number + 1})
        world.slow = True
        world.publish("/a", number)
        world.slow = False
        world.advance(LONGEST)
        poller.connect()
    world.advance(LONGEST)
    assert poller.data == list(range(30))


def test_polls_that_share_their_answer_are_not_gathered() -> None:
    world = SlowWorld()
    clients = [world.polling().enter() for _ in range(5)]
    for client in clients:
        client.subscribe("/a")
    for number in range(3):
        polls = [poll_of(client, message_id=f'"{number}"') for client in clients]
        assert all(was_plain for _, was_plain in polls)
        world.slow = True
        world.publish("/a", number)
        world.slow = False
    assert [client.data for client in clients] == [[0, 1, 2]] * 5


def test_what_is_published_because_a_session_ended_comes_after_what_ended_it() -> None:
    world = SlowWorld(max_outbox=60)
    [poller] = polling(world, 1)
    socket = world.socket().enter()
    socket.subscribe("/a")

    def tell(session: SessionFace) -> None:
        world.core.publish(A, Delivery.of(A, "left"))

    world.services.on_leave(tell)
    world.slow = True
    world.publish("/a", "first")
    world.slow = False
    with world.tick():
        for number in range(4):
            world.publish("/a", number)
    assert not poller.alive
    assert socket.data == ["first", 0, 1, 2, 3, "left"]


def test_sockets_that_read_slowly_do_not_count_as_polls_that_share_an_answer() -> None:
    world = SlowWorld()
    for _ in range(8):
        socket = world.socket().enter()
        socket.subscribe("/a")
        socket.stall()
    world.publish("/a", "stalls them")
    [client] = polling(world, 1)
    world.slow = True
    world.publish("/a", 1)
    world.slow = False
    poll = client.connect()
    world.publish("/a", 2)
    assert poll.held
    world.advance(LONGEST)
    assert poll.messages[0]["data"] == 2
