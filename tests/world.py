"""A bus in a world of its own: the clock is a number, the network is a list, nobody sleeps.

`World` runs a core as a host does: it takes the requests and frames of its clients, flushes at the end of
each turn and lets time pass when a test says so. What a client does here is what it does on the wire: JSON
goes through the real transports, and a test reads as a dialogue::

    world = World()
    alice = world.polling().enter()
    alice.subscribe("/news")
    poll = alice.connect()
    world.publish("/news", "rain")
    assert poll.messages == [{"channel": "/news", "data": "rain"}, {..., "successful": True}]
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

from mirant.bayeux.channels import Channel, Pattern
from mirant.bayeux.messages import Delivery
from mirant.bus.browsers import COOKIE
from mirant.bus.channel_options import ChannelOptions
from mirant.bus.clock import Clock
from mirant.bus.core import Core
from mirant.bus.extension import Extension
from mirant.bus.hooks import Pipeline
from mirant.bus.hub import at_once
from mirant.bus.outbox import Batch
from mirant.bus.request import Request
from mirant.bus.session import Session
from mirant.engines.memory import MemoryEngine
from mirant.options.settings import Settings
from mirant.policy.rule_guard import RuleGuard
from mirant.policy.rulebook import Rulebook
from mirant.services import Services
from mirant.services.face import SessionFace, behind
from mirant.transports.long_polling import Exchange
from mirant.transports.response import Response
from mirant.transports.websocket import Connection

Json = dict[str, Any]

START = 1_000.0

#: What clients send when a test does not care: as CometD's JavaScript client does.
OFFER: Mapping[str, object] = {"version": "1.0", "supportedConnectionTypes": ["websocket", "long-polling"]}


class Later:
    """A result that a hook waits for, until the test gives it."""

    def __init__(self) -> None:
        self._outcome: tuple[object, Exception | None] | None = None
        self._waiting: list[Callable[[], None]] = []

    def __await__(self) -> Generator[Later, None, Any]:
        if self._outcome is None:
            yield self
        assert self._outcome is not None, "resumed too early"
        result, error = self._outcome
        if error is not None:
            raise error
        return result

    def resolve(self, result: object = None) -> None:
        """Let whoever waits go on with *result*."""
        self._settle((result, None))

    def fail(self, error: Exception) -> None:
        """Let whoever waits go on with *error* raised."""
        self._settle((None, error))

    def then(self, callback: Callable[[], None]) -> None:
        """Have *callback* called when the result is there."""
        self._waiting.append(callback)

    def _settle(self, outcome: tuple[object, Exception | None]) -> None:
        self._outcome = outcome
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback()


class World:
    """A core, its clock and its clients. It is the core's `Host`."""

    def __init__(self, settings: Settings | None = None, **options: Any) -> None:
        """Make a bus with *settings*, or with the *options* of `Settings` that are given."""
        #: The time, in seconds. The core knows no other clock.
        self.now = START
        settings = settings or Settings(**options)
        engine = MemoryEngine(settings)
        self.core = Core(settings, self, engine, Clock(self._clock), secret=b"a secret that tests share")
        self.services = Services(self.core)
        self.flushes = 0
        #: What code in the background raised after it had waited; a real host logs it. A test fails on what
        #: is left here at its end (tests/conftest.py); one that expects a failure takes it out.
        self.failures: list[Exception] = []
        self._flush_wanted = False
        self._in_tick = False

    def _clock(self) -> float:
        return self.now

    # --- The host's side of the core ---

    def flush_soon(self) -> None:
        assert not self._flush_wanted, "the core asks once per flush"
        self._flush_wanted = True

    def wake_at(self, when: float) -> None:
        """Nothing to do: `advance` asks for the next deadline."""

    def background(self, pipeline: Pipeline) -> None:
        self._begin(pipeline, lambda: None)

    # --- What a test does ---

    @contextmanager
    def tick(self) -> Iterator[None]:
        """Let everything inside happen in one turn of the event loop, with one flush at its end."""
        self._in_tick = True
        try:
            yield
        finally:
            self._in_tick = False
        self.settle()

    def settle(self) -> None:
        """End the turn: flush until nothing is left to send."""
        while self._flush_wanted and not self._in_tick:
            self._flush_wanted = False
            self.flushes += 1
            self.core.flush(self.now)

    def advance(self, seconds: float) -> None:
        """Let time pass, and everything happen that falls due meanwhile."""
        end = self.now + seconds
        while (deadline := self.core.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.core.advance(self.now)
            self.settle()
        self.now = end

    def publish(self, channel: str, data: object) -> int:
        """Publish as the application does."""
        name = Channel.parse(channel)
        count = at_once(self.core.publish(name, Delivery.of(name, data)))
        self.settle()
        return count

    def deliver(self, session: Session | SessionFace, channel: str, data: object) -> None:
        """Send to one session as the application does."""
        self.core.deliver(_behind(session), Delivery.of(Channel.parse(channel), data))
        self.settle()

    def dismiss(self, session: Session | SessionFace) -> None:
        """End a session as the application does."""
        self.core.dismiss(_behind(session))
        self.settle()

    def use(self, *extensions: Extension) -> Self:
        """Let the bus have *extensions*, after those it has."""
        self.core.extensions.add(*extensions)
        return self

    def channel(self, pattern: str, **options: Any) -> Self:
        """Set the `ChannelOptions` of the channels that *pattern* matches."""
        self.core.hub.channels.set(Pattern.parse(pattern), ChannelOptions(**options))
        return self

    def enforce(self, book: Rulebook) -> RuleGuard:
        """Put the rules of *book* in force, and return the guard that they are."""
        guard = RuleGuard(book, self.core.hub)
        self.core.enforce(guard)
        self.settle()
        return guard

    def polling(self, *, cookies: bool = True, multiplexed: bool = False) -> PollingClient:
        """Return a new client on long-polling, which keeps cookies as browsers do unless told not to.

        One that is *multiplexed* speaks HTTP/2.
        """
        return PollingClient(self, cookies=cookies, multiplexed=multiplexed)

    def socket(self, client: Client | None = None, *, cookie: str | None = None) -> SocketClient:
        """Return a new client on a WebSocket; it goes on with the session of *client* if one is given.

        It presents *cookie*, by default that of *client*; an empty one is none.
        """
        return SocketClient(self, client, cookie=cookie)

    def take_failures(self) -> list[Exception]:
        """Return the failures that the test expected, and forget them."""
        failures, self.failures[:] = [*self.failures], []
        return failures

    def is_empty(self) -> bool:
        """Whether nothing is left of any session: in tables, timers and queues."""
        self.publish("/is/anybody/left", None)
        core = self.core
        left = (core.sessions, core.hub.subscriptions, core._windows._polling, core._deliveries)
        numbers = core.statistics()
        held = (numbers.sessions, numbers.subscriptions, numbers.waiting)
        return not any(len(table) for table in left) and not any(held) and core.next_deadline() is None

    # --- Running pipelines ---

    def run(self, pipeline: Pipeline, ended: Callable[[], None] = lambda: None) -> None:
        """Run *pipeline* until it ends or waits for a `Later`, then end the turn."""
        self._begin(pipeline, ended)
        self.settle()

    def _begin(self, pipeline: Pipeline, ended: Callable[[], None]) -> None:
        awaited = next(pipeline, None)
        if awaited is None:
            ended()
        else:
            self._wait(pipeline, awaited.__await__(), ended)

    def _wait(self, pipeline: Pipeline, steps: Generator[Any, Any, Any], ended: Callable[[], None]) -> None:
        """Take *steps*, those of an awaitable, as far as they go; then go on with the *pipeline*."""
        try:
            later = next(steps)
        except StopIteration as stop:
            outcome = stop.value
            self._continue(lambda: pipeline.send(outcome), pipeline, ended)
        except Exception as error:
            raised = error
            self._continue(lambda: pipeline.throw(raised), pipeline, ended)
        else:
            assert isinstance(later, Later), f"hooks of these tests wait for a Later, not for {later!r}"
            later.then(lambda: self._resume(pipeline, steps, ended))

    def _continue(
        self, go_on: Callable[[], Awaitable[Any]], pipeline: Pipeline, ended: Callable[[], None]
    ) -> None:
        try:
            awaited = go_on()
        except StopIteration:
            ended()
        except Exception as error:
            self.failures.append(error)
            ended()
        else:
            self._wait(pipeline, awaited.__await__(), ended)

    def _resume(self, pipeline: Pipeline, steps: Generator[Any, Any, Any], ended: Callable[[], None]) -> None:
        self._wait(pipeline, steps, ended)
        self.settle()


def _behind(session: Session | SessionFace) -> Session:
    return behind(session) if isinstance(session, SessionFace) else session


class Client(ABC):
    """What polling and socket clients have in common: an identity, numbered messages, a memory."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.client_id: str | None = None
        #: Everything that came, in order.
        self.messages: list[Json] = []
        self._number = 0

    @abstractmethod
    def ask(self, *messages: Json) -> list[Json]:
        """Send *messages* at once; return what came before anything else happened."""

    def message(self, channel: str, **fields: object) -> Json:
        """Return a message with the next id and our clientId."""
        self._number += 1
        identity = {} if self.client_id is None else {"clientId": self.client_id}
        return {"channel": channel, "id": str(self._number), **identity, **fields}

    def say(self, channel: str, **fields: object) -> Json:
        """Send one message and return its reply, which must come at once."""
        message = self.message(channel, **fields)
        return reply_to(message, self.ask(message))

    def handshake(self, **fields: object) -> Json:
        """Handshake, and be the new session from now on if it succeeds."""
        message = {**self.message("/meta/handshake"), **OFFER, **fields}
        message.pop("clientId", None)
        reply = reply_to(message, self.ask(message))
        if reply["successful"]:
            self.client_id = reply["clientId"]
        return reply

    def subscribe(self, subscription: object) -> Json:
        """Subscribe and return the reply."""
        return self.say("/meta/subscribe", subscription=subscription)

    def unsubscribe(self, subscription: object) -> Json:
        """Unsubscribe and return the reply."""
        return self.say("/meta/unsubscribe", subscription=subscription)

    def publish(self, channel: str, data: object, **fields: object) -> Json:
        """Publish and return the reply."""
        return self.say(channel, data=data, **fields)

    def disconnect(self) -> Json:
        """Say goodbye and return the reply."""
        return self.say("/meta/disconnect")

    @property
    def session(self) -> Session:
        """Our session, as the bus sees it."""
        return self.world.core.sessions[self.client_id or ""]

    @property
    def alive(self) -> bool:
        """Whether the bus knows our session."""
        return self.client_id in self.world.core.sessions

    @property
    def deliveries(self) -> list[Json]:
        """The messages that came and are no replies."""
        return [message for message in self.messages if "data" in message]

    @property
    def data(self) -> list[Any]:
        """The data of all deliveries, in order."""
        return [message["data"] for message in self.deliveries]


def reply_to(message: Json, messages: Sequence[Json]) -> Json:
    """Return the one reply to *message*."""
    [reply] = [m for m in messages if m.get("id") == message["id"] and "data" not in m]
    return reply


class Poll:
    """One request: `response` is None as long as it is held."""

    def __init__(self, client: PollingClient, exchange: Exchange | None = None) -> None:
        self._client = client
        self.exchange = exchange
        self.response: Response | None = None
        self.is_cut = False  # whether the client is gone, which the bus is told only later

    def answer(self, response: Response) -> bool:
        """Take the response; there is only one. Return whether the client is there to get it."""
        assert self.response is None, "a request is answered once"
        if self.is_cut:
            return False
        self.response = response
        if response.status == 200:
            self._client.messages.extend(self.messages)
        return True

    @property
    def held(self) -> bool:
        return self.response is None

    @property
    def status(self) -> int:
        return self._answered.status

    @property
    def body(self) -> bytes:
        return self._answered.body

    @property
    def messages(self) -> list[Json]:
        messages: list[Json] = json.loads(self.body)
        return messages

    @property
    def reply(self) -> Json:
        """The last message, which is the reply to a connect."""
        return self.messages[-1]

    @property
    def cookie(self) -> str | None:
        """The value of the cookie it sets, without attributes."""
        header = dict(self._answered.headers).get("set-cookie")
        return None if header is None else header.partition(";")[0].partition("=")[2]

    def hang_up(self) -> None:
        """Close the connection without waiting for the response."""
        assert self.exchange is not None
        self._client.world.core.detach(self.exchange, self._client.world.now)
        self._client.world.settle()

    @property
    def _answered(self) -> Response:
        assert self.response is not None, "the request is still held"
        return self.response


class PollingClient(Client):
    """A client on long-polling."""

    def __init__(self, world: World, *, cookies: bool, multiplexed: bool = False) -> None:
        super().__init__(world)
        self.cookie: str | None = None
        self._cookies = cookies
        self._multiplexed = multiplexed

    def post(self, body: bytes, **headers: str) -> Poll:
        """Send a request with *body*."""
        if self.cookie is not None:
            headers = {"cookie": f"other=1; {COOKIE}={self.cookie}", **headers}
        poll = Poll(self)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(sent, "127.0.0.1", multiplexed=self._multiplexed)
        poll.exchange = Exchange(self.world.core, request, poll.answer)
        messages = poll.exchange.read(body)
        if messages is not None:
            self.world.run(self.world.core.receive(messages, poll.exchange, self.world.now))
        if self._cookies and not poll.held and poll.cookie is not None:
            self.cookie = poll.cookie
        return poll

    def send(self, *messages: Json) -> Poll:
        """Send *messages* in one request."""
        return self.post(json.dumps(messages).encode())

    def ask(self, *messages: Json) -> list[Json]:
        return self.send(*messages).messages

    def connect(self, **fields: object) -> Poll:
        """Send a /meta/connect and return the request, which may be held."""
        return self.send(self.message("/meta/connect", connectionType="long-polling", **fields))

    def enter(self) -> Self:
        """Handshake and connect once, as every client begins."""
        self.handshake()
        assert not self.connect().held
        return self


class SocketClient(Client):
    """A client on a WebSocket."""

    def __init__(self, world: World, client: Client | None = None, *, cookie: str | None = None) -> None:
        super().__init__(world)
        if client is not None:
            self.client_id, self._number = client.client_id, client._number + 1_000
        #: The frames that came, each a list of messages.
        self.frames: list[list[Json]] = []
        if cookie is None and isinstance(client, PollingClient):
            cookie = client.cookie
        headers = {"cookie": f"{COOKIE}={cookie}"} if cookie else {}
        self.connection = FakeConnection(world.core, Request(headers, "127.0.0.1"), self._arrived)
        self._inbox: deque[bytes] = deque()
        self._busy = False

    @property
    def closed(self) -> tuple[int, str] | None:
        """Code and reason, if the server closed the connection."""
        return self.connection.closed

    def send(self, *messages: Json) -> None:
        """Send *messages* in one frame."""
        self.send_text(json.dumps(messages).encode())

    def send_text(self, text: bytes) -> None:
        """Send one frame; it waits while the server is still busy with the one before."""
        self._inbox.append(text)
        self._work()

    def ask(self, *messages: Json) -> list[Json]:
        before = len(self.messages)
        self.send(*messages)
        return self.messages[before:]

    def connect(self, **fields: object) -> Json:
        """Send a /meta/connect and return the message, whose reply may be a while in coming."""
        message = self.message("/meta/connect", connectionType="websocket", **fields)
        self.send(message)
        return message

    def enter(self) -> Self:
        """Handshake and connect once, as every client begins."""
        self.handshake()
        message = self.connect()
        assert reply_to(message, self.messages)["successful"]
        return self

    def stall(self) -> None:
        """Read nothing from now on: what the server writes stays on its side, and soon it writes no more."""
        self.connection.stalled = True

    def read_on(self) -> None:
        """Read again."""
        self.connection.flow()
        self.world.core.resume(self.connection)
        self.world.settle()

    def drop(self) -> None:
        """Break the connection; what did not leave the server is reported to it."""
        unsent = self.connection.unsent
        self.connection.pending.clear()
        self.world.core.detach(self.connection, self.world.now, unsent)
        self.world.settle()

    def _arrived(self, payload: bytes) -> None:
        frame: list[Json] = json.loads(payload)
        self.frames.append(frame)
        self.messages.extend(frame)

    def _work(self) -> None:
        while self._inbox and not self._busy:
            messages = self.connection.read(self._inbox.popleft())
            if messages is not None:
                self._busy = True
                pipeline = self.world.core.receive(messages, self.connection, self.world.now)
                self.world.run(pipeline, self._done)

    def _done(self) -> None:
        self._busy = False
        self._work()


class FakeConnection(Connection):
    """The server's end of a WebSocket whose client reads at once, unless it is stalled."""

    __slots__ = ("_arrived", "batches", "closed", "pending", "stalled")

    def __init__(self, core: Core, request: Request, arrived: Callable[[bytes], None]) -> None:
        super().__init__(core, request)
        self.closed: tuple[int, str] | None = None
        self.stalled = False
        self.pending: list[Batch | bytes] = []
        self.batches: list[Batch] = []  # all that were ever written
        self._arrived = arrived

    @property
    def writable(self) -> bool:
        return not self.pending and self.closed is None

    @property
    def unsent(self) -> list[Batch]:
        return [item for item in self.pending if isinstance(item, Batch)]

    def push(self, batches: Sequence[Batch]) -> bool:
        self.batches.extend(batches)
        for batch in batches:
            self._put(batch)
        return True

    def say(self, text: bytes) -> None:
        self._put(text)

    def take_back(self) -> list[Batch]:
        unsent = self.unsent
        self.pending = [item for item in self.pending if not isinstance(item, Batch)]
        return unsent

    def close(self, code: int, reason: str) -> None:
        self.closed = self.closed or (code, reason)

    def flow(self) -> None:
        """Let everything pending arrive."""
        self.stalled = False
        pending, self.pending = self.pending, []
        for item in pending:
            self._put(item)

    def _put(self, item: Batch | bytes) -> None:
        if self.stalled:
            self.pending.append(item)
        else:
            self._arrived(item.payload if isinstance(item, Batch) else item)
