"""Limits of rules: how they are written, and how many messages a rate lets through."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirant.bus.channel_options import ChannelOptions
from mirant.options.values import SettingsError
from mirant.policy.limits import LIMITS, Rate, RuleLimits, read_channel_overflow, read_rate

rates = st.builds(Rate, st.integers(1, 50), st.sampled_from([1.0, 60.0, 3600.0]))


def admitted(rate: Rate, times: list[float]) -> list[float]:
    """Return at which of *times* a message is let through."""
    expected, through = 0.0, []
    for now in times:
        following = rate.admits(expected, now)
        if following is not None:
            expected = following
            through.append(now)
    return through


@pytest.mark.parametrize(
    ("rate", "times", "through"),
    [
        (Rate(2, 1.0), [0, 0, 0, 0], [0, 0]),
        (Rate(2, 1.0), [0, 0, 0.5, 0.5], [0, 0, 0.5]),
        (Rate(2, 1.0), [0, 0, 0.2, 0.25], [0, 0, 0.25]),  # half of the time for one message early
        (Rate(2, 1.0), [0, 0, 0.25, 0.25], [0, 0, 0.25]),
        (Rate(2, 1.0), [0, 0.5, 1, 1.5, 2], [0, 0.5, 1, 1.5, 2]),
        (Rate(2, 1.0), [0, 0, 10, 10, 10], [0, 0, 10, 10]),  # a pause saves no more than that
        (Rate(1, 60.0), [0, 29, 30, 60, 90], [0, 30, 90]),
    ],
)
def test_which_of_some_messages_come_through(rate: Rate, times: list[float], through: list[float]) -> None:
    assert admitted(rate, [1_000.0 + time for time in times]) == [1_000.0 + time for time in through]


def test_a_rate_that_was_stricter_until_now_delays_nothing() -> None:
    """Its state may lie an hour ahead; the new rate begins at once, and with its own number."""
    strict, new = Rate(1, 3600.0), Rate(2, 1.0)
    expected = strict.admits(0.0, 1_000.0)
    assert expected == 4_600

    first = new.admits(expected, 1_000.0)
    assert first == 1_000.5
    assert new.admits(first, 1_000.0) == 1_001
    assert new.admits(1_001.0, 1_000.0) is None


@given(rates)
def test_as_many_as_the_rate_says_may_come_at_once_and_no_more(rate: Rate) -> None:
    assert len(admitted(rate, [1_000.0] * (3 * rate.count))) == rate.count


@given(rates, st.integers(1, 200))
def test_who_keeps_to_the_rate_is_never_refused(rate: Rate, number: int) -> None:
    times = [1_000.0 + n * rate.seconds / rate.count for n in range(number)]
    assert admitted(rate, times) == times


@given(rates, st.lists(st.floats(0, 1, width=32), max_size=150))
def test_no_window_has_more_than_twice_as_many_and_no_run_is_faster_than_the_rate(
    rate: Rate, pauses: list[float]
) -> None:
    # In shares of the rate's own time; most pauses are short, so that senders are at the limit.
    now, times = 1_000.0, []
    for pause in pauses:
        now += pause**4 * rate.seconds
        times += [now] * 3
    through = admitted(rate, times)
    for first, start in enumerate(through):
        within = [time for time in through[first:] if time < start + rate.seconds]
        assert len(within) <= 2 * rate.count
        for number, time in enumerate(through[first:], 1):
            earned = (time - start) * rate.count / rate.seconds
            assert number <= rate.count + earned + 0.5 + 1e-6


@given(rates)
def test_what_was_refused_does_not_count(rate: Rate) -> None:
    burst = [1_000.0] * rate.count
    refused = [1_000.0] * 100
    later = 1_000.0 + rate.seconds / rate.count
    assert admitted(rate, [*burst, *refused, later]) == [*burst, later]


@given(rates)
def test_who_paused_for_long_enough_may_send_as_many_at_once_again_and_has_saved_no_more(rate: Rate) -> None:
    burst = [1_000.0] * rate.count
    later = [1_000.0 + 5 * rate.seconds] * (2 * rate.count)
    assert len(admitted(rate, [*burst, *later])) == 2 * rate.count


@pytest.mark.parametrize(
    ("text", "rate", "spelt"),
    [
        ("20/s", Rate(20, 1.0), "20/s"),
        ("100/m", Rate(100, 60.0), "100/m"),
        ("1000 / h", Rate(1000, 3600.0), "1000/h"),
        ("1/s", Rate(1, 1.0), "1/s"),
    ],
)
def test_rates(text: str, rate: Rate, spelt: str) -> None:
    assert read_rate(text) == rate
    assert str(rate) == spelt


@pytest.mark.parametrize(
    "value",
    [
        "",
        "20",
        "20/",
        "/s",
        "0/s",
        "-1/s",
        "1.5/s",
        "20/d",
        "20 per s",
        "20/S",
        "9" * 10 + "/s",
        "\u0663/s",
        "\uff12/s",
        20,
        True,
    ],
)
def test_rates_that_are_none(value: object) -> None:
    with pytest.raises(SettingsError, match="a rate such as"):
        read_rate(value)


def test_overflow_of_a_channel_has_the_latest_too() -> None:
    assert read_channel_overflow("latest") == "latest"
    with pytest.raises(SettingsError, match="latest"):
        read_channel_overflow("first")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("max_message", 0),
        ("max_message", "4KB"),
        ("max_members", 0),
        ("max_members", "many"),
        ("lazy", -1),
        ("lazy", "soon"),
        ("echo", "no"),
        ("persistent", 1),
        ("overflow", "drop"),
    ],
)
def test_limits_that_are_none(key: str, value: object) -> None:
    with pytest.raises(SettingsError):
        LIMITS[key](value)


@pytest.mark.parametrize(
    ("overflow", "options"),
    [
        ("latest", ChannelOptions(latest=True)),
        ("drop-oldest", ChannelOptions(overflow="drop-oldest")),
        (None, ChannelOptions()),
    ],
)
def test_the_policy_latest_is_an_option_of_its_own(
    overflow: Literal["latest", "drop-oldest"] | None, options: ChannelOptions
) -> None:
    assert RuleLimits(overflow=overflow).options() == options


def test_the_other_options_are_those_of_the_rule() -> None:
    limits = RuleLimits(lazy=2.0, echo=False, persistent=True, history=3, max_message=9)
    assert limits.options() == ChannelOptions(lazy=2.0, echo=False, persistent=True, history=3)
