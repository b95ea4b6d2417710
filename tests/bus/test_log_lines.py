"""Lines that clients can cause: bounded in number, counted, and one line each. `test_audit.py` has more."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirant.bus.log_lines import LogLines, one_line, one_word

log = logging.getLogger("mirant.tests")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> LogLines:
    caplog.set_level(logging.INFO, "mirant.tests")
    return LogLines(log)


def test_an_event_is_a_name_and_its_facts(lines: LogLines, caplog: pytest.LogCaptureFixture) -> None:
    lines.write(0.0, logging.INFO, "a.b", {"x": 1, "none": None, "said": "two words"})

    assert caplog.messages == ['a.b x=1 said="two words"']


def test_without_a_source_only_the_rate_of_all_counts(
    lines: LogLines, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(150):
        lines.write(5.0, logging.INFO, "a", {})
    lines.write(6.0, logging.INFO, "a", {})

    assert len(caplog.messages) == 101
    assert caplog.messages[-1] == "a suppressed=50"


def test_a_source_that_always_fails_hides_no_other(lines: LogLines, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(50):
        lines.write(5.0, logging.INFO, "a", {}, source="noisy")
    lines.write(5.0, logging.INFO, "a", {"source": "other"}, source="other")

    assert caplog.messages == ["a"] * 10 + ["a source=other suppressed=40"]


def test_what_nobody_listens_to_is_not_made(lines: LogLines, caplog: pytest.LogCaptureFixture) -> None:
    lines.write(0.0, logging.DEBUG, "a", {}, places=lambda: 1 / 0)  # type: ignore[arg-type, return-value]  # never called

    assert caplog.records == []


@given(st.text(alphabet=st.characters()))
def test_a_value_is_one_word_of_one_line(text: str) -> None:
    word = one_word(text)

    assert word
    assert word.isascii()
    assert word.isprintable()
    assert word.startswith('"') == word.endswith('"')
    assert " " not in word or word.startswith('"')


@given(st.text(alphabet=st.characters()))
def test_a_text_is_one_line_that_controls_no_terminal(text: str) -> None:
    assert one_line(text).isprintable()


def test_a_value_is_cut_after_256_characters() -> None:
    assert one_word("x" * 300) == one_line("x" * 300) == "x" * 256


def test_a_text_that_would_end_a_line_is_escaped_without_quotes() -> None:
    assert one_line("a\nb") == r"a\nb"


def test_places_follow_the_line(lines: LogLines, caplog: pytest.LogCaptureFixture) -> None:
    lines.write(0.0, logging.INFO, "a", {}, places=lambda: "Error at\n  File")

    assert caplog.records[0].exc_text == "Error at\n  File"


def written(lines: LogLines, caplog: pytest.LogCaptureFixture, now: float, source: str) -> bool:
    """Whether a line of *source* is written at *now*."""
    before = len(caplog.records)
    lines.write(now, logging.INFO, "a", {}, source=source)
    return len(caplog.records) > before


def test_after_ten_lines_a_source_has_one_each_five_seconds(
    lines: LogLines, caplog: pytest.LogCaptureFixture
) -> None:
    assert all(written(lines, caplog, 0.0, "noisy") for _ in range(10))
    assert [written(lines, caplog, now, "noisy") for now in (4.9, 5.0, 9.9, 10.0)] == [False, True] * 2


def test_4096_sources_are_counted_apart(lines: LogLines, caplog: pytest.LogCaptureFixture) -> None:
    def others(count: int) -> None:
        for number in range(count):
            written(lines, caplog, 1.0, f"source {number}")

    for _ in range(10):
        written(lines, caplog, 0.0, "noisy")
    others(4_095)
    assert not written(lines, caplog, 2.0, "noisy")
    others(4_096)
    assert written(lines, caplog, 3.0, "noisy")


def test_a_source_is_told_apart_by_its_first_64_characters(
    lines: LogLines, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(10):
        written(lines, caplog, 0.0, "x" * 63 + "yz")
    assert not written(lines, caplog, 0.0, "x" * 63 + "ya")
    assert written(lines, caplog, 0.0, "x" * 63 + "zz")
