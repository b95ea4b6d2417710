"""Which answers may carry deliveries."""

from __future__ import annotations

import pytest

from mirant.bayeux.messages import Message, Reply
from mirant.bus.turn import Answer, Turn
from mirant.testing import World


def turn_with(*answers: tuple[str | None, bool]) -> Turn:
    """Return a turn with the *answers* to messages on these channels, and whether they succeeded."""
    turn = Turn(World().socket().connection, None, 1_000.0, alone=False)
    for channel, successful in answers:
        turn.answers.append(Answer(Message(channel=channel), Reply(channel=channel, successful=successful)))
    return turn


@pytest.mark.parametrize("connect_only", [True, False])
def test_a_connect_carries_them_however_its_channel_is_spelt(*, connect_only: bool) -> None:
    for channel in ("/meta/connect", "/meta/connect/"):
        assert turn_with((channel, True)).lets_deliver(connect_only=connect_only)


@pytest.mark.parametrize("connect_only", [True, False])
def test_a_connect_that_was_refused_or_superseded_carries_none(*, connect_only: bool) -> None:
    for channel in ("/meta/connect", "/meta/connect/"):
        assert not turn_with((channel, False)).lets_deliver(connect_only=connect_only)


@pytest.mark.parametrize(
    ("channel", "successful"), [("/a", True), ("/a", False), ("/meta/subscribe", True), (None, False)]
)
def test_any_other_answer_carries_them_unless_only_connects_may(
    channel: str | None, *, successful: bool
) -> None:
    turn = turn_with((channel, successful))
    assert turn.lets_deliver(connect_only=False)
    assert not turn.lets_deliver(connect_only=True)


def test_one_answer_that_may_is_enough() -> None:
    assert turn_with(("/meta/connect", False), ("/a", True)).lets_deliver(connect_only=False)
    assert turn_with(("/a", True), ("/meta/connect", True)).lets_deliver(connect_only=True)
    assert not turn_with(("/meta/connect", False), ("/a", True)).lets_deliver(connect_only=True)


def test_without_answers_nothing_is_carried() -> None:
    assert not turn_with().lets_deliver(connect_only=False)
