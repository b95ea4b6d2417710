"""What a hub asks of its engine, and what it adds to a message before the engine has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from mirant.bayeux.channels import Channel, Pattern
from mirant.bayeux.messages import Delivery
from mirant.bus.clock import Clock
from mirant.bus.contracts import Observer, Published
from mirant.bus.core import Core
from mirant.bus.hub import Hub, at_once
from mirant.bus.record import SessionRecord
from mirant.bus.session import Session
from mirant.engines.memory import MemoryEngine
from mirant.options.settings import Settings
from mirant.testing import Later, PollingClient, World
from tests.policy.rulebooks import rulebook


class Ledger(MemoryEngine):
    """Writes down what it is asked to keep and to drop, and what it is given."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.asked: list[tuple[str, ...]] = []
        self.items: list[Published] = []

    def keep(self, record: SessionRecord) -> None:
        self.asked.append(("keep", record.id, *sorted(pattern.name for pattern in record.subscriptions)))

    def drop(self, session_id: str) -> None:
        self.asked.append(("drop", session_id))

    def append(self, item: Published) -> int:
        self.items.append(item)
        return super().append(item)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(Settings())


@pytest.fixture
def core(ledger: Ledger) -> Core:
    host = World()
    return Core(Settings(), host, ledger, Clock(host.time), chance=host.draw)


def adopted(core: Core, *names: str) -> Session:
    """Return a session that another process had, with subscriptions to these patterns."""
    patterns = set(map(Pattern.parse, names))
    return core.adopt(
        SessionRecord(
            id="one",
            timeout=30.0,
            interval=0.0,
            max_interval=10.0,
            echo=True,
            connect_only=False,
            subscriptions=patterns,
        )
    )


def test_an_engine_keeps_the_record_of_a_session_with_each_change_and_drops_it_at_its_end(
    core: Core, ledger: Ledger
) -> None:
    session = adopted(core)
    core.hub.subscribe(session, Pattern.parse("/a"))
    core.hub.subscribe(session, Pattern.parse("/b"))
    core.hub.unsubscribe(session, Pattern.parse("/a"))
    core.dismiss(session)
    assert ledger.asked == [
        ("keep", "one", "/a"),
        ("keep", "one", "/a", "/b"),
        ("keep", "one", "/b"),
        ("drop", "one"),
    ]


def test_what_a_session_does_not_have_is_not_kept_when_it_is_given_up(core: Core, ledger: Ledger) -> None:
    core.hub.unsubscribe(adopted(core), Pattern.parse("/a"))
    assert ledger.asked == []


def test_the_subscriptions_of_a_session_from_elsewhere_count_and_get_messages(core: Core) -> None:
    session = adopted(core, "/a", "/b/*")
    assert core.hub.count == 2
    assert core.hub.members(Pattern.parse("/a")) == 1
    channel = Channel.parse("/b/c")
    assert at_once(core.publish(channel, Delivery.of(channel, 1))) == 1
    core.dismiss(session)
    assert core.hub.count == 0


def test_an_engine_that_has_to_be_awaited_is_refused_where_nothing_can_wait() -> None:
    with pytest.raises(TypeError, match="awaited"):
        at_once(cast("int", Later()))
    assert at_once(7) == 7


# --- What the options of a channel and of a message say ---


def publish(core: Core, name: str, change: Callable[[Delivery], None]) -> Delivery:
    """Publish a message that *change* has changed; return it as the engine was given it."""
    channel = Channel.parse(name)
    delivery = Delivery.of(channel, 1)
    change(delivery)
    at_once(core.hub.publish(channel, delivery))
    return delivery


def nothing(delivery: Delivery) -> None:
    """Change nothing."""


def lazily(seconds: float) -> Callable[[Delivery], None]:
    def change(delivery: Delivery) -> None:
        delivery.lazy = seconds

    return change


def as_latest(delivery: Delivery) -> None:
    delivery.latest = True


@pytest.fixture
def world() -> World:
    return World()


def test_where_the_message_does_not_say_so_its_channel_says_whether_it_is_lazy(world: World) -> None:
    world.channel("/lazy", lazy=5.0)
    core = world.core
    assert publish(core, "/lazy", nothing).lazy == 5.0
    assert publish(core, "/lazy", lazily(2.0)).lazy == 2.0
    assert publish(core, "/lazy", lazily(0.0)).lazy is None


def test_where_no_channel_has_options_the_message_says_whether_it_is_lazy(core: Core) -> None:
    assert publish(core, "/a", lazily(2.0)).lazy == 2.0
    assert publish(core, "/a", lazily(0.0)).lazy is None
    assert publish(core, "/a", nothing).lazy is None


def test_a_message_may_be_the_latest_though_its_channel_does_not_say_so(world: World) -> None:
    world.channel("/kept", history=1).channel("/price", latest=True)
    assert publish(world.core, "/kept", as_latest).latest
    assert not publish(world.core, "/kept", nothing).latest
    assert publish(world.core, "/price", nothing).latest


def test_the_channel_says_what_gives_way_in_a_full_outbox(world: World) -> None:
    world.channel("/price", overflow="drop-oldest")
    assert publish(world.core, "/price", nothing).overflow == "drop-oldest"
    assert publish(world.core, "/a", nothing).overflow is None


def test_the_engine_is_told_how_many_to_keep_and_who_published(core: Core, ledger: Ledger) -> None:
    session = adopted(core)
    session.echo = False
    channel = Channel.parse("/a")
    core.hub.publish(channel, Delivery.of(channel, 1), session)
    core.hub.publish(channel, Delivery.of(channel, 1))
    assert [(item.history, item.without) for item in ledger.items] == [(0, "one"), (0, None)]


# --- What arrives ---


class Counting(Observer):
    """Keeps what was published."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []

    def published(self, channel: Channel, size: int, receivers: int) -> None:
        self.seen.append((channel.name, size, receivers))


def test_what_arrives_is_counted_and_told_with_its_size_and_its_receivers(world: World) -> None:
    counting = Counting()
    world.core.observers.add(counting)
    client = world.polling().enter()
    client.subscribe("/a")
    world.publish("/a", 1)
    world.publish("/b", 12)
    assert world.core.hub.published == 2
    assert counting.seen == [("/a", 25, 1), ("/b", 26, 0)]


def test_the_past_is_recalled_for_one_session_alone(world: World) -> None:
    client, other = world.polling().enter(), world.polling().enter()
    poll, still = client.connect(), other.connect()
    world.core.hub.recall(client.session, Delivery.of_raw("/a", b"1"))
    world.settle()
    assert poll.messages[0] == {"channel": "/a", "data": 1}
    assert still.held


# --- Other rules ---


def kept(hub: Hub, name: str) -> int:
    return len(hub.history(Channel.parse(name), last=100).items)


def test_a_channel_that_keeps_nothing_any_more_forgets_its_past_with_the_next_rules(world: World) -> None:
    world.channel("/a", history=10)
    for number in range(3):
        world.publish("/a", number)
    world.channel("/a", history=0)
    world.core.enforce(None)
    assert kept(world.core.hub, "/a") == 0


def test_the_options_of_the_rules_hold_until_others_are_in_force(world: World) -> None:
    client: PollingClient = world.polling().enter()
    client.subscribe("/a")
    poll = client.connect()
    world.enforce(rulebook('[[channel]]\nmatch = "/a"\nsubscribe = "anyone"\nlazy = 5.0'))
    world.publish("/a", 1)
    assert poll.held
    world.core.enforce(None)
    world.publish("/a", 2)
    assert not poll.held
