"""/meta/connect (Bayeux 1.0, section 4.2)."""

import json
import sys

import pytest

from mirant.testing import World, reply_to

SUPERSEDED = "409::connect_superseded"


@pytest.fixture
def world() -> World:
    return World()


def test_the_first_connect_is_answered_at_once_though_the_client_does_not_ask(world: World) -> None:
    client = world.polling()
    client.handshake()
    poll = client.connect()
    assert poll.messages == [{"channel": "/meta/connect", "id": "2", "successful": True}]


def test_the_second_connect_is_held_until_its_timeout(world: World) -> None:
    client = world.polling().enter()
    poll = client.connect()
    world.advance(29.9)
    assert poll.held
    world.advance(0.2)
    assert poll.messages == [{"channel": "/meta/connect", "id": "3", "successful": True}]


def test_it_is_held_as_long_as_the_advice_announced() -> None:
    world = World(timeout=5)
    client = world.polling()
    assert client.handshake()["advice"]["timeout"] == 5_000
    client.connect()
    poll = client.connect()
    world.advance(4.9)
    assert poll.held
    world.advance(0.2)
    assert not poll.held


@pytest.mark.parametrize("connection_type", ["bogus", None, 7, ["long-polling"]])
def test_the_connection_type_does_not_matter(world: World, connection_type: object) -> None:
    client = world.polling().enter()
    poll = client.send(client.message("/meta/connect", connectionType=connection_type))
    assert poll.held


def test_a_message_releases_it_and_comes_before_the_reply(world: World) -> None:
    client = world.polling().enter()
    client.subscribe("/news")
    poll = client.connect()
    world.publish("/news", {"n": 1})
    assert poll.messages == [
        {"channel": "/news", "data": {"n": 1}},
        {"channel": "/meta/connect", "id": "4", "successful": True},
    ]


def test_what_is_published_in_one_turn_comes_in_one_answer(world: World) -> None:
    client = world.polling().enter()
    client.subscribe(["/a", "/b"])
    poll = client.connect()
    with world.tick():
        for number in range(3):
            world.publish("/a", number)
            world.publish("/b", number)
    assert client.data == [0, 0, 1, 1, 2, 2]
    assert len(poll.messages) == 7


def test_what_waits_is_handed_to_the_next_connect_at_once(world: World) -> None:
    client = world.polling().enter()
    client.subscribe("/a")
    for number in range(3):
        world.publish("/a", number)
    assert client.connect().messages[:-1] == [{"channel": "/a", "data": n} for n in range(3)]
    assert client.connect().held


def test_a_client_may_ask_not_to_be_held(world: World) -> None:
    client = world.polling().enter()
    poll = client.connect(advice={"timeout": 0})
    assert poll.reply["successful"]
    assert client.connect().held


def test_a_client_may_ask_to_be_held_for_less(world: World) -> None:
    client = world.polling().enter()
    poll = client.connect(advice={"timeout": 2_000})
    world.advance(1.9)
    assert poll.held
    world.advance(0.2)
    assert not poll.held


@pytest.mark.parametrize("timeout", [3_600_000, 1e300, int("9" * 400)])
def test_a_client_cannot_ask_to_be_held_for_longer(world: World, timeout: float) -> None:
    client = world.polling().enter()
    poll = client.connect(advice={"timeout": timeout})
    assert poll.held
    world.advance(30.1)
    assert poll.reply["successful"]


@pytest.mark.parametrize("timeout", [-1, -1e300, -int("9" * 400)])
def test_a_negative_timeout_is_none(world: World, timeout: float) -> None:
    client = world.polling().enter()
    assert client.connect(advice={"timeout": timeout}).reply["successful"]


@pytest.mark.parametrize("advice", [{}, {"timeout": 0}, {"interval": 0, "timeout": 0}])
def test_a_connect_with_advice_is_answered_with_ours_for_a_page_that_was_reloaded(
    world: World, advice: dict[str, int]
) -> None:
    client = world.polling().enter()
    poll = client.connect(advice=advice)
    world.advance(31)
    assert poll.reply["advice"] == {"reconnect": "retry", "interval": 0, "timeout": 30_000}


def test_a_connect_without_advice_is_answered_without(world: World) -> None:
    client = world.polling()
    client.handshake()
    assert "advice" not in client.connect().reply


def test_on_another_transport_the_advice_is_given_once(world: World) -> None:
    polling = world.polling().enter()
    socket = world.socket(polling)
    for expected in (True, False):
        message = socket.connect()
        world.advance(31)
        assert ("advice" in reply_to(message, socket.messages)) is expected


def test_a_session_that_is_unknown_is_told_to_handshake(world: World) -> None:
    client = world.polling()
    for client_id in ("nobody", None, ""):
        client.client_id = client_id
        poll = client.connect()
        assert poll.status == 200
        [reply] = poll.messages
        assert (reply["successful"], reply["error"]) == (False, "402::session_unknown")
        assert reply["advice"] == {"reconnect": "handshake", "interval": 0}


def test_a_newer_connect_lets_the_older_go_with_409(world: World) -> None:
    """The reference server answers HTTP 500 without a body."""
    client = world.polling().enter()
    older = client.connect()
    newer = client.connect()
    assert older.status == 200
    assert older.messages == [
        {"channel": "/meta/connect", "id": "3", "successful": False, "error": SUPERSEDED}
    ]
    assert newer.held


def test_a_newer_connect_on_a_socket_lets_the_older_go_with_409(world: World) -> None:
    """The reference server never answers the older one."""
    client = world.socket().enter()
    older, newer = client.connect(), client.connect()
    assert reply_to(older, client.messages)["error"] == SUPERSEDED
    world.advance(31)
    assert reply_to(newer, client.messages)["successful"]


def test_a_connect_that_was_let_go_takes_no_messages_with_it(world: World) -> None:
    """Most likely nobody reads the answer: the page was reloaded, or the request timed out."""
    client = world.polling().enter()
    client.subscribe("/a")
    older = client.connect()
    with world.tick():
        world.publish("/a", 1)
        newer = client.connect()
    assert [message["channel"] for message in older.messages] == ["/meta/connect"]
    assert [message["channel"] for message in newer.messages] == ["/a", "/meta/connect"]


def test_over_http_a_connect_in_company_is_not_held(world: World) -> None:
    client = world.polling().enter()
    poll = client.send(client.message("/meta/connect"), client.message("/a", data=1))
    assert [message["successful"] for message in poll.messages] == [True, True]


@pytest.mark.parametrize("connect_first", [True, False])
def test_on_a_socket_the_company_of_a_held_connect_is_answered_at_once(
    world: World, *, connect_first: bool
) -> None:
    """The reference server keeps the other replies until the connect's timeout."""
    client = world.socket().enter()
    connect, publish = client.message("/meta/connect"), client.message("/a", data=1)
    client.send(*([connect, publish] if connect_first else [publish, connect]))
    assert [message["id"] for message in client.frames[-1]] == [publish["id"]]
    world.advance(31)
    assert [message["id"] for message in client.frames[-1]] == [connect["id"]]


def test_on_a_socket_messages_are_pushed_and_do_not_release_the_connect(world: World) -> None:
    client = world.socket().enter()
    client.subscribe("/a")
    client.connect()
    world.publish("/a", 1)
    assert client.frames[-1] == [{"channel": "/a", "data": 1}]
    world.advance(31)
    assert client.frames[-1][0]["channel"] == "/meta/connect"


def test_a_request_whose_client_hung_up_gets_nothing_and_loses_nothing(world: World) -> None:
    client = world.polling().enter()
    client.subscribe("/a")
    poll = client.connect()
    poll.hang_up()
    world.publish("/a", 1)
    assert poll.held
    assert client.connect().messages[0] == {"channel": "/a", "data": 1}


def test_a_request_that_is_gone_when_its_answer_leaves_takes_no_messages_with_it(world: World) -> None:
    client = world.polling().enter()
    client.subscribe("/a")
    with world.tick():
        world.publish("/a", 1)
        lost = client.send(client.message("/b", data=0))
        lost.hang_up()
    client.messages.clear()
    assert client.connect().messages[0] == {"channel": "/a", "data": 1}


def test_while_the_server_closes_no_connect_is_held(world: World) -> None:
    polling, socket = world.polling().enter(), world.socket().enter()
    poll, message = polling.connect(), socket.connect()
    world.core.close(world.now)
    world.settle()
    assert poll.reply["successful"]
    assert reply_to(message, socket.messages)["successful"]
    assert socket.closed is not None
    assert socket.closed[0] == 1001
    assert not polling.connect().held


def test_a_connect_that_is_held_does_not_keep_its_body() -> None:
    client = World().polling().enter()
    fields = {"data": "x" * 5_000, "ext": {"a": 1}, "mine": "y" * 5_000, "subscription": "z"}
    message = client.message("/meta/connect", connectionType="carrier pigeon", **fields)
    body = json.dumps([message]).encode()
    before = sys.getrefcount(body)
    poll = client.post(body)
    assert poll.held
    assert sys.getrefcount(body) == before
