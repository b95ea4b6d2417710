"""Advice: merged, in seconds, and never absurd."""

import pytest

from mirant.bayeux.advice import Advice
from mirant.client.advice import CurrentAdvice


def test_advice_replaces_what_it_names_and_leaves_the_rest() -> None:
    advice = CurrentAdvice(60)
    advice.merge(Advice(reconnect="retry", interval=1_500, timeout=30_000, max_interval=10_000))
    advice.merge(Advice(interval=0, multiple_clients=True))

    assert (advice.reconnect, advice.interval, advice.timeout) == ("retry", 0, 30)
    assert (advice.max_interval, advice.multiple_clients) == (10, True)


def test_a_new_session_is_advised_anew() -> None:
    advice = CurrentAdvice(60)
    advice.merge(Advice(reconnect="none", interval=1, timeout=1, max_interval=1, multiple_clients=True))
    advice.reset()

    assert vars(advice) == vars(CurrentAdvice(60))


@pytest.mark.parametrize(
    ("milliseconds", "seconds"), [(-1, 0), (0, 0), (86_400_000, 86_400), (10**400, 86_400)]
)
def test_times_are_neither_negative_nor_longer_than_a_day(milliseconds: int, seconds: float) -> None:
    advice = CurrentAdvice(60)
    advice.merge(Advice(interval=milliseconds, timeout=milliseconds, max_interval=milliseconds))

    assert (advice.interval, advice.timeout, advice.max_interval) == (seconds, seconds, seconds)


@pytest.mark.parametrize(("away", "has_expired"), [(0, False), (17, False), (17.5, True)])
def test_a_session_expires_after_all_three_times(away: float, *, has_expired: bool) -> None:
    advice = CurrentAdvice(60)
    assert not advice.has_expired(1_000_000)
    advice.merge(Advice(interval=2_000, timeout=5_000, max_interval=10_000))

    assert advice.has_expired(away) is has_expired
