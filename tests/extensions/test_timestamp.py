"""timestamp: every message from the server says when it left (reference: 3.2)."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from mirant.bus.session import Session
from mirant.extensions.timestamp import TimeStamp, reference_format
from mirant.services import Caller
from mirant.testing import START, World, reply_to

#: The reference server's own example, at the time at which a `World` begins.
EPOCH = datetime(2026, 11, 22, 17, 33, 18, tzinfo=UTC).timestamp()
THEN = "Sun Nov 22 17:33:18 UTC 2026"


@pytest.fixture
def world() -> World:
    world = World()
    return world.use(TimeStamp(lambda: EPOCH + world.now - START))


def test_every_reply_has_it(world: World) -> None:
    client = world.polling()
    replies = [
        client.handshake(),
        client.connect().reply,
        client.subscribe("/a"),
        client.publish("/b", 1),
        client.publish("/b/*", 1),
        client.say("/meta/nothing"),
        client.disconnect(),
        client.connect().reply,
    ]
    assert [reply["timestamp"] for reply in replies] == [THEN] * len(replies)


def test_every_delivery_has_it(world: World) -> None:
    client = world.socket().enter()
    client.subscribe("/a")
    client.publish("/a", 1)
    world.publish("/a", 2)
    world.deliver(client.session, "/service/b", 3)
    assert client.deliveries == [
        {"channel": channel, "data": data, "timestamp": THEN}
        for channel, data in [("/a", 1), ("/a", 2), ("/service/b", 3)]
    ]


def test_the_answer_to_a_call_has_it(world: World) -> None:
    @world.services.rpc("/f")
    def f(caller: Caller, data: object) -> str:
        return "done"

    client = world.socket().enter()
    client.publish("/service/f", 1)
    assert client.deliveries[0]["timestamp"] == THEN


def test_it_takes_the_place_of_the_publishers(world: World) -> None:
    client = world.socket().enter()
    client.subscribe("/a")
    client.publish("/a", 1, timestamp="Sun, 22 Nov 2026 17:33:18 GMT", mine=7)
    assert client.connection.batches[-1].payload.count(b'"timestamp"') == 1
    assert client.deliveries == [{"channel": "/a", "data": 1, "mine": 7, "timestamp": THEN}]


@pytest.mark.parametrize("timestamp", [None, 7, [], {"a": 1}, "x" * 1000])
def test_whatever_a_publisher_writes_there(world: World, timestamp: object) -> None:
    client = world.socket().enter()
    client.subscribe("/a")
    client.publish("/a", 1, timestamp=timestamp)
    assert client.deliveries[0]["timestamp"] == THEN


def test_without_the_extension_the_publishers_own_arrives() -> None:
    client = World().socket().enter()
    client.subscribe("/a")
    client.publish("/a", 1, timestamp="noon")
    assert client.deliveries[0]["timestamp"] == "noon"


def test_a_reply_that_was_held_has_the_time_at_which_it_leaves(world: World) -> None:
    client = world.socket().enter()
    message = client.connect()
    world.advance(60)
    assert reply_to(message, client.messages)["timestamp"].startswith("Sun Nov 22 17:33:4")


def test_a_delivery_has_the_time_at_which_it_was_accepted(world: World) -> None:
    client = world.polling().enter()
    client.subscribe("/a")
    world.publish("/a", 1)
    world.advance(5)
    client.connect()
    assert client.deliveries[0]["timestamp"] == THEN


def test_lazy_and_latest_stay_what_they_are(world: World) -> None:
    world.channel("/a", lazy=5.0, latest=True)
    client = world.polling().enter()
    client.subscribe("/a")
    poll = client.connect()
    for number in (1, 2):
        world.publish("/a", number)
    assert poll.held
    world.advance(5.1)
    assert client.data == [2]


def test_the_application_chooses_the_form() -> None:
    world = World().use(TimeStamp(lambda: EPOCH, datetime.isoformat))
    assert world.polling().handshake()["timestamp"] == "2026-11-22T17:33:18+00:00"


def test_a_goodbye_over_http_has_it(world: World) -> None:
    client = world.polling().enter()
    poll = client.connect()
    world.dismiss(client.session)
    assert [message["timestamp"] for message in poll.messages] == [THEN] * 2


def test_messages_with_the_handshake_have_it() -> None:
    world = World(with_handshake=True).use(TimeStamp(lambda: EPOCH))

    @world.services.on_join
    def welcome(session: Session) -> None:
        world.deliver(session, "/a", 1)

    client = world.polling()
    client.handshake()
    assert client.deliveries == [{"channel": "/a", "data": 1, "timestamp": THEN}]


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 5, 0, 0, 0, tzinfo=UTC), "Mon Jan 05 00:00:00 UTC 2026"),
        (datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC), "Thu Feb 29 23:59:59 UTC 2024"),
        (datetime(2027, 12, 31, 9, 8, 7, tzinfo=UTC), "Fri Dec 31 09:08:07 UTC 2027"),
    ],
)
def test_the_form_of_the_reference_server(moment: datetime, text: str) -> None:
    assert reference_format(moment) == text


@pytest.mark.parametrize("month", range(1, 13))
def test_each_month_has_its_name(month: int) -> None:
    moment = datetime(2026, month, 5, 1, 2, 3, tzinfo=UTC)
    name = format_datetime(moment).split()[2]
    assert reference_format(moment).split()[1:] == [name, "05", "01:02:03", "UTC", "2026"]


@pytest.mark.parametrize("day", range(1, 8))
def test_each_weekday_has_its_name(day: int) -> None:
    moment = datetime(2026, 11, day, tzinfo=UTC)
    assert reference_format(moment).split()[0] == format_datetime(moment).partition(",")[0]
