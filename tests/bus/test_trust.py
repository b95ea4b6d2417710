"""Who may use a session when pages reload, transports change or requests are overtaken (reference: 2.8)."""

import logging

import pytest

from mirant.testing import PollingClient, SocketClient, World, reply_to

UNKNOWN = "402::session_unknown"


@pytest.fixture
def world() -> World:
    return World()


def subscribed(world: World, *, cookies: bool = True) -> PollingClient:
    client = world.polling(cookies=cookies).enter()
    client.subscribe("/a")
    return client


def stranger(world: World, victim: PollingClient, *, cookies: bool) -> PollingClient:
    """Return a client that knows the clientId of *victim*; with *cookies* it is another known browser."""
    thief = world.polling(cookies=cookies).enter()
    thief.client_id = victim.client_id
    return thief


# --- Strangers ---


@pytest.mark.parametrize("cookies", [True, False])
@pytest.mark.parametrize("channel", ["/meta/connect", "/meta/subscribe", "/meta/disconnect", "/a"])
def test_a_stranger_gets_402_for_everything(world: World, channel: str, *, cookies: bool) -> None:
    victim = subscribed(world)
    thief = stranger(world, victim, cookies=cookies)
    reply = thief.say(channel, subscription="/a", data=1)
    assert reply["error"] == UNKNOWN
    assert reply.get("advice") == (
        {"reconnect": "handshake", "interval": 0} if channel == "/meta/connect" else None
    )
    assert victim.alive


def test_a_stranger_is_logged_without_the_credential(world: World, caplog: pytest.LogCaptureFixture) -> None:
    victim = subscribed(world)
    with caplog.at_level(logging.WARNING, "mirant"):
        stranger(world, victim, cookies=True).connect()
    assert victim.client_id is not None
    assert f"session.stranger address=127.0.0.1 session={victim.client_id[:8]}" in caplog.text
    assert victim.client_id not in caplog.text
    assert (victim.cookie or "?") not in caplog.text


def test_an_unknown_session_is_not_logged_as_a_strangers(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    client = world.polling().enter()
    client.client_id = "0" * 32
    with caplog.at_level(logging.WARNING, "mirant"):
        client.connect()
    assert "stranger" not in caplog.text


def test_a_stranger_does_not_keep_a_session_alive(world: World) -> None:
    victim = subscribed(world)
    thief = stranger(world, victim, cookies=True)
    for _ in range(4):
        world.advance(3)
        thief.publish("/a", 1)
    assert not victim.alive


def test_a_session_without_a_browser_is_bound_when_a_cookie_comes(world: World) -> None:
    socket = world.socket().enter()
    browser = world.polling().enter()
    browser.client_id = socket.client_id
    assert browser.publish("/b", 1)["successful"]
    other = world.polling().enter()
    other.client_id = socket.client_id
    assert other.publish("/b", 1)["error"] == UNKNOWN


# --- A WebSocket takes over a session ---


def test_with_the_cookie_it_may(world: World) -> None:
    client = subscribed(world)
    socket = world.socket(client)
    connect = socket.connect(advice={"timeout": 0})
    assert reply_to(connect, socket.messages)["successful"]
    world.publish("/a", 1)
    assert socket.data == [1]


@pytest.mark.parametrize("cookie", ["", "planted"])
def test_without_the_cookie_it_may_not_take_a_bound_session(world: World, cookie: str) -> None:
    client = subscribed(world)
    socket = world.socket(client, cookie=cookie)
    assert reply_to(socket.connect(), socket.messages)["error"] == UNKNOWN
    world.publish("/a", 1)
    assert socket.data == []
    assert client.connect().messages[0]["data"] == 1


def test_nor_with_the_cookie_of_another_browser(world: World) -> None:
    client, other = subscribed(world), subscribed(world)
    socket = world.socket(client, cookie=other.cookie)
    assert reply_to(socket.connect(), socket.messages)["error"] == UNKNOWN


def test_a_session_of_a_client_without_cookies_may_be_taken_by_its_id(world: World) -> None:
    client = subscribed(world, cookies=False)
    socket = world.socket(client)
    connect = socket.connect(advice={"timeout": 0})
    assert reply_to(connect, socket.messages)["successful"]


def test_a_refused_connection_may_handshake(world: World) -> None:
    socket = world.socket(subscribed(world), cookie="")
    socket.connect()
    assert socket.enter().alive


def test_another_session_on_a_bound_connection_is_unknown(world: World) -> None:
    client = subscribed(world)
    socket = world.socket(client)
    socket.connect()
    other = world.polling()
    other.cookie = client.cookie
    other.enter()
    foreign = {**socket.message("/b", data=1), "clientId": other.client_id}
    assert reply_to(foreign, socket.ask(foreign))["error"] == UNKNOWN
    assert socket.publish("/b", 1)["successful"]


# --- A page is reloaded ---


def reloaded(world: World, client: PollingClient) -> PollingClient:
    """Return the client of the reloaded page, with the cookie and the session of the former."""
    page = world.polling()
    page.cookie, page.client_id, page.last_id = client.cookie, client.client_id, 100
    return page


def test_a_reloaded_page_takes_over_the_poll_and_is_advised_anew(world: World) -> None:
    client = subscribed(world)
    held = client.connect()
    page = reloaded(world, client)
    reply = page.connect(advice={"timeout": 0}).reply
    assert held.reply["error"] == "409::connect_superseded"
    assert reply["advice"] == {"reconnect": "retry", "interval": 0, "timeout": 30_000}
    poll = page.connect()
    world.publish("/a", 1)
    assert poll.messages[0]["data"] == 1


def test_what_is_published_while_a_page_reloads_is_not_lost(world: World) -> None:
    client = subscribed(world)
    client.connect().hang_up()
    world.publish("/a", 1)
    world.advance(5)
    page = reloaded(world, client)
    assert page.connect(advice={"timeout": 0}).messages[0]["data"] == 1


def test_a_page_that_reloads_on_a_socket_takes_its_session_along(world: World) -> None:
    client = world.socket().enter()
    client.subscribe("/a")
    client.connect()
    client.drop()
    world.publish("/a", 1)
    page = world.socket(client)
    connect = page.connect(advice={"timeout": 0})
    assert page.data == [1]
    assert reply_to(connect, page.messages)["advice"]["reconnect"] == "retry"


# --- Between transports ---


def test_from_polling_to_a_socket_and_back_without_loss(world: World) -> None:
    client = subscribed(world)
    poll = client.connect()
    world.publish("/a", 1)
    assert not poll.held
    world.publish("/a", 2)
    socket: SocketClient = world.socket(client)
    socket.messages = client.messages
    socket.connect()
    world.publish("/a", 3)
    socket.stall()
    world.publish("/a", 4)
    socket.drop()
    world.publish("/a", 5)
    client.connect()
    poll = client.connect()
    world.publish("/a", 6)
    assert client.data == [1, 2, 3, 4, 5, 6]


def test_on_each_change_the_client_is_advised(world: World) -> None:
    client = subscribed(world)
    socket = world.socket(client)
    connect = socket.connect(advice={"timeout": 0})
    assert "advice" in reply_to(connect, socket.messages)
    socket.drop()
    poll = client.connect()
    world.advance(31)
    assert poll.reply["advice"]["timeout"] == 30_000


def test_a_poll_that_is_still_held_ends_at_its_time_though_messages_go_to_the_socket(world: World) -> None:
    client = subscribed(world)
    poll = client.connect()
    socket = world.socket(client)
    socket.publish("/b", 1)
    world.publish("/a", 1)
    assert socket.data == [1]
    world.advance(31)
    assert poll.reply["successful"]
    assert client.data == []


def test_a_request_beside_the_socket_leaves_the_session_where_it_is(world: World) -> None:
    client = subscribed(world)
    socket = world.socket(client)
    socket.connect()
    assert client.publish("/b", 1)["successful"]
    world.publish("/a", 1)
    assert socket.data == [1]
    assert socket.closed is None


# --- Connects that overtake each other ---


def test_a_connect_that_arrives_late_takes_over_and_nothing_is_lost(world: World) -> None:
    client = subscribed(world)
    late = client.message("/meta/connect", connectionType="long-polling")
    newer = client.connect()
    arrived = client.send(late)
    assert newer.reply["error"] == "409::connect_superseded"
    world.publish("/a", 1)
    assert arrived.messages[0]["data"] == 1
    assert arrived.reply["id"] == late["id"]


def test_a_connect_after_the_disconnect_is_told_to_handshake(world: World) -> None:
    client = subscribed(world)
    late = client.message("/meta/connect")
    client.disconnect()
    assert client.send(late).reply["advice"]["reconnect"] == "handshake"
    assert world.is_empty()
