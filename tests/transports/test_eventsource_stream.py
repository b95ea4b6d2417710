"""A stream without a network: its session, its room, and what it sends."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mirant.bayeux.messages import Delivery
from mirant.bus.batch import Batch
from mirant.bus.carrier import MAX_HANDED_OVER, Outgoing
from mirant.bus.request import Request
from mirant.testing import World
from mirant.transports.eventsource import EventStream, session_of


class Stream(EventStream):
    """A stream that keeps what it sends."""

    writable = True

    def __init__(self, world: World) -> None:
        super().__init__(world.core, Request())
        self.pushed: list[Batch] = []

    def push(self, batches: Sequence[Batch]) -> None:
        self.pushed += batches

    def take_back(self) -> list[Batch]:
        return []

    def close(self, code: int, reason: str) -> None:
        """Nothing to do."""


@pytest.fixture
def world() -> World:
    return World()


def test_a_stream_begins_without_a_session_on_the_bus_of_its_host(world: World) -> None:
    stream = Stream(world)
    assert (stream.session, stream.browser, stream.core) == (None, None, world.core)


@pytest.mark.parametrize("path", ["/bayeux/stream/%s", "/bayeux/stream/%s/", "%s", "/%s//"])
def test_a_path_names_the_session_in_its_last_segment(world: World, path: str) -> None:
    session = world.polling(cookies=False).enter().session
    assert session_of(world.core, path % session.id, Stream(world)) is session
    assert session_of(world.core, "/bayeux/stream/", Stream(world)) is None


def test_a_stream_has_room_while_it_can_be_written(world: World) -> None:
    stream, session = Stream(world), world.polling().enter().session
    assert stream.room(session) == MAX_HANDED_OVER
    stream.writable = False
    assert stream.room(session) == 0


def test_a_stream_sends_deliveries(world: World) -> None:
    stream, batch = Stream(world), Batch([Delivery.of_raw("/a", b"1")])
    assert stream.send(Outgoing((batch,)))
    assert stream.pushed == [batch]
