"""activity: sessions that only keep themselves alive are ended (reference: 3.4)."""

import pytest

from mirant.bus.session import Session
from mirant.extensions.activity import Activity
from mirant.testing import PollingClient, SocketClient, World

MAX_IDLE = 60.0


@pytest.fixture
def world() -> World:
    """Return a world that ends whoever is idle for a minute."""
    return World().use(Activity(MAX_IDLE))


@pytest.fixture
def listening() -> World:
    """Return a world in which what a session is sent counts as well."""
    world = World()

    @world.services.on_join
    def watch(session: Session) -> None:
        session.extensions = (Activity(MAX_IDLE),)

    return world


def keep_alive(client: PollingClient, seconds: float) -> None:
    """Do nothing but connect, for as long as the server lets us."""
    end = client.world.now + seconds
    while client.world.now < end:
        poll = client.connect()
        if not poll.held:
            return
        client.world.advance(30.5)


def test_a_client_that_only_connects_is_told_to_stay_away(world: World) -> None:
    client = world.polling().enter()
    keep_alive(client, MAX_IDLE + 30)
    goodbye, reply = client.messages[-2:]
    assert goodbye == {"channel": "/meta/disconnect", "successful": True}
    assert reply["error"] == "402::session_unknown"
    assert reply["advice"] == {"reconnect": "none"}
    assert not client.alive


def test_until_then_it_is_not(world: World) -> None:
    client = world.polling().enter()
    for _ in range(10):
        world.advance(MAX_IDLE / 10)
        assert client.connect(advice={"timeout": 0}).reply["successful"]
    world.advance(0.1)
    assert not client.connect().reply["successful"]


@pytest.mark.parametrize("channel", ["/a", "/service/a", "/meta/subscribe"])
def test_any_other_message_counts(world: World, channel: str) -> None:
    client = world.polling().enter()
    for _ in range(10):
        keep_alive(client, 31)
        client.say(channel, data=1, subscription="/a")
    assert client.alive


def test_what_the_session_is_sent_does_not_count(world: World) -> None:
    client = world.polling().enter()
    client.subscribe("/a")
    for _ in range(6):
        client.connect(advice={"timeout": 0})
        world.advance(9)
        world.publish("/a", 1)
    assert client.alive
    for _ in range(2):
        client.connect(advice={"timeout": 0})
        world.advance(9)
    assert not client.alive


def test_as_an_extension_of_the_session_it_does(listening: World) -> None:
    client = listening.polling().enter()
    client.subscribe("/a")
    for _ in range(20):
        client.connect(advice={"timeout": 0})
        listening.advance(9)
        listening.publish("/a", 1)
    assert client.alive


def test_as_an_extension_of_the_session_it_ends_those_that_hear_nothing(listening: World) -> None:
    client = listening.polling().enter()
    keep_alive(client, MAX_IDLE + 30)
    assert not client.alive


def test_other_sessions_are_not_concerned(listening: World) -> None:
    idle, other = listening.polling().enter(), listening.polling().enter()
    other.session.extensions = ()
    for _ in range(20):
        for client in (idle, other):
            client.connect(advice={"timeout": 0})
        listening.advance(9)
    assert (idle.alive, other.alive) == (False, True)


def beat(client: SocketClient, seconds: float) -> None:
    end = client.world.now + seconds
    while client.world.now < end and client.alive:
        client.connect()
        client.world.advance(30.5)


def test_on_a_socket_too(world: World) -> None:
    client = world.socket().enter()
    beat(client, MAX_IDLE + 30)
    goodbye, reply = client.messages[-2:]
    assert goodbye == {"channel": "/meta/disconnect", "successful": True}
    assert reply["error"] == "402::session_unknown"
    assert reply["advice"] == {"reconnect": "none"}
    assert not client.alive


def test_a_socket_that_publishes_goes_on(world: World) -> None:
    client = world.socket().enter()
    for _ in range(10):
        beat(client, 31)
        client.publish("/a", 1)
    assert client.alive


def test_what_waits_for_an_idle_client_comes_before_its_end(world: World) -> None:
    client = world.polling().enter()
    client.subscribe("/a")
    for _ in range(7):
        client.connect(advice={"timeout": 0})
        world.advance(9)
    world.publish("/a", "last")
    messages = client.connect().messages
    assert [message.get("data") for message in messages] == ["last", None, None]


def test_a_stranger_does_not_keep_a_session_active(world: World) -> None:
    client = world.polling().enter()
    for _ in range(8):
        client.connect(advice={"timeout": 0})
        stranger = world.polling().enter()
        stranger.client_id = client.client_id
        stranger.publish("/a", 1)
        world.advance(9)
    assert not client.alive


def test_nothing_is_left_of_the_sessions_that_were_ended(world: World) -> None:
    clients = [world.polling().enter() for _ in range(3)]
    for client in clients:
        keep_alive(client, MAX_IDLE + 30)
    assert not any(client.alive for client in clients)
    world.advance(100)
    assert world.is_empty()


def test_what_counts_is_delivered_all_the_same(listening: World) -> None:
    client = listening.polling().enter()
    client.subscribe("/a")
    poll = client.connect()
    listening.publish("/a", 1)
    assert not poll.held
    assert client.data == [1]
