"""Numbers in words."""

import pytest

from mirant.load.histogram import Histogram
from mirant.load.wording import count, milliseconds, share, short, telling


@pytest.mark.parametrize(
    ("number", "percents"),
    [
        (1, []),
        (2, [50]),
        (99, [50, 90]),
        (100, [50, 90, 99]),
        (1_000, [50, 90, 99, 99.9]),
        (9_999, [50, 90, 99, 99.9]),
    ],
)
def test_a_percentile_is_named_if_something_is_beyond_it(number: int, percents: list[float]) -> None:
    assert [percent for percent, _ in telling(Histogram.of([(5, number)]))] == percents


@pytest.mark.parametrize(
    ("microseconds", "words", "tick"),
    [
        (7, "0.007 ms", "7 µs"),
        (812, "0.812 ms", "0.812 ms"),
        (9_990, "9.99 ms", "9.99 ms"),
        (20_000, "20.0 ms", "20 ms"),
        (1_250_000, "1,250 ms", "1.25 s"),
    ],
)
def test_durations_in_words(microseconds: int, words: str, tick: str) -> None:
    assert milliseconds(microseconds) == words
    assert short(microseconds) == tick


def test_one_and_many() -> None:
    assert (count(1, "delivery", "deliveries"), count(2_000, "client")) == ("1 delivery", "2,000 clients")


def test_shares() -> None:
    assert [share(part) for part in (0, 0.014, 0.97, 2)] == ["0 %", "1 %", "97 %", "200 %"]
