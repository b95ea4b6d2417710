"""Sessions and their links: what is pushed, what outlives a connection, who may go on (reference: 2.10)."""

import pytest

from mirant.bayeux.nesting import MAX_DEPTH
from mirant.extensions.ack import Ack
from mirant.testing import Later, PollingClient, SocketClient, World, reply_to


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> SocketClient:
    client = world.socket().enter()
    client.subscribe("/a")
    return client


def test_messages_are_pushed_without_a_connect_outstanding(world: World, client: SocketClient) -> None:
    world.publish("/a", 1)
    assert client.frames[-1] == [{"channel": "/a", "data": 1}]


def test_nothing_is_pushed_before_the_first_message_after_the_handshake(world: World) -> None:
    client = world.socket()
    client.handshake()
    world.deliver(client.session, "/private", 1)
    assert client.data == []
    client.connect()
    assert client.data == [1]


def test_messages_wait_while_there_is_no_connection_and_come_in_order_on_the_next(
    world: World, client: SocketClient
) -> None:
    client.drop()
    for number in range(5):
        world.publish("/a", number)
    again = world.socket(client)
    again.connect()
    world.publish("/a", 5)
    assert again.data == [0, 1, 2, 3, 4, 5]


def test_what_was_written_and_not_sent_comes_back_before_what_came_later(
    world: World, client: SocketClient
) -> None:
    client.stall()
    for number in range(3):
        world.publish("/a", number)
    client.drop()
    world.publish("/a", 3)
    again = world.socket(client)
    again.connect()
    assert client.data == []
    assert again.data == [0, 1, 2, 3]


def test_what_was_not_sent_comes_back_also_when_the_next_connection_is_there_before_the_end_of_the_last(
    world: World, client: SocketClient
) -> None:
    client.stall()
    for number in range(3):
        world.publish("/a", number)
    again = world.socket(client)
    again.connect()
    client.drop()
    world.publish("/a", 3)
    assert again.data == [0, 1, 2, 3]


def test_a_client_that_reads_on_gets_everything_in_order(world: World, client: SocketClient) -> None:
    client.stall()
    for number in range(50):
        world.publish("/a", number)
    client.read_on()
    world.publish("/a", 50)
    assert client.data == list(range(51))


def test_a_large_outbox_is_emptied_into_a_connection_that_takes_it(
    world: World, client: SocketClient
) -> None:
    client.drop()
    for number in range(100):
        world.publish("/a", f"{number:0>10000}")
    again = world.socket(client)
    again.connect()
    assert len(again.data) == 100


def test_the_next_connection_closes_the_former(world: World, client: SocketClient) -> None:
    again = world.socket(client)
    again.connect()
    assert client.closed is not None
    assert client.closed[0] == 1000
    world.publish("/a", 1)
    assert (client.data, again.data) == ([], [1])


def test_the_end_of_the_former_connection_does_not_concern_the_session(
    world: World, client: SocketClient
) -> None:
    again = world.socket(client)
    again.connect()
    again.connect()
    client.drop()
    world.advance(20)
    world.publish("/a", 1)
    assert again.data == [1]


def test_nor_does_it_prolong_the_life_of_a_session_that_has_no_poll(
    world: World, client: SocketClient
) -> None:
    again = world.socket(client)
    again.publish("/b", 0)
    world.advance(8)
    assert again.alive
    client.drop()
    world.advance(4)
    assert not again.alive


def test_a_client_id_of_another_session_on_a_bound_connection_is_unknown(
    world: World, client: SocketClient
) -> None:
    other = world.socket().enter()
    foreign = {**client.message("/a", data=1), "clientId": other.client_id}
    connect = {**client.message("/meta/connect"), "clientId": other.client_id}
    assert reply_to(foreign, client.ask(foreign))["error"] == "402::session_unknown"
    assert reply_to(connect, client.ask(connect))["advice"] == {"reconnect": "handshake", "interval": 0}
    assert client.data == []
    assert other.publish("/b", 1)["successful"]


def test_after_its_session_ended_a_connection_may_go_on_with_another(
    world: World, client: SocketClient
) -> None:
    other = world.socket().enter()
    client.disconnect()
    client.client_id = other.client_id
    assert client.publish("/b", 1)["successful"]
    assert other.closed is not None


def test_a_session_that_expires_closes_its_connection_and_its_client_can_begin_again(
    world: World, client: SocketClient
) -> None:
    world.advance(100)
    assert client.closed is not None
    assert client.closed[0] == 1000
    again = world.socket(client)
    connect = again.connect()
    assert reply_to(connect, again.messages)["advice"] == {"reconnect": "handshake", "interval": 0}
    again.enter()
    again.subscribe("/a")
    world.publish("/a", 1)
    assert again.data == [1]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"[[]]", 1007),
        (b"null", 1007),
        (b"hello", 1007),
        (b"[1]", 1007),
        (b"\xff", 1007),
        (b"[" * (MAX_DEPTH + 1), 1007),
        (b"[%b]" % b",".join([b"{}"] * 1_001), 1009),
        (b'["%b"]' % (b"x" * 1024 * 1024), 1009),
    ],
)
def test_what_is_not_bayeux_closes_its_connection_and_no_other(world: World, text: bytes, code: int) -> None:
    client, other = world.socket().enter(), world.socket().enter()
    client.send_text(text)
    assert client.closed is not None
    assert client.closed[0] == code
    assert 0 < len(client.closed[1].encode()) <= 123
    assert other.publish("/a", 1)["successful"]


# --- Changing the transport ---


def test_a_client_moves_from_polling_to_a_socket_with_everything_that_waits(world: World) -> None:
    polling = world.polling().enter()
    polling.subscribe("/a")
    world.publish("/a", 1)
    socket = world.socket(polling)
    socket.connect()
    world.publish("/a", 2)
    assert socket.data == [1, 2]


def test_a_poll_still_held_does_not_keep_messages_from_the_socket(world: World) -> None:
    """Faye's clients open a socket for a session whose poll is still held."""
    polling = world.polling().enter()
    polling.subscribe("/a")
    poll = polling.connect()
    socket = world.socket(polling)
    socket.publish("/b", 0)
    world.publish("/a", 1)
    assert socket.data == [1]
    connect = socket.connect()
    assert poll.reply["error"] == "409::connect_superseded"
    world.advance(31)
    assert reply_to(connect, socket.messages)["successful"]


def as_polling(world: World, socket: SocketClient) -> PollingClient:
    """Return the client of *socket* as it goes on by polling."""
    polling = world.polling()
    polling.client_id = socket.client_id
    return polling


def test_a_client_whose_socket_broke_goes_on_by_polling(world: World, client: SocketClient) -> None:
    client.drop()
    world.publish("/a", 1)
    polling = as_polling(world, client)
    assert polling.connect().messages[0] == {"channel": "/a", "data": 1}


def test_a_client_that_polls_gets_its_messages_though_we_do_not_know_that_its_socket_is_dead(
    world: World, client: SocketClient
) -> None:
    client.stall()
    world.publish("/a", 1)
    polling = as_polling(world, client)
    assert polling.connect().messages[0] == {"channel": "/a", "data": 1}
    poll = polling.connect()
    world.publish("/a", 2)
    assert poll.messages[0] == {"channel": "/a", "data": 2}
    client.drop()
    world.publish("/a", 3)
    polling.connect()
    assert polling.data == [1, 2, 3]


def test_what_waits_is_pushed_before_the_application_has_looked_at_the_first_message(world: World) -> None:
    polling, later = world.polling().enter(), Later()
    polling.subscribe("/a")
    world.publish("/a", 1)

    @world.services.on_publish("/slow")
    async def slow(caller: object, data: object) -> None:
        await later

    socket = world.socket(polling)
    socket.send(socket.message("/slow", data=2))
    assert socket.data == [1]
    later.resolve()
    assert socket.messages[-1]["successful"]


@pytest.mark.parametrize("fields", [{"channel": "no channel"}, {"channel": "/a", "id": "x" * 1000}])
def test_a_connection_is_not_bound_to_a_session_by_a_message_that_is_refused_for_its_form(
    world: World, client: SocketClient, fields: dict[str, str]
) -> None:
    """Else the session would seem to be its own, and it would stay when that ends."""
    other = world.socket()
    [reply] = other.ask({"clientId": client.client_id, **fields})

    assert not reply["successful"]
    assert other.connection.session is None
    assert client.connection.session is not None


def test_a_connection_whose_new_session_ended_may_go_on_with_another(
    world: World, client: SocketClient
) -> None:
    """Nothing but the handshake bound it to that session, which no end of a session undoes."""
    other = world.socket()
    other.handshake()
    world.core.dismiss(other.session)
    other.client_id = client.client_id

    assert other.publish("/b", 1)["successful"]


# --- An event loop that ended with its carriers ---


@pytest.mark.parametrize("ack", [False, True])
def test_a_poll_of_an_event_loop_that_ended_takes_no_message_with_it(world: World, *, ack: bool) -> None:
    world.use(Ack())
    client = world.polling()
    client.handshake(ext={"ack": ack})
    client.connect()
    client.subscribe("/a")
    dead = client.connect()
    world.core.lose_carriers()
    world.publish("/a", 1)

    assert dead.held
    assert client.connect().messages[0] == {"channel": "/a", "data": 1}


def test_a_socket_of_an_event_loop_that_ended_takes_no_message_with_it(
    world: World, client: SocketClient
) -> None:
    client.subscribe("/a")
    client.stall()
    world.publish("/a", 1)
    world.core.lose_carriers()
    world.publish("/a", 2)

    polling = as_polling(world, client)
    polling.connect()
    assert polling.data == [1, 2]


def test_a_session_whose_event_loop_ended_expires_if_its_client_stays_away(world: World) -> None:
    client = world.polling().enter()
    client.connect()
    session = client.session
    world.core.lose_carriers()
    world.advance(session.max_interval + 1)
    assert session.ended
