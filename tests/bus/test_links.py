"""Sessions and connections: what is pushed, what outlives a connection, who may go on (reference: 2.10)."""

import pytest

from mirant.bayeux.codec import MAX_DEPTH
from mirant.bus.outbox import MAX_FRAME
from tests.world import PollingClient, SocketClient, World, reply_to


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


def test_what_one_turn_publishes_comes_in_one_frame(world: World, client: SocketClient) -> None:
    with world.tick():
        for number in range(100):
            world.publish("/a", number)
    assert client.data == list(range(100))
    assert len(client.frames[-1]) == 100


def test_frames_of_several_messages_have_at_most_32_kib(world: World, client: SocketClient) -> None:
    with world.tick():
        for number in range(100):
            world.publish("/a", f"{number:0>1000}")
    assert len(client.data) == 100
    assert all(len(batch.payload) <= MAX_FRAME for batch in client.connection.batches)
    assert len(client.connection.batches) == 4


def test_subscribers_of_the_same_share_one_batch(world: World, client: SocketClient) -> None:
    others = [world.socket().enter() for _ in range(5)]
    for other in others:
        other.subscribe("/a")
    with world.tick():
        world.publish("/a", 1)
        world.publish("/a", 2)
    assert len({id(each.connection.batches[-1]) for each in (client, *others)}) == 1


def test_subscribers_that_get_the_same_share_one_batch_also_when_others_get_more(
    world: World, client: SocketClient
) -> None:
    other, greedy = world.socket().enter(), world.socket().enter()
    other.subscribe("/a")
    greedy.subscribe(["/a", "/b"])
    with world.tick():
        world.publish("/a", 1)
        world.publish("/b", 2)
    assert client.connection.batches[-1] is other.connection.batches[-1]
    assert greedy.frames[-1] == [{"channel": "/a", "data": 1}, {"channel": "/b", "data": 2}]


def test_answers_to_many_messages_come_in_frames_of_at_most_32_kib(
    world: World, client: SocketClient
) -> None:
    before = len(client.frames)
    client.send(*[client.message("/" + "x" * 200, data=1) for _ in range(500)])
    replies = client.frames[before:]
    assert sum(map(len, replies)) == 500
    assert len(replies) > 1


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
        (b"", 1007),
        (b"[]", 1007),
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


# --- A client that reads too slowly ---


def test_a_socket_client_that_lags_too_far_behind_is_closed_with_1008_and_nobody_else_is() -> None:
    world = World(max_outbox=10_000)
    slow, sound, publisher = world.socket().enter(), world.socket().enter(), world.polling().enter()
    slow.subscribe("/a")
    sound.subscribe("/a")
    slow.stall()
    for number in range(30):
        assert publisher.publish("/a", f"{number:0>1000}")["successful"]
    assert slow.closed is not None
    assert slow.closed[0] == 1008
    assert not slow.alive
    assert len(sound.data) == 30


def test_a_polling_client_that_lags_too_far_behind_is_unknown_when_it_comes_back() -> None:
    world = World(max_outbox=10_000)
    slow, sound = world.polling().enter(), world.socket().enter()
    slow.subscribe("/a")
    sound.subscribe("/a")
    for number in range(30):
        world.publish("/a", f"{number:0>1000}")
    reply = slow.connect().reply
    assert (reply["error"], reply["advice"]["reconnect"]) == ("402::session_unknown", "handshake")
    assert len(sound.data) == 30


def test_a_poll_that_one_turn_overflows_is_answered_402_with_advice_to_handshake() -> None:
    world = World(max_outbox=10_000)
    slow = world.polling().enter()
    slow.subscribe("/a")
    poll = slow.connect()
    with world.tick():
        for number in range(30):
            world.publish("/a", f"{number:0>1000}")
    assert poll.messages == [
        {
            "channel": "/meta/connect",
            "id": "4",
            "successful": False,
            "error": "402::session_unknown",
            "advice": {"reconnect": "handshake", "interval": 0},
        }
    ]
    assert world.is_empty()


@pytest.mark.parametrize(("overflow", "kept"), [("drop-oldest", range(20, 30)), ("drop-newest", range(10))])
def test_with_another_policy_messages_are_dropped_and_the_client_is_told(overflow: str, kept: range) -> None:
    size = len(b'{"channel":"/a","data":"0000"}')
    world = World(max_outbox=10 * size, overflow=overflow)
    slow = world.polling().enter()
    slow.subscribe("/a")
    for number in range(30):
        world.publish("/a", f"{number:0>4}")
    report, *rest = slow.connect().messages[:-1]
    assert report["channel"] == "/service/mirant/dropped"
    assert report["data"] == {"count": 20, "channels": {"/a": 20}, "reason": "outbox-full"}
    assert [int(message["data"]) for message in rest] == list(kept)


def test_a_message_larger_than_the_outbox_is_delivered_all_the_same() -> None:
    world = World(max_outbox=1_000)
    client = world.polling().enter()
    client.subscribe("/a")
    poll = client.connect()
    world.publish("/a", "x" * 5_000)
    assert poll.messages[0]["data"] == "x" * 5_000
