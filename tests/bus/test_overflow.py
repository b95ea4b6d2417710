"""An outbox that is full: the session ends or messages are dropped, and the client is told."""

from typing import Any

import pytest

from mirant.bus.session import Ending, Session
from mirant.testing import Json, PollingClient, SocketClient, World

DROPPED = "/service/mirant/dropped"


def small(overflow: str) -> World:
    """Return a world whose outboxes take nine messages of 100 bytes."""
    return World(max_outbox=1_000, overflow=overflow)


def subscriber(world: World) -> PollingClient:
    client = world.polling().enter()
    client.subscribe("/**")
    return client


def publish(world: World, count: int, channel: str = "/a") -> None:
    """Publish *count* messages of 100 bytes."""
    for number in range(count):
        text = "x" * (100 - len(f'{{"channel":"{channel}","data":[{number:3},""]}}'))
        world.publish(channel, [number, text])


def fetched(client: PollingClient) -> list[Json]:
    return client.connect(advice={"timeout": 0}).messages[:-1]


def numbers(messages: list[Json]) -> list[Any]:
    return [message["data"][0] for message in messages if message["channel"] != DROPPED]


def test_by_default_the_session_ends_and_the_application_is_told_why() -> None:
    world = World(max_outbox=1_000)
    endings: list[Ending | None] = []

    @world.services.on_leave
    def left(session: Session) -> None:
        endings.append(session.ending)

    client = subscriber(world)
    publish(world, 30)
    assert not client.alive
    assert endings == [Ending.OUTBOX_FULL]
    assert client.connect().reply["advice"] == {"reconnect": "handshake", "interval": 0}


@pytest.mark.parametrize("overflow", ["drop-oldest", "drop-newest"])
def test_dropping_keeps_the_session_and_its_bound(overflow: str) -> None:
    world = small(overflow)
    client = subscriber(world)
    for _ in range(10):
        publish(world, 30)
        assert client.alive
        assert client.session.outbox.size <= 1_000


def test_of_the_oldest_dropped_the_newest_arrive_in_order() -> None:
    world = small("drop-oldest")
    client = subscriber(world)
    publish(world, 30)
    kept = numbers(fetched(client))
    assert kept == list(range(30 - len(kept), 30))
    assert len(kept) >= 9


def test_of_the_newest_dropped_the_oldest_arrive_in_order() -> None:
    world = small("drop-newest")
    client = subscriber(world)
    publish(world, 30)
    kept = numbers(fetched(client))
    assert kept == list(range(len(kept)))
    assert len(kept) >= 9


@pytest.mark.parametrize("overflow", ["drop-oldest", "drop-newest"])
def test_the_client_is_told_first_how_many_where_and_why(overflow: str) -> None:
    world = small(overflow)
    client = subscriber(world)
    publish(world, 10, "/a")
    publish(world, 10, "/b")
    report, *kept = fetched(client)
    assert report["channel"] == DROPPED
    assert report["data"]["count"] == 20 - len(kept)
    assert sum(report["data"]["channels"].values()) == 20 - len(kept)
    assert set(report["data"]["channels"]) <= {"/a", "/b"}
    assert report["data"]["reason"] == "outbox-full"


def test_nothing_dropped_is_nothing_told() -> None:
    world = small("drop-oldest")
    client = subscriber(world)
    publish(world, 5)
    assert numbers(fetched(client)) == [0, 1, 2, 3, 4]
    assert [message["channel"] for message in client.deliveries] == ["/a"] * 5


def test_each_loss_is_told_once() -> None:
    world = small("drop-newest")
    client = subscriber(world)
    publish(world, 30)
    fetched(client)
    publish(world, 3)
    assert [message["channel"] for message in fetched(client)] == ["/a"] * 3


@pytest.mark.parametrize("overflow", ["drop-oldest", "drop-newest"])
def test_on_a_socket_a_reader_that_was_slow_is_told_when_it_reads_on(overflow: str) -> None:
    world = small(overflow)
    socket: SocketClient = world.socket().enter()
    socket.subscribe("/a")
    socket.stall()
    publish(world, 30)
    socket.read_on()
    reports = [message["data"] for message in socket.deliveries if message["channel"] == DROPPED]
    assert [report["count"] + len(socket.deliveries) - 1 for report in reports] == [30]


@pytest.mark.parametrize("overflow", ["disconnect", "drop-oldest", "drop-newest"])
def test_a_client_that_reads_loses_nothing_because_another_does_not(overflow: str) -> None:
    world = small(overflow)
    subscriber(world)
    reader = world.socket().enter()
    reader.subscribe("/a")
    publish(world, 30)
    assert numbers(reader.deliveries) == list(range(30))


@pytest.mark.parametrize("overflow", ["disconnect", "drop-oldest", "drop-newest"])
def test_a_message_above_the_limit_arrives_when_nothing_else_waits(overflow: str) -> None:
    world = small(overflow)
    client = subscriber(world)
    world.publish("/a", [0, "x" * 5_000])
    assert numbers(fetched(client)) == [0]


def test_a_lazy_message_that_is_dropped_leaves_the_poll_held() -> None:
    world = small("drop-newest").channel("/lazy", lazy=60.0)
    client = world.polling().enter()
    client.subscribe("/lazy")
    poll = client.connect()
    publish(world, 30, "/lazy")
    assert poll.held


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
