"""Whatever an application's function does wrong: its client is answered, and the bus goes on.

A table: each place at which the bus calls the application's code, and each way in which that can fail.
"""

import asyncio
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from mirant.bayeux.channels import Channel, Pattern
from mirant.bayeux.messages import Delivery, Message, Reply
from mirant.bus.contracts import Observer
from mirant.bus.extension import Extension
from mirant.bus.identity import Identity
from mirant.bus.party import Party
from mirant.bus.session import Session
from mirant.bus.turn import Turn
from mirant.bus.veto import Veto
from mirant.policy.rule_guard import RuleGuard
from mirant.testing import Later, PollingClient, SocketClient, World
from tests.policy.rulebooks import rulebook

TIMEOUT, MAX_INTERVAL = 30.0, 10.0


class Unprintable(Veto):
    """A refusal whose text cannot be had."""

    def __str__(self) -> str:
        raise ValueError("no text")


class OwnBaseException(BaseException):
    """What no `except Exception` catches."""


@dataclass
class Fault:
    """What a function does as long as it is broken."""

    act: Callable[[], Any]
    broken: bool = False

    def __call__(self, good: Any = None) -> Any:
        return self.act() if self.broken else good


def raises(error: Callable[[], BaseException]) -> Callable[[], Any]:
    """Return a function that raises a new *error*."""

    def act() -> Any:
        raise error()

    return act


def runs_out_of_stack() -> Any:
    return runs_out_of_stack()


def is_awaited_and_raises(error: Callable[[], BaseException]) -> Callable[[], Any]:
    """Return a function whose result is awaited, and raises a new *error* then."""

    def act() -> Later:
        later = Later()
        later.fail(error())
        return later

    return act


class BadAwaitable:
    """An awaitable, but for its iterator."""

    def __await__(self) -> Any:
        return 5


FAULTS: dict[str, Callable[[], Any]] = {
    "raises an Exception": raises(ValueError),
    "raises CancelledError": raises(asyncio.CancelledError),
    "raises GeneratorExit": raises(GeneratorExit),
    "raises StopIteration": raises(StopIteration),
    "raises StopAsyncIteration": raises(StopAsyncIteration),
    "raises SystemExit": raises(SystemExit),
    "raises a BaseException of its own": raises(OwnBaseException),
    "raises a Veto without a text": raises(Unprintable),
    "raises TimeoutError": raises(TimeoutError),
    "runs out of stack": runs_out_of_stack,
    "returns a number": lambda: 5,
    "returns a text": lambda: "text",
    "returns something without a JSON form": object,
    "returns a bad awaitable": BadAwaitable,
    "is cancelled while it is awaited": is_awaited_and_raises(asyncio.CancelledError),
    "is closed while it is awaited": is_awaited_and_raises(GeneratorExit),
    "ends the process while it is awaited": is_awaited_and_raises(SystemExit),
    "fails while it is awaited": is_awaited_and_raises(ValueError),
}


# --- The places ---


def on_publish(world: World, fault: Fault) -> None:
    world.services.on_publish("/a")(lambda caller, data: fault())


def on_subscribe(world: World, fault: Fault) -> None:
    world.services.on_subscribe("/a")(lambda caller: fault())


def on_join(world: World, fault: Fault) -> None:
    world.services.on_join(lambda session: fault())


def on_leave(world: World, fault: Fault) -> None:
    world.services.on_leave(lambda session: fault())


def authenticate(world: World, fault: Fault) -> None:
    world.services.authenticate(lambda handshake: fault(Identity("me")))


def renew(world: World, fault: Fault) -> None:
    world.core.hooks.renew = lambda party, message, request: fault()


def rpc(world: World, fault: Fault) -> None:
    world.services.rpc("/call")(lambda caller, data: fault())


def service(world: World, fault: Fault) -> None:
    world.services.service("/call")(lambda caller, data: fault())


class Broken(Extension):
    """An extension that fails on one occasion."""

    def __init__(self, occasion: str, fault: Fault) -> None:
        self.occasion = occasion
        self.fault = fault

    def incoming(self, message: Message, turn: Turn, now: float) -> Any:
        return self.fault() if self.occasion == "incoming" else None

    def publishing(self, delivery: Delivery, now: float) -> Delivery:
        result: Delivery = self.fault(delivery) if self.occasion == "publishing" else delivery
        return result

    def delivering(self, delivery: Delivery, session: Session, now: float) -> Delivery | None:
        result: Delivery | None = self.fault(delivery) if self.occasion == "delivering" else delivery
        return result

    def outgoing(self, reply: Reply, message: Message, turn: Turn, now: float) -> None:
        if self.occasion == "outgoing":
            self.fault()


def extension(occasion: str) -> Callable[[World, Fault], None]:
    def install(world: World, fault: Fault) -> None:
        world.use(Broken(occasion, fault))

    return install


def own_extension(occasion: str) -> Callable[[World, Fault], None]:
    def install(world: World, fault: Fault) -> None:
        def join(session: Any) -> None:
            session.extensions = (Broken(occasion, fault),)

        world.services.on_join(join)

    return install


def observer(event: str) -> Callable[[World, Fault], None]:
    def install(world: World, fault: Fault) -> None:
        def hear(self: Observer, *facts: object) -> Any:
            return fault()

        world.core.observers.add(type("Hearing", (Observer,), {event: hear})())

    return install


RULES = """
[[channel]]
match = "/**"
subscribe = "anyone"
publish = "anyone"
call = "anyone"
filters = [{ custom = "broken_functions:tidy" }]
"""


def custom_filter(world: World, fault: Fault) -> None:
    module = ModuleType("broken_functions")
    module.tidy = fault  # type: ignore[attr-defined]  # a module made for the test
    sys.modules[module.__name__] = module
    try:
        world.enforce(rulebook(RULES))
    finally:
        del sys.modules[module.__name__]


class BrokenGuard(RuleGuard):
    """A guard that fails on one occasion."""

    occasion: str
    fault: Fault

    def enter(self, party: Party, now: float) -> None:
        if self.occasion == "enter":
            self.fault()

    def subscribe(self, party: Party, pattern: Pattern, now: float) -> None:
        if self.occasion == "subscribe":
            self.fault()

    def publish(self, party: Party, channel: Channel, message: Message, now: float) -> None:
        if self.occasion == "publish":
            self.fault()

    def call(self, party: Party, channel: Channel, message: Message, now: float) -> None:
        if self.occasion == "call":
            self.fault()


def guard(occasion: str) -> Callable[[World, Fault], None]:
    def install(world: World, fault: Fault) -> None:
        judge = BrokenGuard(rulebook(RULES.replace("filters", "# filters")), world.core.hub)
        judge.occasion, judge.fault = occasion, fault
        world.core.enforce(judge)

    return install


PLACES: dict[str, Callable[[World, Fault], None]] = {
    "on_publish": on_publish,
    "on_subscribe": on_subscribe,
    "on_join": on_join,
    "on_leave": on_leave,
    "authenticate": authenticate,
    "renew": renew,
    "rpc": rpc,
    "service": service,
    "filter": custom_filter,
    **{
        f"an extension's {occasion}": extension(occasion)
        for occasion in ("incoming", "publishing", "outgoing")
    },
    **{
        f"a session's own {occasion}": own_extension(occasion)
        for occasion in ("incoming", "delivering", "outgoing")
    },
    **{
        f"an observer's {event}": observer(event)
        for event in ("opened", "ended", "refused", "published", "flushed", "dropped", "noted")
    },
    **{f"a guard's {occasion}": guard(occasion) for occasion in ("enter", "subscribe", "publish", "call")},
}


def do_everything(client: PollingClient | SocketClient) -> None:
    """Do what a client can do, each in a request of its own; every message must be answered at once."""
    reply = client.handshake()
    if not reply["successful"]:
        assert reply["error"]
        return
    connect = client.message("/meta/connect", connectionType="long-polling", advice={"timeout": 0})
    client.ask(connect)
    client.subscribe("/a")
    client.publish("/a", {"text": "hello"})
    client.publish("/nobody/subscribes", 1)
    client.say("/service/call", data=1)
    client.say("/meta/unknown")
    client.unsubscribe("/a")
    client.disconnect()


@pytest.fixture(autouse=True)
def unlogged() -> Iterator[None]:
    """Write no log: a thousand tracebacks of failures that are wanted."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_every_message_is_answered_and_the_others_notice_nothing(place: str, fault: str) -> None:
    world = World(timeout=TIMEOUT, max_interval=MAX_INTERVAL)
    broken = Fault(FAULTS[fault])
    PLACES[place](world, broken)
    other, expiring, dropping = (world.polling().enter() for _ in range(3))
    other.subscribe("/others")
    poll = other.connect()

    broken.broken = True
    do_everything(world.polling())
    do_everything(world.socket())
    dropping.publish("/a", 1)
    world.core.dismiss(dropping.session)
    world.settle()
    world.advance(MAX_INTERVAL)  # one session expires while it is broken
    assert not expiring.alive
    broken.broken = False

    assert poll.held
    world.publish("/others", "still there")
    assert poll.messages[0]["data"] == "still there"
    poll = other.connect()
    world.advance(TIMEOUT)
    assert poll.reply["successful"]  # the timer lives
    late = world.polling().enter()
    late.subscribe("/a")
    late.publish("/a", "again")
    assert late.data == ["again"]
    world.advance(2 * MAX_INTERVAL + TIMEOUT)
    assert world.is_empty()
    world.take_failures()  # of a `service`, for which nobody waits; a real host logs them
