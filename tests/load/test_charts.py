"""Charts: where values lie on an axis, and what is drawn."""

import re

import pytest

from mirant.load.charts import ChartLine, exact, line_chart, linear, logarithmic


def test_a_linear_axis_ends_at_a_tick() -> None:
    axis = linear(0, 97, str)

    assert axis.place(axis.ticks[0][0]) == 0
    assert axis.place(axis.ticks[-1][0]) == pytest.approx(1)
    assert axis.ticks[-1][0] >= 97


def test_an_exact_axis_ends_where_the_values_do() -> None:
    axis = exact(0, 97, str)

    assert axis.place(97) == pytest.approx(1)
    assert axis.ticks[-1][0] <= 97


def test_a_logarithmic_axis_gives_each_power_of_ten_the_same_room() -> None:
    axis = logarithmic(1, 1_000, str)

    assert [axis.place(at) for at in (1, 10, 100, 1_000)] == pytest.approx([0, 1 / 3, 2 / 3, 1])


def test_an_axis_without_extent_places_its_value_all_the_same() -> None:
    for axis in (linear(5, 5, str), exact(5, 5, str)):
        assert 0 <= axis.place(5) <= 1


def test_a_chart_escapes_what_it_names() -> None:
    line = ChartLine("<b>", "a", [(0, 1), (10, 2)])
    chart = line_chart(linear(0, 10, str, "<i>"), linear(0, 2, str), [line], labels=[(5, "<u>")])

    assert "<svg" in chart
    assert not {"<i>", "<b>", "<u>"} & set(re.findall("<[^ ]>", chart))
