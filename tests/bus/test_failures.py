"""Exceptions in the log: type and places, at a rate that nobody can drive up, and not what clients said."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from mirant import Caller
from mirant.bayeux.messages import Delivery, Message, Reply
from mirant.bus.extension import Extension
from mirant.bus.failures import places_of
from mirant.bus.turn import Turn
from mirant.testing import World

# In two parts: a line of code is in the log, and what the code has from a client is not.
SECRET = "hunter" + "2"


def fail(data: object) -> None:
    """Do what careless code does: quote the data in an exception."""
    raise ValueError(f"cannot handle {data}")


class Quoting(Extension):
    """An extension that quotes messages, replies and deliveries."""

    def __init__(self, at: str) -> None:
        self.at = at

    def incoming(self, message: Message, turn: Turn, now: float) -> None:
        if self.at == "incoming" and message.channel == "/a":
            fail(bytes(message.data))

    def outgoing(self, reply: Reply, message: Message, turn: Turn, now: float) -> None:
        if self.at == "outgoing" and message.channel == "/a":
            fail(bytes(message.data))

    def publishing(self, delivery: Delivery, now: float) -> Delivery:
        if self.at == "publishing":
            fail(delivery.payload)
        return delivery


def on_publish(world: World) -> None:
    @world.services.on_publish("/a")
    def hook(caller: Caller, data: object) -> None:
        fail(data)


def extension(at: str) -> Callable[[World], None]:
    def break_it(world: World) -> None:
        world.use(Quoting(at))

    return break_it


@pytest.mark.parametrize(
    "break_it", [on_publish, extension("incoming"), extension("outgoing"), extension("publishing")]
)
def test_whatever_fails_no_client_reads_or_writes_the_log(
    break_it: Callable[[World], None], caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    client = world.polling().enter()
    break_it(world)
    caplog.clear()
    for _ in range(200):
        client.publish("/a", f"{SECRET}\nforged")

    failures = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(failures) == 10
    assert "ValueError at" in caplog.text
    assert "in fail" in caplog.text
    assert SECRET not in caplog.text
    assert "\nforged" not in caplog.text
    world.advance(5)
    client.publish("/a", SECRET)
    assert caplog.messages[-1].endswith("suppressed=190")


def test_where_the_log_is_at_debug_it_has_the_text_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    client = world.polling().enter()
    on_publish(world)
    caplog.set_level(logging.DEBUG, "mirant")
    client.publish("/a", f"{SECRET}\nforged")

    [line] = [message for message in caplog.messages if message.startswith("hook.failed")]
    assert " text=" in line
    assert SECRET in line
    assert "\n" not in line


def test_one_functions_failures_hide_no_others(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    client = world.polling().enter()
    on_publish(world)

    @world.services.on_publish("/b")
    def other(caller: Caller, data: object) -> None:
        raise KeyError(data)

    for _ in range(50):
        client.publish("/a", 1)
    client.publish("/b", 1)

    assert caplog.messages[-1] == "hook.failed channel=/b suppressed=40"


def test_a_name_of_a_channel_forges_no_line(caplog: pytest.LogCaptureFixture) -> None:
    world = World().use(Quoting("outgoing"))
    client = world.polling().enter()
    caplog.clear()
    client.send({"channel": "/a\nforged", "data": 1, "clientId": client.client_id})

    assert "\nforged" not in caplog.text


def test_a_chain_of_exceptions_has_the_types_of_some_and_the_places_of_some() -> None:
    def recurse(depth: int) -> None:
        if depth == 0:
            raise KeyError(SECRET)
        recurse(depth - 1)

    try:
        try:
            recurse(200)
        except KeyError as error:
            raise ValueError(SECRET) from error
    except ValueError as error:
        places = places_of(error)

    assert places.startswith("ValueError at\n  File ")
    assert "  because of KeyError at\n" in places
    assert "16 more times" in places  # of the twenty innermost
    assert SECRET not in places


def test_exceptions_that_cause_each_other_end() -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first

    assert places_of(first) == "ValueError at\n  because of KeyError at\n  because of ValueError at"


def test_one_functions_failures_hide_no_others_of_the_same_type(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    client = world.polling().enter()
    on_publish(world)

    @world.services.on_publish("/b")
    def other(caller: Caller, data: object) -> None:
        raise ValueError(data)

    for _ in range(50):
        client.publish("/a", 1)
    client.publish("/b", 1)

    assert caplog.messages[-1].startswith("hook.failed channel=/b")


@pytest.mark.parametrize("hidden", [False, True])
def test_what_was_being_handled_is_written_unless_the_code_hides_it(*, hidden: bool) -> None:
    failure = ValueError()
    failure.__context__ = KeyError()
    failure.__suppress_context__ = hidden  # as "raise … from None" does

    assert ("because of KeyError" in places_of(failure)) is not hidden
