"""Waits grow with each failure in a row."""

from mirant.client.backoff import Backoff


def test_each_wait_is_longer_up_to_a_limit_until_something_succeeds() -> None:
    backoff = Backoff(step=0.5, limit=1.2)
    assert [backoff.next() for _ in range(4)] == [0.5, 1.0, 1.2, 1.2]
    assert backoff.failures == 4
    backoff.reset()

    assert backoff.next() == 0.5


def test_waits_may_be_spread() -> None:
    factors = iter([0.5, 1.5])
    backoff = Backoff(step=1.0, limit=10.0, jitter=lambda: next(factors))

    assert [backoff.next(), backoff.next()] == [0.5, 3.0]
