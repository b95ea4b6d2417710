"""What a bus has done and what it holds, as numbers."""

from __future__ import annotations

from typing import Any

from mirant.testing import World


def numbers(world: World, *names: str) -> list[Any]:
    statistics = world.core.statistics()
    return [getattr(statistics, name) for name in names]


def test_sessions_subscriptions_and_channels_are_those_there_are() -> None:
    world = World()
    one, two = world.polling().enter(), world.socket().enter()
    one.subscribe(["/a", "/b/**"])
    two.subscribe("/a")
    two.subscribe("/a")
    assert numbers(world, "sessions", "subscriptions", "channels", "opened") == [2, 3, 2, 2]
    one.unsubscribe("/a")
    assert numbers(world, "sessions", "subscriptions", "channels") == [2, 2, 2]
    two.disconnect()
    assert numbers(world, "sessions", "subscriptions", "channels", "opened") == [1, 1, 1, 2]
    assert numbers(world, "ended") == [{"disconnected": 1}]


def test_a_message_counts_once_as_published_and_for_each_receiver_as_delivered() -> None:
    world = World()
    for _ in range(3):
        world.socket().enter().subscribe("/a")
    world.publish("/a", 1)
    world.publish("/nobody", 1)
    assert numbers(world, "published", "delivered", "pushed") == [2, 3, 3]


def test_bytes_wait_until_they_leave_or_their_session_ends() -> None:
    world = World()
    client, other = world.polling().enter(), world.polling().enter()
    for each in (client, other):
        each.subscribe("/a")
    world.publish("/a", "x" * 100)
    [waiting] = numbers(world, "waiting")
    assert 200 < waiting < 300
    client.connect()
    assert numbers(world, "waiting") == [waiting // 2]
    world.dismiss(other.session)
    assert numbers(world, "waiting") == [0]


def test_bytes_that_come_back_from_a_broken_connection_wait_again() -> None:
    world = World()
    client = world.socket().enter()
    client.subscribe("/a")
    client.stall()
    world.publish("/a", "x" * 100)
    client.drop()
    assert numbers(world, "waiting")[0] > 100
    world.advance(100)
    assert numbers(world, "waiting") == [0]


def test_refused_messages_count_by_error_without_what_clients_chose() -> None:
    world = World(max_subscriptions=1)
    client = world.polling().enter()
    client.subscribe(["/a", "/b"])
    client.say("/meta/unknown")
    client.say("/meta/other")
    world.polling().say("/meta/connect")
    assert numbers(world, "refused") == [
        {
            "403::subscription_limit": 1,
            "403::channel_create_denied": 2,
            "402::session_unknown": 1,
        }
    ]


def test_dropped_messages_are_counted() -> None:
    world = World(max_outbox=100, overflow="drop-oldest")
    client = world.polling().enter()
    client.subscribe("/a")
    for number in range(5):
        world.publish("/a", f"{number}" * 20)
    dropped = numbers(world, "dropped")
    client.connect()
    reports = [each["data"]["count"] for each in client.deliveries if "count" in str(each["data"])]
    assert reports == dropped
    assert dropped[0] > 0


def test_the_lag_is_how_late_a_flush_came() -> None:
    world = World()
    client = world.socket().enter()
    client.subscribe("/a")
    with world.tick():
        world.publish("/a", 1)
        world.now += 0.25
    assert numbers(world, "lag", "worst_lag") == [0.25, 0.25]
    world.publish("/a", 2)
    assert numbers(world, "lag", "worst_lag") == [0.0, 0.25]
