"""Sessions that the server ends: the client gets what waits, and is told to stay away (reference: 2.4)."""

import pytest

from mirant.bayeux.messages import Message
from mirant.bus.extension import Dismiss, Extension
from mirant.bus.turn import Turn
from mirant.testing import World, reply_to

GOODBYE = {"channel": "/meta/disconnect", "successful": True}
AWAY = {"reconnect": "none"}


class Bouncer(Extension):
    """Ends the session of whoever publishes to /forbidden or connects with ``ext.leave``."""

    def incoming(self, message: Message, turn: Turn, now: float) -> None:
        if message.channel == "/forbidden" or "leave" in (message.ext or {}):
            raise Dismiss


@pytest.fixture
def world() -> World:
    return World().use(Bouncer())


def test_over_http_the_message_is_refused_after_the_goodbye(world: World) -> None:
    client = world.polling().enter()
    goodbye, reply = client.ask(client.message("/forbidden", data=1))
    assert goodbye == GOODBYE
    assert reply["error"] == "402::session_unknown"
    assert reply["advice"] == AWAY
    assert not client.alive


def test_over_http_what_waits_comes_first(world: World) -> None:
    client = world.polling().enter()
    client.subscribe("/a")
    world.publish("/a", 1)
    messages = client.connect(ext={"leave": 1}).messages
    assert [message["channel"] for message in messages] == ["/a", "/meta/disconnect", "/meta/connect"]
    assert messages[-1]["advice"] == AWAY


def test_a_held_poll_carries_the_goodbye(world: World) -> None:
    client = world.polling().enter()
    poll = client.connect()
    [reply] = client.ask(client.message("/forbidden", data=1))
    assert reply["error"] == "402::session_unknown"
    assert poll.messages[0] == GOODBYE
    assert poll.reply["advice"] == AWAY


def test_the_connect_that_is_refused_lets_the_one_before_go(world: World) -> None:
    client = world.polling().enter()
    held = client.connect()
    refused = client.connect(ext={"leave": 1})
    assert held.messages[0] == GOODBYE
    assert refused.reply["advice"] == AWAY


def test_on_a_socket_the_goodbye_comes_before_the_refusal(world: World) -> None:
    client = world.socket().enter()
    client.subscribe("/a")
    client.messages.clear()
    with world.tick():
        world.publish("/a", 1)
        connect = client.connect(ext={"leave": 1})
    assert [message["channel"] for message in client.messages] == ["/a", "/meta/disconnect", "/meta/connect"]
    assert reply_to(connect, client.messages)["advice"] == AWAY


def test_messages_after_it_in_the_same_body_are_refused(world: World) -> None:
    client = world.polling().enter()
    after = client.message("/a", data=2)
    messages = client.ask(client.message("/forbidden", data=1), after)
    assert reply_to(after, messages)["error"] == "402::session_unknown"
    assert messages.count(GOODBYE) == 1


def test_the_others_notice_nothing(world: World) -> None:
    client, other = world.polling().enter(), world.socket().enter()
    other.subscribe("/a")
    client.ask(client.message("/forbidden", data=1))
    world.publish("/a", 1)
    assert other.data == [1]


def test_a_handshake_that_an_extension_wants_gone_is_refused() -> None:
    class Closed(Extension):
        def incoming(self, message: Message, turn: Turn, now: float) -> None:
            raise Dismiss

    world = World().use(Closed())
    reply = world.polling().handshake()
    assert not reply["successful"]
    assert reply["advice"] == AWAY
    assert world.is_empty()


def test_on_a_socket_the_client_may_begin_again(world: World) -> None:
    client = world.socket().enter()
    client.ask(client.message("/forbidden", data=1))
    assert client.handshake()["successful"]
    client.connect()
    client.subscribe("/a")
    world.publish("/a", 1)
    assert client.data == [1]
