"""The histogram: three digits at any size, and the shapes that reports draw."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirant.load.histogram import Histogram, bucket_of, top_of

VALUES = st.integers(0, 10**10)


@given(VALUES)
def test_a_bucket_is_a_thousandth_wide_at_most(value: int) -> None:
    top = top_of(bucket_of(value))

    assert value <= top <= value * 1.001
    assert bucket_of(top) == bucket_of(value)
    assert bucket_of(top + 1) == bucket_of(value) + 1


@given(st.lists(VALUES, min_size=1), st.floats(0.01, 100))
def test_as_many_values_as_it_says_are_no_larger_than_a_percentile(values: list[int], percent: float) -> None:
    found = Histogram.of((value, 1) for value in values).percentile(percent)

    exact = sorted(values)[max(0, -int(-(len(values) * percent / 100 - 1e-6) // 1) - 1)]
    assert exact <= found <= exact * 1.001


@given(st.lists(VALUES), st.lists(VALUES))
def test_merging_is_counting_everything_in_one(left: list[int], right: list[int]) -> None:
    merged = Histogram.of((value, 1) for value in left)
    merged.merge(Histogram.of((value, 1) for value in right))

    assert merged == Histogram.of((value, 1) for value in left + right)


def test_counts_are_the_same_as_repetition() -> None:
    repeated, counted = Histogram(), Histogram()
    for _ in range(7):
        repeated.add(1234)
    counted.add(1234, 7)

    assert repeated == counted
    assert counted.mean == 1234


def test_the_percentiles_of_an_even_spread() -> None:
    histogram = Histogram.of((value, 1) for value in range(1, 1_001))

    assert histogram.percentiles([50, 90, 99, 99.9, 99.99, 100]) == [500, 900, 990, 999, 1000, 1000]
    assert (histogram.minimum, histogram.maximum, histogram.mean) == (1, 1000, 500.5)


def test_an_empty_one_has_zeros_and_no_shape() -> None:
    histogram = Histogram()

    assert histogram.percentiles([50, 99]) == [0, 0]
    assert histogram.mean == 0
    assert not histogram.curve()
    assert not histogram.bars(10)


def test_what_is_negative_counts_as_nothing() -> None:
    histogram = Histogram()
    histogram.add(-5)

    assert (histogram.minimum, histogram.maximum, histogram.count) == (0, 0, 1)


def test_the_curve_rises_from_the_least_to_the_most() -> None:
    draw = random.Random(1)
    histogram = Histogram.of((int(draw.expovariate(1 / 5_000)), 1) for _ in range(10_000))
    curve = histogram.curve()

    assert curve == sorted(curve)
    assert [percent for percent, _ in curve][:: len(curve) - 1] == [0, 100]
    assert curve[-1][1] == histogram.maximum
    assert any(99.9 < percent < 100 for percent, _ in curve)


@pytest.mark.parametrize("rows", [1, 2, 20])
def test_bars_hold_every_value_once(rows: int) -> None:
    draw = random.Random(1)
    histogram = Histogram.of((int(draw.expovariate(1 / 50_000)), 1) for _ in range(10_000))
    bars = histogram.bars(rows)

    assert sum(count for _, count in bars) == 10_000
    assert len(bars) == rows
    assert bars[-1][0] == histogram.maximum


def test_bars_of_one_value() -> None:
    assert sum(count for _, count in Histogram.of([(700, 3)]).bars(20)) == 3
