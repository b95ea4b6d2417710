"""How long a session lives and how it ends. Nothing of it is left afterwards (reference: 2.6 and 2.12)."""

import pytest

from mirant.bus.session import Ending, Session
from mirant.testing import Later, World, reply_to


@pytest.fixture
def world() -> World:
    return World()


def test_a_session_expires_unless_it_is_heard_of_after_its_handshake(world: World) -> None:
    client = world.polling()
    client.handshake()
    world.advance(9.9)
    assert client.alive
    world.advance(0.2)
    assert not client.alive


def test_a_session_expires_unless_the_next_connect_comes(world: World) -> None:
    client = world.polling().enter()
    world.advance(8)
    client.connect()
    world.advance(30 + 9.9)
    assert client.alive
    world.advance(0.2)
    assert not client.alive


def test_while_its_connect_is_held_a_session_does_not_expire() -> None:
    world = World(timeout=120)
    client = world.polling().enter()
    poll = client.connect()
    world.advance(119)
    assert client.alive
    assert poll.held


def test_any_message_puts_off_the_expiry(world: World) -> None:
    client = world.polling().enter()
    for _ in range(5):
        world.advance(8)
        assert client.publish("/a", 1)["successful"]
    world.advance(9.9)
    assert client.alive
    world.advance(0.2)
    assert not client.alive


def test_a_message_does_not_bring_the_expiry_nearer() -> None:
    world = World(interval=60)
    client = world.polling().enter()
    world.advance(1)
    client.publish("/a", 1)
    world.advance(60)
    assert client.alive


def test_the_pause_that_a_client_asks_for_is_added_once(world: World) -> None:
    client = world.polling().enter()
    client.connect(advice={"timeout": 0, "interval": 20_000})
    world.advance(29)
    assert client.alive
    client.connect(advice={"timeout": 0})
    world.advance(11)
    assert not client.alive


def test_a_client_cannot_ask_for_a_life_without_end(world: World) -> None:
    client = world.polling().enter()
    client.connect(advice={"timeout": 0, "interval": int("9" * 400)})
    world.advance(60 + 10 + 1)
    assert not client.alive


def test_a_message_with_a_wrong_client_id_puts_off_nothing(world: World) -> None:
    client, stranger = world.polling().enter(), world.polling().enter()
    world.advance(9)
    stranger.ask(stranger.message("/a", data=1), client.message("/a", data=1))
    world.advance(2)
    assert not client.alive
    assert stranger.alive


def test_a_socket_that_closes_starts_the_clock(world: World) -> None:
    client = world.socket().enter()
    client.connect()
    world.advance(20)
    client.drop()
    world.advance(9.9)
    assert client.alive
    world.advance(0.2)
    assert not client.alive


def test_a_poll_whose_client_hung_up_starts_the_clock(world: World) -> None:
    client = world.polling().enter()
    poll = client.connect()
    poll.hang_up()
    world.advance(10.1)
    assert not client.alive


def test_publishes_to_a_session_do_not_keep_it_alive(world: World) -> None:
    client = world.socket().enter()
    client.subscribe("/a")
    client.drop()
    for number in range(12):
        world.publish("/a", number)
        world.advance(1)
    assert not client.alive
    assert world.is_empty()


def test_disconnect_is_answered_and_ends_the_session(world: World) -> None:
    client = world.polling().enter()
    assert client.disconnect() == {"channel": "/meta/disconnect", "id": "3", "successful": True}
    assert not client.alive
    assert client.disconnect()["error"] == "402::session_unknown"


def test_disconnect_releases_the_held_connect_with_advice_to_stay_away(world: World) -> None:
    client = world.polling().enter()
    poll = client.connect()
    client.disconnect()
    assert poll.messages == [
        {"channel": "/meta/connect", "id": "3", "successful": True, "advice": {"reconnect": "none"}}
    ]


def test_on_a_socket_the_held_connect_is_answered_before_the_disconnect(world: World) -> None:
    client = world.socket().enter()
    connect = client.connect()
    client.disconnect()
    assert [message["channel"] for message in client.messages[-2:]] == ["/meta/connect", "/meta/disconnect"]
    assert reply_to(connect, client.messages)["advice"] == {"reconnect": "none"}


def test_messages_after_a_disconnect_in_the_same_body_are_refused(world: World) -> None:
    client, bob = world.polling().enter(), world.socket().enter()
    bob.subscribe("/a")
    messages = [
        client.message("/a", data=1),
        client.message("/meta/disconnect"),
        client.message("/a", data=2),
    ]
    assert [answer.get("error") for answer in client.ask(*messages)] == [None, None, "402::session_unknown"]
    assert bob.data == [1]


def test_a_dismissed_client_with_a_held_connect_is_told_to_go_away(world: World) -> None:
    client = world.polling().enter()
    poll = client.connect()
    world.dismiss(client.session)
    assert poll.messages == [
        {"channel": "/meta/disconnect", "successful": True},
        {"channel": "/meta/connect", "id": "3", "successful": True, "advice": {"reconnect": "none"}},
    ]
    assert client.connect().reply["advice"] == {"reconnect": "handshake", "interval": 0}


@pytest.mark.parametrize("holding", [True, False])
def test_a_dismissed_client_on_a_socket_is_told_at_once(world: World, *, holding: bool) -> None:
    client = world.socket().enter()
    if holding:
        connect = client.connect()
    world.dismiss(client.session)
    dismissal = {"channel": "/meta/disconnect", "successful": True}
    assert dismissal in client.messages
    if holding:
        assert reply_to(connect, client.messages)["advice"] == {"reconnect": "none"}


def test_on_a_socket_the_held_connect_is_answered_before_the_dismissal(world: World) -> None:
    """CometD's client closes the socket at a dismissal only if no connect is outstanding then."""
    client = world.socket().enter()
    client.connect()
    world.dismiss(client.session)
    assert [message["channel"] for message in client.messages[-2:]] == ["/meta/connect", "/meta/disconnect"]


def test_the_time_of_a_session_that_ended_is_not_waited_for(world: World) -> None:
    client = world.polling().enter()
    assert world.core.next_deadline() is not None
    client.disconnect()
    assert world.core.next_deadline() is None


def test_a_session_ends_once(world: World) -> None:
    told: list[str] = []

    @world.services.on_leave
    def left(session: Session) -> None:
        told.append(session.id)

    session = world.socket().enter().session
    for _ in range(2):
        world.dismiss(session)
    assert told == [session.id]
    assert world.core.statistics().ended == {"dismissed": 1}


@pytest.mark.parametrize("transport", ["polling", "socket"])
def test_what_was_sent_before_a_dismissal_arrives_before_it(world: World, transport: str) -> None:
    client = world.polling().enter() if transport == "polling" else world.socket().enter()
    client.subscribe("/news")
    client.connect()
    with world.tick():
        world.publish("/news", "last")
        world.deliver(client.session, "/goodbye", "because")
        world.dismiss(client.session)
    channels = [message["channel"] for message in client.messages]
    assert channels.index("/news") < channels.index("/goodbye") < channels.index("/meta/disconnect")


def test_the_application_learns_of_every_end_once(world: World) -> None:
    told: list[tuple[str, Ending | None]] = []

    @world.services.on_leave
    def left(session: Session) -> None:
        told.append((session.id, session.ending))

    gone, expired, dismissed = (world.polling().enter() for _ in range(3))
    world.dismiss(dismissed.session)
    gone.disconnect()
    world.advance(100)
    assert told == [
        (dismissed.client_id, Ending.DISMISSED),
        (gone.client_id, Ending.DISCONNECTED),
        (expired.client_id, Ending.EXPIRED),
    ]


def test_a_hook_that_fails_at_the_end_of_a_session_harms_nobody(world: World) -> None:
    @world.services.on_leave
    def broken(session: Session) -> None:
        raise RuntimeError

    told: list[Session] = []
    world.services.on_leave(told.append)
    clients = [world.polling().enter() for _ in range(3)]
    world.advance(100)
    assert len(told) == len(clients)
    assert world.is_empty()


def test_the_application_may_set_what_holds_for_one_session_before_its_client_knows_of_it(
    world: World,
) -> None:
    @world.services.on_join
    def patient(session: Session) -> None:
        session.timeout = 5.0
        session.max_interval = 100.0

    client = world.polling()
    assert client.handshake()["advice"]["timeout"] == 5_000
    client.connect()
    poll = client.connect()
    world.advance(5.1)
    assert poll.reply["successful"]
    world.advance(99)
    assert client.alive


def test_a_session_that_the_application_is_slow_to_welcome_is_alive_when_its_client_learns_of_it(
    world: World,
) -> None:
    later = Later()
    world.services.on_join(lambda session: later)
    client = world.polling()
    poll = client.send({"channel": "/meta/handshake"})
    world.advance(60)
    later.resolve()
    reply = poll.reply
    if reply["successful"]:
        client.client_id = reply["clientId"]
        assert client.connect().reply["successful"]
    world.advance(100)
    assert world.is_empty()


def test_nothing_is_left_of_sessions_however_they_ended(world: World) -> None:
    world.services.rpc("/echo")(lambda caller, data: data)
    for number in range(60):
        client = world.polling().enter() if number % 2 else world.socket().enter()
        client.subscribe(["/a", f"/b/{number}/*", "/**"])
        client.publish("/a", number)
        client.publish("/service/echo", number)
        if number % 3:
            client.connect()
        if number % 5 == 0:
            client.disconnect()
        elif number % 5 == 1:
            world.dismiss(client.session)
        world.advance(0.3)
    world.advance(100)
    assert world.is_empty()


def test_a_hundred_thousand_sessions_come_and_go_and_leave_nothing() -> None:
    world = World(max_sessions=100_000)
    core, carrier = world.core, world.socket().connection
    for number in range(100_000):
        world.now = 1_000.0 + number * 0.001
        core._polls.expect(core._sessions.open(carrier), world.now)
    assert len(core.sessions) == 100_000
    world.advance(200)
    assert world.is_empty()
    assert len(core._timetable._deadlines._buckets) == 0
