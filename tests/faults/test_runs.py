"""What is promised of deliveries holds while connections break: 60 random runs, the same in CI each time.

More of them, with other seeds: ``python -m tests.faults.runs --runs 1000``.
"""

import os
import random

import pytest

from tests.faults.runs import Outcome, check_acknowledged, check_unacknowledged, many

SEED = 1 if os.environ.get("CI") else random.SystemRandom().randrange(10**6)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("transport", ["long-polling", "websocket"])
async def test_with_ack_nothing_is_lost_reordered_or_repeated(transport: str) -> None:
    outcomes = await many(range(SEED, SEED + 22), (transport,), ack=True)
    assert sum(outcome.failures for outcome in outcomes) > 20  # the proxy did its work


@pytest.mark.timeout(120)
@pytest.mark.parametrize("transport", ["long-polling", "websocket"])
async def test_without_ack_messages_arrive_at_most_once_and_in_order(transport: str) -> None:
    outcomes = await many(range(SEED, SEED + 8), (transport,), ack=False)
    assert sum(outcome.failures for outcome in outcomes) > 5


def outcome(arrived: list[int], taken: list[int] | None = None, failures: int = 1) -> Outcome:
    """What came of a run with four messages."""
    return Outcome(4, arrived, arrived if taken is None else taken, [], failures, 1)


@pytest.mark.parametrize("arrived", [[0, 1, 3], [0, 1, 3, 2], [0, 1, 1, 2, 3], []])
def test_the_check_of_acknowledged_runs_sees(arrived: list[int]) -> None:
    check_acknowledged(outcome([0, 1, 2, 3]))
    check_acknowledged(outcome([0, 1, 0, 1, 2, 3], [0, 1, 2, 3]))
    with pytest.raises(AssertionError):
        check_acknowledged(outcome(arrived))


@pytest.mark.parametrize("arrived", [[0, 1, 1], [1, 0], [4]])
def test_the_check_of_unacknowledged_runs_sees(arrived: list[int]) -> None:
    check_unacknowledged(outcome([0, 3]))
    with pytest.raises(AssertionError):
        check_unacknowledged(outcome(arrived))
    with pytest.raises(AssertionError):
        check_unacknowledged(outcome([0, 3], failures=0))
