"""A session's own connections are never strangers, in whatever order cookies come; others are."""

from __future__ import annotations

import pytest

from mirant.bus.families import OPEN_FOR, Families, place_of
from mirant.bus.request import Request
from mirant.testing import PollingClient, SocketClient, World, reply_to
from mirant.testing.sockets import FakeConnection

UNKNOWN = "402::session_unknown"


@pytest.fixture
def world() -> World:
    return World()


def window(world: World, cookie: str | None = None) -> PollingClient:
    """Return a client that keeps no cookies by itself, so that a test says in which order they come."""
    client = world.polling(cookies=False)
    client.cookie = cookie
    return client


def handshake(client: PollingClient) -> str | None:
    """Handshake; return the cookie that comes with the answer."""
    poll = client.post(b'[{"channel":"/meta/handshake","id":"h"}]')
    client.client_id = poll.reply["clientId"]
    return poll.cookie


def goes_on(socket: SocketClient, client: PollingClient) -> bool:
    """Whether *socket* may go on with the session of *client*."""
    socket.client_id = client.client_id
    return bool(reply_to(socket.connect(advice={"timeout": 0}), socket.messages)["successful"])


# --- A socket that was opened beside the handshake ---


def test_a_socket_that_was_opened_before_the_cookie_came_is_not_a_strangers(world: World) -> None:
    """npm's Faye opens its socket as it handshakes over HTTP, and may ask for more over HTTP before."""
    socket = world.socket(cookie="")
    client = window(world)
    client.cookie = handshake(client)
    assert client.subscribe("/a")["successful"]  # this binds the session
    assert goes_on(socket, client)
    world.publish("/a", 1)
    assert socket.data == [1]


def test_nor_one_that_was_opened_while_the_answer_was_under_way(world: World) -> None:
    client = window(world)
    cookie = handshake(client)
    socket = world.socket(cookie="")
    client.cookie = cookie
    assert client.subscribe("/a")["successful"]
    assert goes_on(socket, client)


def test_nor_one_with_a_cookie_of_a_server_that_is_gone(world: World) -> None:
    socket = world.socket(cookie="0" * 56)
    client = window(world)
    client.cookie = handshake(client)
    assert client.subscribe("/a")["successful"]
    assert goes_on(socket, client)


def test_nor_one_that_was_opened_before_a_handshake_with_a_cookie(world: World) -> None:
    socket = world.socket(cookie="")
    first = window(world)
    second = window(world, handshake(first))
    assert handshake(second) is None
    assert goes_on(socket, second)


def test_one_that_was_opened_after_the_cookie_was_presented_is_a_strangers(world: World) -> None:
    client = window(world)
    client.cookie = handshake(client)
    assert client.subscribe("/a")["successful"]
    assert not goes_on(world.socket(cookie=""), client)


def test_and_so_is_one_that_had_a_session_before(world: World) -> None:
    """Or a thief could keep one open until he learns an id."""
    socket = world.socket(cookie="").enter()
    client = window(world)
    client.cookie = handshake(client)
    assert client.subscribe("/a")["successful"]
    socket.disconnect()
    assert not goes_on(socket, client)


def test_and_so_is_one_from_elsewhere(world: World, caplog: pytest.LogCaptureFixture) -> None:
    frames: list[bytes] = []
    elsewhere = FakeConnection(world.core, Request({}, "192.0.2.1"), frames.append)
    client = window(world)
    client.cookie = handshake(client)
    assert client.subscribe("/a")["successful"]
    assert world.core.find(client.client_id, elsewhere) is None
    assert "session.stranger address=192.0.2.1" in caplog.text


# --- Two answers that both bring a cookie ---


@pytest.mark.parametrize("kept", [0, 1])
@pytest.mark.parametrize("first_presents", [True, False])
def test_two_handshakes_under_way_at_once_leave_one_cookie_and_both_sessions(
    world: World, kept: int, *, first_presents: bool
) -> None:
    clients = [window(world), window(world)]
    cookies = [handshake(client) for client in clients]
    assert None not in cookies
    if first_presents:  # before the second answer has come
        clients[0].cookie = cookies[0]
        assert clients[0].subscribe("/a")["successful"]
    for client in clients:
        client.cookie = cookies[kept]
        assert client.subscribe("/b")["successful"]
        assert client.publish("/b", 1)["successful"]
        assert not client.connect().held  # the first
        assert client.alive


def test_a_socket_with_the_cookie_that_was_replaced_is_not_a_strangers(world: World) -> None:
    clients = [window(world), window(world)]
    former, latter = (handshake(client) for client in clients)
    socket = world.socket(cookie=former)
    clients[1].cookie = latter
    assert clients[1].subscribe("/a")["successful"]
    assert goes_on(socket, clients[1])


def test_a_cookie_that_was_given_out_after_the_first_was_presented_is_a_strangers(world: World) -> None:
    victim, thief = window(world), window(world)
    victim.cookie = handshake(victim)
    assert victim.subscribe("/a")["successful"]
    thief.cookie = handshake(thief)
    thief.client_id = victim.client_id
    assert thief.publish("/a", 1)["error"] == UNKNOWN


def test_without_a_cookie_the_session_is_lost_to_everybody(world: World) -> None:
    clients = [window(world), window(world)]
    cookies = [handshake(client) for client in clients]
    clients[0].cookie = cookies[1]
    assert clients[0].subscribe("/a")["successful"]
    clients[0].cookie = None
    assert clients[0].publish("/a", 1)["error"] == UNKNOWN


def test_families_are_not_one_browser_to_the_count_of_windows(world: World) -> None:
    """Several people may be behind one address."""
    clients = [window(world), window(world)]
    for client, cookie in zip(clients, [handshake(client) for client in clients], strict=True):
        client.cookie = cookie
        client.connect()
        assert client.connect().held


# --- Families ---


def test_a_family_is_open_until_one_of_it_is_presented() -> None:
    families = Families()
    families.add("f", "192.0.2.1", 0.0)
    families.add("f", "192.0.2.1", 5.0)
    assert families.of("192.0.2.1", OPEN_FOR - 1) == "f"
    assert families.of("192.0.2.2", 0.0) is None
    families.presented("f")
    assert families.of("192.0.2.1", 0.0) is None
    families.presented("f")


def test_a_family_is_open_for_ten_seconds_and_replaced_by_the_next() -> None:
    families = Families()
    families.add("f", "192.0.2.1", 0.0)
    assert families.of("192.0.2.1", 9.9) == "f"
    assert families.of("192.0.2.1", 10.0) is None
    families.add("g", "192.0.2.1", OPEN_FOR)
    families.presented("f")
    assert families.of("192.0.2.1", OPEN_FOR) == "g"


def test_a_million_addresses_take_no_more_memory_than_ten_thousand() -> None:
    families = Families()
    for number in range(10_002):
        families.add(str(number), f"10.1.{number // 256}.{number % 256}", 0.0)
    assert families.of("10.1.0.0", 0.0) is families.of("10.1.0.1", 0.0) is None
    assert families.of("10.1.0.2", 0.0) == "2"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("127.0.0.1", "::1", True),
        ("127.0.0.1", "127.9.9.9", True),
        ("::ffff:127.0.0.1", "::1", True),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:0:8000::1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        (None, "192.0.2.1", False),
        (None, "127.0.0.1", False),
        (None, "not an address", True),
    ],
)
def test_addresses_of_one_machine(one: str | None, other: str | None, *, same: bool) -> None:
    assert (place_of(one) == place_of(other)) is same
