"""ack under any losses: at least once, in order, without a gap; twice only what was not acknowledged."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mirant.extensions.ack import Ack
from mirant.options.values import MIB
from mirant.testing import Json, Poll, PollingClient, SocketClient, World

pytestmark = pytest.mark.timeout(120)

# Several of the large ones do not fit into one answer, and fewer into one turn of a WebSocket.
SIZES = st.sampled_from([1, 60_000, 150_000])


class Acknowledged(RuleBasedStateMachine):
    """A client whose requests and answers get lost, in a world that publishes numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(max_interval=1_000, max_outbox=64 * MIB).use(Ack())
        self.browser: PollingClient = self.world.polling()
        self.browser.handshake(ext={"ack": True})
        self.socket: SocketClient | None = None
        self.poll: Poll | None = None
        self.published = 0
        #: The numbers the client has, each once, and the answer that it acknowledges next.
        self.received: list[int] = []
        self.batch = self.former = 0  # and the one before, which it has too
        #: The messages of an answer over a WebSocket that is still to come.
        self.partial: list[int] = []
        self.seen = 0
        self.lost_an_answer = False
        self.connect()
        self.browser.subscribe("/a")

    # --- What the client does ---

    def read(self, messages: list[Json]) -> None:
        """Take what arrived; an answer to a connect completes what came before it."""
        for message in messages:
            if "data" in message:
                self.partial.append(message["data"][0])
            elif message["channel"] == "/meta/connect" and message["successful"]:
                self.former, self.batch = self.batch, message["ext"]["ack"]
                self.keep(self.partial)
                self.partial = []

    def keep(self, numbers: list[int]) -> None:
        """Add *numbers* to what the client has: they go on where that ends, or repeat a part of it."""
        if not numbers:
            return
        assert numbers == list(range(numbers[0], numbers[-1] + 1)), "in order, without a gap"
        first_new = len(self.received)
        assert numbers[0] <= first_new, f"{first_new} is missing"
        if not self.lost_an_answer:
            assert numbers[0] == first_new, "sent again though no answer was lost"
        self.received += range(first_new, numbers[-1] + 1)
        # Answers become smaller while they are lost, so what was sent again may end before what is there.
        if numbers[-1] + 1 == len(self.received):
            self.lost_an_answer = False

    def poll_answered(self) -> None:
        if self.poll is not None and not self.poll.held:
            answered, self.poll = self.poll, None
            self.partial = []
            self.read(answered.messages)

    def read_socket(self) -> None:
        if self.socket is not None:
            new = self.socket.messages[self.seen :]
            self.seen += len(new)
            self.read(new)

    def leave_socket(self) -> None:
        if self.socket is not None:
            self.socket.drop()
            self.socket, self.seen, self.partial = None, 0, []

    @property
    def ext(self) -> Json:
        return {"ack": self.batch}

    @rule()
    def connect(self) -> None:
        """Connect by polling, whatever became of a WebSocket; read the answer if it is there."""
        self.forget_socket()
        self.poll = self.browser.connect(ext=self.ext)
        self.poll_answered()

    @rule()
    def connect_on_a_socket(self) -> None:
        self.poll = None
        if self.socket is None:
            self.socket = self.world.socket(self.browser)
        if not self.socket.connection.stalled and self.socket.closed is None:
            self.socket.connect(ext=self.ext)
            self.read_socket()

    @rule()
    def the_answer_is_lost(self) -> None:
        """The request is processed and answered, and the answer does not reach the client."""
        self.forget_socket()
        self.poll = None
        lost = self.browser.connect(ext=self.ext)
        if lost.held:
            lost.hang_up()
        self.lost_an_answer = True

    @rule()
    def the_next_answer_is_lost(self) -> None:
        """The client is gone while its poll is held, and the server does not know it."""
        if self.poll is not None:
            self.poll = None
            self.lost_an_answer = True

    @rule()
    def hang_up(self) -> None:
        if self.poll is not None and self.poll.held:
            self.poll.hang_up()
            self.poll = None

    @rule()
    def an_old_connect_arrives_late(self) -> None:
        """It was overtaken: it acknowledges less than is known, and nobody reads its answer."""
        if self.socket is None:
            self.browser.connect(ext={"ack": self.former})
            self.poll = None
            self.lost_an_answer = True

    @rule()
    def a_connect_says_nothing(self) -> None:
        self.forget_socket()
        self.lost_an_answer = self.lost_an_answer or self.poll is not None
        self.poll = self.browser.connect()
        self.lost_an_answer = True  # it was not acknowledged, which is the same to the server
        self.poll_answered()
        self.lost_an_answer = True

    @rule()
    def break_the_socket(self) -> None:
        self.lost_an_answer = self.lost_an_answer or self.socket is not None
        self.leave_socket()

    @rule()
    def stall(self) -> None:
        if self.socket is not None:
            self.socket.stall()
            self.lost_an_answer = True

    @rule()
    def read_on(self) -> None:
        if self.socket is not None:
            self.socket.read_on()
            self.read_socket()

    @rule()
    def forget_socket(self) -> None:
        """Go on as if it were dead, which the server does not know."""
        if self.socket is not None:
            self.socket.stall()
            self.socket, self.seen, self.partial = None, 0, []
            self.lost_an_answer = True

    # --- What the world does ---

    @rule(sizes=st.lists(SIZES, min_size=1, max_size=5))
    def publish(self, sizes: list[int]) -> None:
        with self.world.tick():
            for size in sizes:
                self.world.publish("/a", [self.published, "x" * size])
                self.published += 1
        self.poll_answered()
        self.read_socket()

    @rule(seconds=st.sampled_from([1.0, 31.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.world.advance(seconds)
        self.poll_answered()
        self.read_socket()

    @invariant()
    def the_client_has_a_beginning_of_what_was_published(self) -> None:
        assert self.received == list(range(len(self.received)))
        assert len(self.received) <= self.published

    def teardown(self) -> None:
        self.forget_socket()
        self.lost_an_answer = True
        for _ in range(200):
            self.poll = self.browser.connect(ext=self.ext, advice={"timeout": 0})
            self.lost_an_answer = True
            self.poll_answered()
            if len(self.received) == self.published:
                break
        assert self.received == list(range(self.published)), "everything arrives in the end"
        for _ in range(200):  # what came with an answer that was not acknowledged comes again
            self.poll = self.browser.connect(ext=self.ext, advice={"timeout": 0})
            self.lost_an_answer = True
            self.poll_answered()
            if self.browser.session.outbox.reserved == 0:
                break
        assert len(self.browser.session.outbox) == 0
        assert self.browser.session.outbox.reserved == 0
        self.browser.disconnect()
        self.world.advance(1_000)
        assert self.world.is_empty()


Acknowledged.TestCase.settings = settings(max_examples=120, stateful_step_count=30)
TestAcknowledged = Acknowledged.TestCase
