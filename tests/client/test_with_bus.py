"""The client and the bus, face to face in a world without sockets and sleep."""

from collections.abc import Callable

import msgspec
import pytest

from mirant.client.events import Delivered, SessionOpened, TransportUnwanted, TransportWanted
from mirant.client.options import ClientOptions
from mirant.client.protocol import ClientProtocol
from mirant.client.sending import Envelope
from mirant.client.states import ClientState
from mirant.extensions.ack import Ack
from mirant.testing import Poll, SocketClient, World

HOUR = 3_600.0


class Face:
    """A client over one transport of a world. What it received is in `data`."""

    def __init__(self, world: World, connection_type: str, *, ack: bool = False) -> None:
        self.world = world
        self.protocol = ClientProtocol(connection_type, ClientOptions(ack=ack))
        self.data: list[object] = []
        self.sessions = 0

    def begin(self) -> None:
        """Subscribe and shake hands."""
        self.protocol.subscribe("/news", self.world.now)
        self.protocol.handshake(self.world.now)
        self.settle()

    def settle(self) -> None:
        """Do what the protocol wants, until it wants nothing."""
        while (events := self.protocol.events()) or (envelopes := self.protocol.to_send()):
            for event in events:
                if isinstance(event, Delivered):
                    self.data.append(msgspec.json.decode(event.message.data))
                elif isinstance(event, SessionOpened):
                    self.sessions += 1
                elif isinstance(event, TransportWanted):
                    self.open()
                elif isinstance(event, TransportUnwanted):
                    self.close()
            if not events:
                for envelope in envelopes:
                    self.send(envelope)
            self.read()

    def run(self, seconds: float) -> None:
        """Let time pass for both sides, from deadline to deadline."""
        end = self.world.now + seconds
        while self.world.now < end:
            deadlines = (self.protocol.next_deadline(), self.world.core.next_deadline(), end)
            until = min(deadline for deadline in deadlines if deadline is not None)
            self.world.advance(max(0.0, until - self.world.now))
            self.read()
            self.protocol.advance(self.world.now)
            self.settle()

    def publish(self, data: object) -> None:
        """Let the application publish."""
        self.world.publish("/news", data)
        self.read()
        self.settle()

    def open(self) -> None:
        """Open the transport."""
        self.protocol.opened(self.world.now)

    def close(self) -> None:
        """Close the transport."""

    def send(self, envelope: Envelope) -> None:
        """Send one body."""
        raise NotImplementedError

    def read(self) -> None:
        """Take what came."""
        raise NotImplementedError

    def cut(self) -> None:
        """Break the transport on both sides."""
        raise NotImplementedError


class SocketFace(Face):
    """Over a WebSocket at a time."""

    socket: SocketClient | None = None

    def __init__(self, world: World, *, ack: bool = False) -> None:
        super().__init__(world, "websocket", ack=ack)

    def open(self) -> None:
        self.socket = self.world.socket()
        self.taken = 0
        super().open()

    def close(self) -> None:
        if self.socket is not None:
            self.socket.drop()
            self.socket = None

    def send(self, envelope: Envelope) -> None:
        assert self.socket is not None
        self.socket.send_text(envelope.body)

    def read(self) -> None:
        while self.socket is not None and self.taken < len(self.socket.frames):
            frame = self.socket.frames[self.taken]
            self.taken += 1
            self.protocol.receive(msgspec.json.encode(frame), self.world.now)

    def cut(self) -> None:
        self.close()
        self.protocol.lost("it broke", self.world.now)
        self.settle()


class PollingFace(Face):
    """Over long-polling, with a connection for connects and one for the rest."""

    def __init__(self, world: World, *, ack: bool = False) -> None:
        super().__init__(world, "long-polling", ack=ack)
        self.browser = world.polling()
        self.polls: list[tuple[Poll, Envelope]] = []

    def send(self, envelope: Envelope) -> None:
        self.polls.append((self.browser.post(envelope.body), envelope))

    def read(self) -> None:
        answered = [(poll, envelope) for poll, envelope in self.polls if not poll.held]
        self.polls = [(poll, envelope) for poll, envelope in self.polls if poll.held]
        assert len(self.polls) <= 1
        for poll, envelope in answered:
            self.protocol.receive(poll.body, self.world.now, answer_to=envelope)

    def cut(self) -> None:
        for poll, envelope in self.polls:
            poll.hang_up()
            self.protocol.failed(envelope, "it broke", self.world.now)
        self.polls.clear()
        self.settle()


Faces = Callable[..., Face]

both = pytest.mark.parametrize("face", [SocketFace, PollingFace])


@both
def test_a_quiet_day_costs_one_session_and_loses_nothing(face: Faces) -> None:
    world = World(timeout=30, max_interval=10)
    client = face(world)
    client.begin()
    for hour in range(24):
        client.run(HOUR)
        client.publish(hour)

    assert client.data == list(range(24))
    assert client.sessions == 1
    assert client.protocol.state is ClientState.CONNECTED


@both
def test_connections_break_and_acknowledged_messages_all_arrive(face: Faces) -> None:
    world = World(timeout=30, max_interval=60).use(Ack())
    client = face(world, ack=True)
    client.begin()
    for number in range(20):
        client.publish(2 * number)
        client.cut()
        world.publish("/news", 2 * number + 1)  # while the client is away
        client.run(5)

    assert list(dict.fromkeys(client.data)) == list(range(40))
    assert client.sessions == 1


@both
def test_a_session_that_expired_is_made_anew_with_its_subscriptions(face: Faces) -> None:
    world = World(timeout=30, max_interval=10)
    client = face(world)
    client.begin()
    client.cut()
    world.advance(HOUR)  # the client's machine sleeps
    assert world.is_empty()
    client.run(60)
    client.publish("back")

    assert client.data == ["back"]
    assert client.sessions == 2


@both
def test_a_session_that_the_application_ends_is_over(face: Faces) -> None:
    world = World(timeout=30, max_interval=10)
    client = face(world)
    client.begin()
    world.dismiss(world.core.sessions[client.protocol.client_id or ""])
    client.run(HOUR)

    assert client.protocol.state is ClientState.DISCONNECTED
    assert world.is_empty()


@both
def test_a_client_that_leaves_leaves_nothing_behind(face: Faces) -> None:
    world = World(timeout=30, max_interval=10)
    client = face(world)
    client.begin()
    client.protocol.disconnect(world.now)
    client.settle()

    assert client.protocol.state is ClientState.DISCONNECTED
    assert world.is_empty()
