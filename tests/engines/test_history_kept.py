"""What a history still knows when messages, channels, or all of it were forgotten."""

from __future__ import annotations

import pytest

from mirant.bayeux.channels import Channel, Pattern
from mirant.bayeux.messages import Delivery
from mirant.bus.contracts import Published
from mirant.engines.history import History
from mirant.engines.memory import MemoryEngine
from mirant.options.settings import Settings

A, B = Channel.parse("/a"), Channel.parse("/b")


@pytest.fixture
def history() -> History:
    """Return a history with messages of /a at 1, 2 and 3."""
    history = History(1_000_000)
    for position in (1, 2, 3):
        history.keep(A, Delivery.of(A, position), 10, position)
    return history


def test_the_top_of_a_channel_is_its_newest_position(history: History) -> None:
    assert (history.top(A), history.top(B)) == (3, 0)


def test_who_has_all_is_told_the_newest_position() -> None:
    engine = MemoryEngine(Settings())
    for number in range(3):
        engine.append(Published(A, Delivery.of(A, number), 10))
    page = engine.history(A, since=3, last=10)
    assert (page.items, page.top, page.complete) == ([], 3, True)


def test_a_channel_may_keep_just_one(history: History) -> None:
    history.trim(lambda channel: 1)
    [(position, _)], complete = history.since(A, 2)
    assert (position, complete) == (3, True)
    assert not history.since(A, 1)[1]


@pytest.mark.parametrize(("since", "complete"), [(1, False), (2, False), (3, True)])
def test_up_to_the_newest_of_what_was_forgotten_nothing_is_vouched_for(
    history: History, since: int, *, complete: bool
) -> None:
    history.trim(lambda channel: 0)
    assert history.since(A, since) == ([], complete)


def test_an_engine_that_nobody_joined_has_no_receivers_and_no_members() -> None:
    engine = MemoryEngine(Settings())
    assert engine.append(Published(A, Delivery.of(A, 1))) == 0
    assert engine.members(Pattern.parse("/a")) == 0
    assert engine.record("one") is None
