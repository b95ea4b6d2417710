"""Options of a bus, of single channels and of single sessions: which one decides, and what it does."""

from typing import Any

import pytest

from mirant.bayeux.channels import Channel, Pattern
from mirant.bayeux.messages import Delivery, Message, Reply
from mirant.bus import channel_options as module
from mirant.bus.channel_options import ChannelOptions, ChannelTable
from mirant.bus.extension import Extension
from mirant.bus.session import Session
from mirant.bus.turn import Turn
from mirant.testing import Client, Json, World, reply_to

TRANSPORTS = pytest.mark.parametrize("transport", ["polling", "socket"])


@pytest.fixture
def world() -> World:
    return World()


def entered(world: World, transport: str) -> Client:
    """Return a client on *transport* that subscribed to everything below /a and /b."""
    client: Any = getattr(world, transport)()
    client.enter()
    client.subscribe(["/a/**", "/b/**"])
    assert isinstance(client, Client)
    return client


# --- Echo ---


@TRANSPORTS
def test_a_publisher_gets_its_own_message_unless_told_otherwise(world: World, transport: str) -> None:
    client = entered(world, transport)
    client.publish("/a/1", 1)
    assert client.data == [1]


@TRANSPORTS
def test_echo_is_an_option_of_the_bus(transport: str) -> None:
    client = entered(World(echo=False), transport)
    assert client.publish("/a/1", 1)["successful"]
    assert client.data == []


@TRANSPORTS
def test_echo_is_an_option_of_channels(world: World, transport: str) -> None:
    world.channel("/a/**", echo=False).channel("/a/x", echo=True)
    client = entered(world, transport)
    for channel in ("/a/1", "/a/x", "/b/1"):
        client.publish(channel, channel)
    assert client.data == ["/a/x", "/b/1"]


@TRANSPORTS
def test_echo_is_an_option_of_sessions(world: World, transport: str) -> None:
    @world.services.on_join
    def quiet(session: Session) -> None:
        session.echo = False

    client = entered(world, transport)
    client.publish("/a/1", 1)
    assert client.data == []


def test_a_channel_that_says_so_echoes_though_the_bus_does_not() -> None:
    client = entered(World(echo=False).channel("/a/*", echo=True), "socket")
    client.publish("/a/1", 1)
    assert client.data == [1]


def test_without_echo_the_others_get_the_message(world: World) -> None:
    world.channel("/a/**", echo=False)
    publisher, other = entered(world, "socket"), entered(world, "polling")
    publisher.publish("/a/1", 1)
    other.say("/b/none", data=0)
    assert publisher.data == [0]
    assert other.data == [1, 0]


def test_what_the_server_publishes_has_no_publisher(world: World) -> None:
    world.channel("/a/**", echo=False)
    client = entered(world, "socket")
    assert world.publish("/a/1", 1) == 1
    assert client.data == [1]


# --- Persistent ---


def test_to_unsubscribe_from_a_channel_that_nobody_uses_is_an_error(world: World) -> None:
    client = world.polling().enter()
    assert client.unsubscribe("/a")["error"] == "400::channel_missing"


def test_unless_the_channel_is_persistent(world: World) -> None:
    world.channel("/a", persistent=True)
    client = world.polling().enter()
    assert client.unsubscribe("/a")["successful"]
    assert client.unsubscribe("/a/*")["error"] == "400::channel_missing"


# --- Patterns ---


@pytest.mark.parametrize("order", [("/**", "/a/**", "/a/*"), ("/a/*", "/a/**", "/**")])
def test_the_narrowest_pattern_that_says_something_decides(order: tuple[str, ...]) -> None:
    world = World()
    echo = {"/**": False, "/a/**": True, "/a/*": None}
    for pattern in order:
        world.channel(pattern, echo=echo[pattern])
    client = entered(world, "socket")
    for channel in ("/a/1", "/a/1/2", "/b/1"):
        client.publish(channel, channel)
    assert client.data == ["/a/1", "/a/1/2"]


def test_options_set_later_hold_from_then_on(world: World) -> None:
    client = entered(world, "socket")
    client.publish("/a/1", 1)
    world.channel("/a/1", echo=False)
    client.publish("/a/1", 2)
    assert client.data == [1]


# --- Messages with answers to connects only ---


def only_connects(session: Session) -> None:
    session.connect_only = True


@pytest.fixture(params=["bus", "session"])
def strict(request: pytest.FixtureRequest) -> World:
    """Return a world in which messages leave with answers to connects only."""
    if request.param == "bus":
        return World(connect_only=True)
    world = World()
    world.services.on_join(only_connects)
    return world


@TRANSPORTS
def test_messages_wait_for_a_connect(strict: World, transport: str) -> None:
    client = entered(strict, transport)
    client.publish("/a/1", 1)
    strict.publish("/a/1", 2)
    assert client.data == []
    client.say("/meta/connect", advice={"timeout": 0})
    assert client.data == [1, 2]


@TRANSPORTS
def test_a_message_releases_the_connect_that_is_held(strict: World, transport: str) -> None:
    client: Any = entered(strict, transport)
    client.messages.clear()
    client.connect()
    strict.publish("/a/1", 1)
    assert [message["channel"] for message in client.messages] == ["/a/1", "/meta/connect"]


def test_a_socket_that_broke_leaves_what_it_did_not_send(strict: World) -> None:
    client: Any = entered(strict, "socket")
    client.connect()
    client.stall()
    strict.publish("/a/1", 1)
    client.drop()
    successor = strict.socket(client)
    successor.connect()
    assert successor.data == [1]


# --- Messages with the handshake ---


def welcomed(**options: Any) -> World:
    """Return a world that has two messages for each client who comes."""
    world = World(**options)

    @world.services.on_join
    def welcome(session: Session) -> None:
        world.deliver(session, "/welcome", 1)
        world.deliver(session, "/service/welcome", 2)

    return world


@TRANSPORTS
def test_messages_follow_the_handshakes_reply_which_counts_them(transport: str) -> None:
    client: Client = getattr(welcomed(with_handshake=True), transport)()
    reply = client.handshake()
    assert client.messages[0] == reply
    assert reply["x-messages"] == 2
    assert client.data == [1, 2]


@TRANSPORTS
def test_without_messages_there_is_nothing_to_count(transport: str) -> None:
    client: Client = getattr(World(with_handshake=True), transport)()
    assert not client.handshake().get("x-messages")


@TRANSPORTS
def test_the_count_is_that_of_the_messages_that_come(transport: str) -> None:
    world = World(with_handshake=True)

    @world.services.on_join
    def welcome(session: Session) -> None:
        for number in range(20):
            world.deliver(session, "/welcome", [number, "x" * 50_000])

    client: Any = getattr(world, transport)()
    reply = client.handshake()
    assert reply["x-messages"] == len(client.data)
    while len(client.data) < 20:
        client.connect(advice={"timeout": 0})
    assert [number for number, _ in client.data] == list(range(20))


@TRANSPORTS
def test_by_default_they_wait_for_the_connect(transport: str) -> None:
    client: Any = getattr(welcomed(), transport)()
    reply = client.handshake()
    assert client.messages == [reply]
    assert "x-messages" not in reply
    client.connect()
    assert client.data == [1, 2]


def test_a_handshake_that_is_refused_carries_none() -> None:
    world = welcomed(with_handshake=True)
    world.services.authenticate(lambda handshake: None)
    client = world.polling()
    client.handshake()
    assert client.data == []


# --- Options of one session ---


def test_the_timeout_of_one_session(world: World) -> None:
    patient, hasty = world.polling().enter(), world.polling().enter()
    hasty.session.timeout = 2.0
    polls = patient.connect(), hasty.connect()
    world.advance(2.1)
    assert [poll.held for poll in polls] == [True, False]


def test_the_maximum_interval_of_one_session(world: World) -> None:
    lasting, brief = world.polling().enter(), world.polling().enter()
    lasting.session.max_interval = 60.0
    lasting.connect(advice={"timeout": 0})
    world.advance(30)
    assert (lasting.alive, brief.alive) == (True, False)


class Shouting(Extension):
    """An extension of one session, which sees everything of that session."""

    def __init__(self) -> None:
        self.seen: list[str | None] = []

    def incoming(self, message: Message, turn: Turn, now: float) -> None:
        self.seen.append(message.channel)

    def outgoing(self, reply: Reply, message: Message, turn: Turn, now: float) -> None:
        reply.ext = {"loud": True}

    def delivering(self, delivery: Delivery, session: Session, now: float) -> Delivery | None:
        if delivery.channel == "/a/quiet":
            return None
        return delivery.with_fields(b'"loud":true')


def shouting(world: World, transport: str = "socket") -> tuple[Client, Shouting]:
    client, extension = entered(world, transport), Shouting()
    session = world.core.sessions[client.client_id or ""]
    session.extensions = (extension,)
    client.messages.clear()
    return client, extension


@TRANSPORTS
def test_an_extension_of_one_session_changes_what_that_gets_alone(world: World, transport: str) -> None:
    client, _ = shouting(world, transport)
    other = entered(world, transport)
    world.publish("/a/1", 1)
    for each in (client, other):
        each.say("/meta/connect", advice={"timeout": 0})
    assert client.deliveries == [{"channel": "/a/1", "data": 1, "loud": True}]
    assert other.deliveries == [{"channel": "/a/1", "data": 1}]


def test_it_sees_the_messages_of_that_session_alone(world: World) -> None:
    client, extension = shouting(world)
    other = entered(world, "socket")
    assert client.publish("/a/1", 1)["ext"] == {"loud": True}
    assert "ext" not in other.publish("/a/1", 1)
    assert extension.seen == ["/a/1"]


def test_what_it_keeps_back_the_others_get(world: World) -> None:
    client, _ = shouting(world)
    other = entered(world, "socket")
    with world.tick():
        world.publish("/a/quiet", 1)
        world.publish("/a/1", 2)
    world.publish("/a/quiet", 3)
    assert client.data == [2]
    assert other.data == [1, 2, 3]


def test_when_it_breaks_the_others_get_their_messages(world: World) -> None:
    class Broken(Extension):
        def delivering(self, delivery: Delivery, session: Session, now: float) -> Delivery | None:
            raise RuntimeError

    client, other = entered(world, "socket"), entered(world, "socket")
    world.core.sessions[client.client_id or ""].extensions = (Broken(),)
    with world.tick():
        world.publish("/a/1", 1)
        world.publish("/b/1", 2)
    assert other.data == [1, 2]


def test_what_is_delivered_to_one_session_passes_its_extension(world: World) -> None:
    client, _ = shouting(world)
    session = world.core.sessions[client.client_id or ""]
    world.deliver(session, "/service/hint", 1)
    assert client.deliveries == [{"channel": "/service/hint", "data": 1, "loud": True}]


def test_connect_replies_are_completed_when_they_leave(world: World) -> None:
    client: Any
    client, _ = shouting(world)
    message: Json = client.connect()
    world.advance(31)
    assert reply_to(message, client.messages)["ext"] == {"loud": True}


A_B = Channel.parse("/a/b")


@pytest.fixture
def table() -> ChannelTable:
    return ChannelTable()


def give(table: ChannelTable, pattern: str, **options: float | bool | None) -> None:
    table.set(Pattern.parse(pattern), ChannelOptions(**options))  # type: ignore[arg-type]  # any of them


def test_without_patterns_nothing_is_said(table: ChannelTable) -> None:
    assert table.of(A_B) == ChannelOptions()


def test_the_narrowest_pattern_that_says_something_decides_each_option(table: ChannelTable) -> None:
    give(table, "/**", lazy=3.0, echo=True, history=7)
    give(table, "/a/**", lazy=2.0, echo=False)
    give(table, "/a/b", lazy=0.0)
    assert table.of(A_B) == ChannelOptions(lazy=0.0, echo=False, history=7)


def test_what_was_asked_before_a_pattern_came_is_asked_again(table: ChannelTable) -> None:
    give(table, "/**", lazy=3.0)
    assert table.of(A_B).lazy == 3.0
    give(table, "/a/*", lazy=1.0)
    assert table.of(A_B).lazy == 1.0


def test_rules_decide_what_no_pattern_does(table: ChannelTable) -> None:
    asked = []

    def rules(channel: Channel) -> ChannelOptions:
        asked.append(channel)
        return ChannelOptions(lazy=9.0, echo=True)

    table.follow(rules)
    assert table.of(A_B) == ChannelOptions(lazy=9.0, echo=True)
    give(table, "/a/b", lazy=1.0)
    assert table.of(A_B) == ChannelOptions(lazy=1.0, echo=True)
    assert asked == [A_B, A_B]


def test_other_rules_are_asked_anew(table: ChannelTable) -> None:
    table.follow(lambda channel: ChannelOptions(lazy=1.0))
    assert table.of(A_B).lazy == 1.0
    table.follow(lambda channel: ChannelOptions(lazy=2.0))
    assert table.of(A_B).lazy == 2.0
    table.follow(None)
    assert table.of(A_B).lazy is None


@pytest.mark.parametrize("name", ["/a/b", "/a/*", "/**"])
def test_a_channel_exists_if_it_is_persistent_and_a_pattern_does_not(table: ChannelTable, name: str) -> None:
    assert table.exists(Pattern.parse(name)) is False
    give(table, "/**", persistent=True)
    assert table.exists(Pattern.parse(name)) is (name == "/a/b")
    give(table, "/**", persistent=False)
    assert table.exists(Pattern.parse(name)) is False


def test_the_options_that_are_kept_are_bounded(table: ChannelTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_KEPT", 10)
    give(table, "/**", lazy=1.0)
    for number in range(100):
        assert table.of(Channel.parse(f"/{number}")).lazy == 1.0
        assert len(table._kept) <= 10
