"""What happens when more waits for a client than may, and how the client learns of it."""

from typing import Any

import pytest

from mirant.bus.session import Ending, Session
from tests.world import Json, PollingClient, SocketClient, World

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
