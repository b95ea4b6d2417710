"""Windows of one browser: which polls are held, which come at an interval, and when (reference: 2.8)."""

import pytest

from mirant.options.settings import Settings
from mirant.testing import Poll, PollingClient, World

CROWDED = {"reconnect": "retry", "interval": 2_000, "multiple-clients": True}
RELIEVED = {"reconnect": "retry", "interval": 0, "timeout": 30_000}


@pytest.fixture
def world() -> World:
    return World()


def window(world: World, cookie: str | None = None, **kind: bool) -> PollingClient:
    """Return a window of the browser with *cookie*; without one, the first of a new browser."""
    client = world.polling(**kind)
    client.cookie = cookie
    return client.enter()


def windows(world: World, count: int) -> list[PollingClient]:
    first = window(world)
    return [first, *(window(world, first.cookie) for _ in range(count - 1))]


def advice(poll: Poll) -> object:
    return poll.reply.get("advice")


def test_the_window_that_polled_first_keeps_its_poll_however_often_the_others_come(world: World) -> None:
    first, second = windows(world, 2)
    poll = first.connect()
    for _ in range(3):
        assert advice(second.connect()) == CROWDED
    assert poll.held


def test_it_keeps_it_between_two_polls_as_well(world: World) -> None:
    """The reference server holds whichever window polls first after an answer."""
    first, second = windows(world, 2)
    first.subscribe("/a")
    first.connect()
    world.publish("/a", 1)
    assert advice(second.connect()) == CROWDED
    assert first.connect().held


def test_the_first_connect_of_a_window_is_answered_as_ever(world: World) -> None:
    first = window(world)
    first.connect()
    other = world.polling()
    other.cookie = first.cookie
    other.handshake()
    assert "advice" not in other.connect().reply


def test_a_crowded_window_is_told_at_every_poll(world: World) -> None:
    first, second = windows(world, 2)
    first.connect()
    assert [advice(second.connect()) for _ in range(3)] == [CROWDED] * 3


def test_a_crowded_window_that_polls_as_it_was_told_does_not_expire(world: World) -> None:
    first, second = windows(world, 2)
    for _ in range(20):
        first.connect()
        second.connect()
        world.advance(2)
    assert second.alive


def test_the_pause_that_it_was_told_is_added_to_its_life() -> None:
    world = World(windows_interval=60.0)
    first, second = windows(world, 2)
    first.connect()
    second.connect()
    world.advance(65)
    assert second.alive


def test_the_interval_is_an_option() -> None:
    world = World(windows_interval=5.0)
    first, second = windows(world, 2)
    first.connect()
    reply = second.connect().reply
    assert reply["advice"]["interval"] == 5_000


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_the_limit_is_an_option(limit: int) -> None:
    world = World(max_windows=limit)
    assert [client.connect().held for client in windows(world, 4)] == [True] * limit + [False] * (4 - limit)


# --- Room again ---


def test_room_is_told_once_and_the_next_poll_is_held(world: World) -> None:
    first, second = windows(world, 2)
    first.connect()
    second.connect()
    first.disconnect()
    assert advice(second.connect()) == RELIEVED
    poll = second.connect()
    assert poll.held
    world.advance(31)
    assert advice(poll) is None


def test_a_window_whose_poll_broke_makes_room_at_once(world: World) -> None:
    """As when it was reloaded, and had no time to say goodbye."""
    first, second = windows(world, 2)
    first.connect().hang_up()
    poll = second.connect()
    assert poll.held
    assert advice(first.connect()) == CROWDED
    assert poll.held


def test_a_window_whose_poll_broke_has_its_place_again_if_it_comes_first(world: World) -> None:
    first, second = windows(world, 2)
    first.connect().hang_up()
    assert first.connect().held
    assert advice(second.connect()) == CROWDED


def test_a_window_that_expires_makes_room(world: World) -> None:
    first, second = windows(world, 2)
    first.connect().hang_up()
    for _ in range(5):
        second.connect()
        world.advance(3)
    assert not first.alive
    assert second.connect().held


def test_a_window_that_is_dismissed_makes_room(world: World) -> None:
    first, second = windows(world, 2)
    first.connect()
    second.connect()
    world.dismiss(first.session)
    assert advice(second.connect()) == RELIEVED


def test_a_window_that_moves_to_a_socket_makes_room(world: World) -> None:
    first, second = windows(world, 2)
    first.connect()
    second.connect()
    world.socket(first).connect()
    assert advice(second.connect()) == RELIEVED


def test_a_window_that_comes_back_from_its_socket_is_the_last(world: World) -> None:
    first, second = windows(world, 2)
    socket = world.socket(first)
    socket.connect()
    assert second.connect().held
    socket.drop()
    assert advice(first.connect())["multiple-clients"]  # type: ignore[index]  # None has no such thing


def test_of_several_that_wait_the_oldest_gets_the_room(world: World) -> None:
    first, second, third = windows(world, 3)
    for client in (first, second, third):
        client.connect()
    first.disconnect()
    assert advice(third.connect()) == CROWDED
    assert advice(second.connect()) == RELIEVED
    assert second.connect().held
    assert advice(third.connect()) == CROWDED


# --- Who is not counted ---


def test_clients_without_cookies_are_not_counted(world: World) -> None:
    assert all(world.polling(cookies=False).enter().connect().held for _ in range(3))


def test_over_http_2_nobody_is_counted(world: World) -> None:
    first = window(world, multiplexed=True)
    others = [window(world, first.cookie, multiplexed=True) for _ in range(3)]
    assert all(client.connect().held for client in (first, *others))


def test_polls_over_http_2_take_no_room(world: World) -> None:
    modern = window(world, multiplexed=True)
    plain = window(world, modern.cookie)
    assert modern.connect().held
    assert plain.connect().held


def test_sockets_are_not_counted_and_take_no_room(world: World) -> None:
    first = window(world)
    for _ in range(3):
        socket = world.socket(cookie=first.cookie).enter()
        socket.connect()
        assert socket.session.held is not None
    assert first.connect().held


def test_a_poll_that_asks_not_to_be_held_takes_no_room(world: World) -> None:
    first, second = windows(world, 2)
    first.connect(advice={"timeout": 0})
    assert second.connect().held


# --- Messages ---


def test_what_is_published_comes_with_the_short_polls(world: World) -> None:
    first, second = windows(world, 2)
    first.connect()
    second.subscribe("/a")
    for number in range(3):
        world.publish("/a", number)
        world.advance(2)
        second.connect()
    assert second.data == [0, 1, 2]


def test_a_message_for_one_window_does_not_release_the_poll_of_another(world: World) -> None:
    first, second = windows(world, 2)
    poll = first.connect()
    second.subscribe("/a")
    world.publish("/a", 1)
    assert poll.held


def test_a_crowded_windows_own_publish_brings_what_waits(world: World) -> None:
    first, second = windows(world, 2)
    first.connect()
    second.subscribe("/a")
    second.connect()
    second.publish("/a", 1)
    assert second.data == [1]


def test_nothing_is_left_of_a_browser_whose_windows_are_closed(world: World) -> None:
    for client in windows(world, 4):
        client.connect()
    world.advance(100)
    assert world.is_empty()


def test_a_window_that_held_a_poll_and_comes_back_from_its_socket_is_the_last(world: World) -> None:
    first, second = windows(world, 2)
    assert first.connect().held
    socket = world.socket(first)
    socket.connect()
    assert second.connect().held
    socket.drop()
    assert advice(first.connect()) == CROWDED


def test_a_lower_limit_holds_for_windows_whose_polls_are_held() -> None:
    world = World(max_windows=2)
    first, second = windows(world, 2)
    assert first.connect().held
    assert second.connect().held
    world.core.configure(Settings(max_windows=1))

    assert first.connect().held
    assert advice(second.connect()) == CROWDED


def test_a_higher_limit_holds_for_windows_that_were_told_to_poll_at_an_interval(world: World) -> None:
    first, second = windows(world, 2)
    assert first.connect().held
    assert advice(second.connect()) == CROWDED
    world.core.configure(Settings(max_windows=2))

    assert advice(second.connect()) == RELIEVED
    assert second.connect().held


def test_windows_keep_their_places_when_the_limit_is_set_to_what_it_was(world: World) -> None:
    first, second = windows(world, 2)
    first.connect()
    second.connect()
    world.core.configure(Settings(max_windows=1))

    assert first.connect().held
    assert advice(second.connect()) == CROWDED
