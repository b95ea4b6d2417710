"""Any dialogue of a few clients, with links that break: nothing lost, doubled, reordered or misdirected."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mirant.testing import Client, Poll, PollingClient, SocketClient, World
from tests.properties.names import matches

# Five seconds of work; a machine that does other things too may need a minute.
pytestmark = pytest.mark.timeout(120)

CHANNELS = st.sampled_from(["/a", "/a/b", "/a/b/c", "/d"])
PATTERNS = st.sampled_from(["/a", "/a/b", "/a/*", "/a/**", "/d", "/*", "/**"])
PEERS = st.integers(0, 2)

#: A session that was heard of more recently than this must be alive.
SURE = 9.9


class Peer:
    """One client with one session at a time, on whichever transport, and what it should have received."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.browser: PollingClient = world.polling()
        self.socket: SocketClient | None = None
        self.poll: Poll | None = None
        self.first_pattern = "/**"
        self.patterns: set[str] = set()
        self.expected: list[tuple[str, int]] = []
        self.published = 0
        self.heard = 0.0
        self.ended = True

    def begin(self) -> None:
        """Handshake, and forget what the last session was about."""
        self.leave_socket()
        self.poll = None
        self.browser.messages.clear()
        self.expected, self.patterns, self.ended = [], {self.first_pattern}, False
        self.browser.enter()
        assert self.browser.subscribe(self.first_pattern)["successful"]
        self.speak()

    @property
    def alive(self) -> bool:
        return not self.ended and self.browser.alive

    @property
    def reading(self) -> bool:
        return self.socket is None or not self.socket.connection.stalled

    @property
    def client(self) -> Client:
        return self.browser if self.socket is None else self.socket

    def speak(self) -> None:
        """Take note that the server heard of us just now."""
        self.heard = self.world.now

    @property
    def holding(self) -> bool:
        return self.alive and self.browser.session.held is not None

    def open_socket(self) -> None:
        """Go on over a new socket, whatever became of the last."""
        self.socket = self.world.socket(self.browser)
        self.socket.messages = self.browser.messages
        self.socket.connect()
        self.speak()

    def leave_socket(self) -> None:
        """Break the socket, if there is one."""
        if self.socket is not None:
            was_holding = self.holding
            self.socket.drop()
            self.socket = None
            if was_holding and not self.holding:
                self.speak()  # its end is a sign of life too: the clock starts then

    def drain(self) -> None:
        """Fetch by polling everything that waits."""
        self.leave_socket()
        for _ in range(3):
            self.browser.connect(advice={"timeout": 0})
        self.poll = None

    @property
    def received(self) -> list[tuple[str, int]]:
        return [(who, number) for who, number in self.browser.data]


class Dialogue(RuleBasedStateMachine):
    @initialize(patterns=st.tuples(PATTERNS, PATTERNS, PATTERNS))
    def begin(self, patterns: tuple[str, str, str]) -> None:
        self.world = World(timeout=30, max_interval=10)
        self.peers = [Peer(self.world, name) for name in ("ann", "bob", "eve")]
        self.server_published = 0
        for peer, pattern in zip(self.peers, patterns, strict=True):
            peer.first_pattern = pattern
            peer.begin()

    def living(self, number: int) -> Peer:
        """Return a peer whose session lives: what it does without one is other tests' business."""
        peer = self.peers[number]
        if not peer.alive:
            peer.begin()
        return peer

    def expect(self, channel: str, item: tuple[str, int]) -> None:
        for peer in self.peers:
            if peer.alive and any(matches(pattern, channel) for pattern in peer.patterns):
                peer.expected.append(item)

    @rule(number=PEERS)
    def connect(self, number: int) -> None:
        peer = self.living(number)
        if peer.reading:
            peer.speak()
            if peer.socket is not None:
                peer.socket.connect()
            else:
                peer.poll = peer.browser.connect()

    @rule(number=PEERS)
    def open_a_socket(self, number: int) -> None:
        self.living(number).open_socket()

    @rule(number=PEERS)
    def break_the_socket(self, number: int) -> None:
        self.peers[number].leave_socket()

    @rule(number=PEERS)
    def forget_the_socket_and_poll(self, number: int) -> None:
        peer = self.living(number)
        if peer.socket is not None:
            peer.socket.stall()  # it is dead, and the server does not know
            peer.socket = None
            peer.speak()
            peer.poll = peer.browser.connect()

    @rule(number=PEERS)
    def stall(self, number: int) -> None:
        socket = self.peers[number].socket
        if socket is not None:
            socket.stall()

    @rule(number=PEERS)
    def read_on(self, number: int) -> None:
        socket = self.peers[number].socket
        if socket is not None:
            socket.read_on()

    @rule(number=PEERS)
    def hang_up(self, number: int) -> None:
        peer = self.peers[number]
        if peer.poll is not None and peer.poll.held:
            was_holding = peer.holding
            peer.poll.hang_up()
            if was_holding and not peer.holding:
                peer.speak()
        peer.poll = None

    @rule(number=PEERS, pattern=PATTERNS)
    def subscribe(self, number: int, pattern: str) -> None:
        peer = self.living(number)
        if peer.reading:
            assert peer.client.subscribe(pattern)["successful"]
            peer.speak()
            peer.patterns.add(pattern)

    @rule(number=PEERS, pattern=PATTERNS)
    def unsubscribe(self, number: int, pattern: str) -> None:
        peer = self.living(number)
        if peer.reading:
            known = any(pattern in other.patterns for other in self.peers if other.alive)
            assert peer.client.unsubscribe(pattern)["successful"] is known
            peer.speak()
            peer.patterns.discard(pattern)

    @rule(number=PEERS, channels=st.lists(CHANNELS, min_size=1, max_size=4))
    def publish(self, number: int, channels: list[str]) -> None:
        peer = self.living(number)
        if peer.reading:
            for channel in channels:
                peer.published += 1
                item = (peer.name, peer.published)
                self.expect(channel, item)
                assert peer.client.publish(channel, item)["successful"]
            peer.speak()

    @rule(channels=st.lists(CHANNELS, min_size=1, max_size=4))
    def publish_from_the_server_in_one_turn(self, channels: list[str]) -> None:
        with self.world.tick():
            for channel in channels:
                self.server_published += 1
                item = ("server", self.server_published)
                self.expect(channel, item)
                self.world.publish(channel, item)

    @rule(number=PEERS)
    def disconnect(self, number: int) -> None:
        peer = self.peers[number]
        if peer.alive and peer.reading:
            assert peer.client.disconnect()["successful"]
            peer.ended = True

    @rule(number=PEERS)
    def dismiss(self, number: int) -> None:
        peer = self.peers[number]
        if peer.alive:
            self.world.dismiss(peer.browser.session)
            peer.ended = True

    @rule(seconds=st.sampled_from([0.01, 0.5, 1.0, 4.0, 9.0, 31.0]))
    def let_time_pass(self, seconds: float) -> None:
        holding = [peer for peer in self.peers if peer.holding]
        self.world.advance(seconds)
        for peer in holding:
            if peer.holding:
                peer.speak()

    @precondition(lambda self: hasattr(self, "peers"))
    @invariant()
    def everybody_has_received_a_beginning_of_what_they_should(self) -> None:
        for peer in self.peers:
            received = peer.received
            assert received == peer.expected[: len(received)], peer.name

    @precondition(lambda self: hasattr(self, "peers"))
    @invariant()
    def nobody_who_was_heard_of_lately_has_expired(self) -> None:
        for peer in self.peers:
            if not peer.ended and self.world.now - peer.heard < SURE:
                assert peer.browser.alive, peer.name

    def teardown(self) -> None:
        if not hasattr(self, "peers"):
            return
        for peer in self.peers:
            if peer.alive:
                peer.drain()
                assert peer.received == peer.expected, peer.name
        self.world.advance(1_000)
        assert self.world.is_empty()


Dialogue.TestCase.settings = settings(max_examples=150, stateful_step_count=40)
TestDialogue = Dialogue.TestCase
