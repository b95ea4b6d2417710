"""Logging the failures of a filter: the place, not the text, and at a limited rate."""

import pytest

from mirant.policy.filters.failures import Failures


class Clock:
    """A time that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def raised(text: str) -> Exception:
    """Return an exception that was raised here."""
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


def heads(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message.partition("\n")[0] for record in caplog.records]


def test_a_line_names_the_filter_the_error_and_the_place(caplog: pytest.LogCaptureFixture) -> None:
    Failures(Clock()).write("custom app:tidy", raised("hunter2"))

    assert heads(caplog) == ["filter.failed filter=custom app:tidy error=ValueError"]
    assert "in raised" in caplog.text
    assert "hunter2" not in caplog.text


def test_ten_at_once_then_one_in_five_seconds_which_says_how_many_were_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    failures = Failures(clock)
    for _ in range(25):
        failures.write("a", raised("x"))
    assert len(heads(caplog)) == 10

    clock.now += 5
    failures.write("a", raised("x"))
    failures.write("a", raised("x"))
    assert len(heads(caplog)) == 11
    assert heads(caplog)[-1].endswith("suppressed=15")

    clock.now += 5
    failures.write("a", raised("x"))
    assert heads(caplog)[-1].endswith("suppressed=1")


def test_each_filter_has_its_own_rate(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    for name in ("a", "b"):
        failures = Failures(clock)
        for _ in range(11):
            failures.write(name, raised("x"))
    assert len(heads(caplog)) == 20
