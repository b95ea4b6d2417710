"""The reports: the numbers are in them, and nothing needs anything else."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from mirant.load import report_html, report_json, report_terminal
from mirant.load.histogram import Histogram
from mirant.load.ledger import Faults
from mirant.load.orders import WorkerSample
from mirant.load.outcome import Outcome, Timeline
from mirant.load.scenario import Scenario
from mirant.load.schedule import SECOND, Pace
from mirant.load.search import Trial
from mirant.load.summary import Summary
from mirant.load.target import Target

TARGET = Target(
    url="http://bus.example/cometd?<x>",
    ext={"token": "s3cret"},
    headers=(("Authorization", "Bearer s3cret"),),
)


def outcome(fields: Mapping[str, Any] | None = None, *, pause: float = 10_000, factor: int = 1) -> Outcome:
    """Make the outcome of a run with 1,000 deliveries, 1 to 1,000 times *factor* µs late."""
    pace = Pace(start=0, pause=pause, batches=10, warm_up=SECOND)
    made = Outcome(scenario=Scenario(), pace=pace, timeline=Timeline(0, 0.5))
    for second in range(4):
        values = ((value * factor, 1) for value in range(second + 1, 1_001, 4))
        made.add_sample(
            WorkerSample(
                worker=0,
                run=1,
                at=(second + 1) * SECOND,
                ready=1_000,
                published=25 * (second + 1),
                warming=Histogram() if second else Histogram.of([(500, 10)]),
                latency=Histogram.of(values),
                lateness=Histogram.of([(200, 25)]),
            )
        )
    made.published, made.expected, made.delivered, made.payloads = 100, 1_010, 1_010, 505
    made.busy, made.cpu = [0.25, 0.5], {0: 1.0, 1: 2.0}
    for name, value in (fields or {}).items():
        setattr(made, name, value)
    return made


def summary(made: Outcome | None = None, **fields: Any) -> Summary:
    """Make the summary of one run."""
    return Summary(
        target=TARGET,
        workers=2,
        outcome=made or outcome(),
        began=datetime(2030, 1, 2, 3, 4, tzinfo=UTC),
        machine="Testix, 2 cores",
        **fields,
    )


def searched() -> Summary:
    """Make the summary of a search with one good and one bad run."""
    good, bad = outcome(), outcome(pause=5_000, factor=1_000)
    trials = (Trial(1_000, good, ""), Trial(2_000, bad, "p99 990 ms"))
    return summary(good, trials=trials, bound=50_000)


LOSSY = {
    "lost": 10,
    "delivered": 1_000,
    "faults": Faults(duplicates=1, examples=["client 3 got message 12 twice"]),
    "failures": {"the server closed a connection": 7},
}


def test_the_terminal_has_the_percentiles_and_the_histogram() -> None:
    text = report_terminal.render(summary())

    for name, value in [
        ("min", "0.001 ms"),
        ("50 %", "0.500 ms"),
        ("99 %", "0.990 ms"),
        ("99.9 %", "0.999 ms"),
        ("max", "1.00 ms"),
    ]:
        assert re.search(rf"^ +{name} +{value}$", text, re.MULTILINE), name
    assert "1,010 of 1,010" in text
    assert "2.0 in a frame" in text
    assert text.count("█") > 20
    assert "1,000 deliveries, without the first 1 s" in text
    assert "Every message arrived, once and in order." in text
    assert "25 %, 50 % of a core" in text
    assert "99.99 %" not in text
    assert "Beware" not in text


def test_reports_to_people_have_no_percentiles_that_nothing_is_beyond_and_json_has_all() -> None:
    few = summary(outcome({"latency": Histogram.of([(5_000, 50)])}))

    for text in (report_terminal.render(few), report_html.render(few)):
        assert "90 %" in text
        assert "99.9" not in text
    assert json.loads(report_json.render(few))["latency_us"]["p99.99"] == 5_000


def test_the_terminal_says_what_was_wrong() -> None:
    text = report_terminal.render(summary(outcome(LOSSY)))

    assert "Not every message arrived" in text
    assert "10 deliveries lost" in text
    assert "1 delivery came twice" in text
    assert "client 3 got message 12 twice" in text
    assert "7 times: the server closed a connection" in text


def test_the_terminal_warns_of_a_busy_generator() -> None:
    assert "Beware: A worker of the generator used 99 %" in report_terminal.render(
        summary(outcome({"busy": [0.99]}))
    )


def test_the_terminal_reports_what_little_an_interrupted_run_has() -> None:
    nothing = Outcome(
        scenario=Scenario(),
        pace=Pace(start=0, pause=1, batches=1),
        timeline=Timeline(0, 1),
        interrupted=True,
    )
    text = report_terminal.render(summary(nothing))

    assert "Interrupted" in text
    assert "nothing was published" in text


def test_the_terminal_has_the_steps_of_a_search() -> None:
    text = report_terminal.render(searched())

    assert re.search(r"published/s .* p99 +verdict\n", text)
    assert re.search(r"1,000 .* 0.990 ms +good", text)
    assert re.search(r"2,000 .* 990 ms +p99 990 ms", text)
    assert "The highest rate with a p99 of 50.0 ms or less: 1,000 messages published a second" in text


def test_the_terminal_says_when_the_generator_set_the_limit() -> None:
    found = searched()
    assert "Beware" not in report_terminal.render(found)
    found.trials[1].outcome.busy = [1.0]

    assert "the server may do more" in report_terminal.render(found)
    assert "the server may do more" in report_html.render(found)


def test_the_terminal_says_what_to_do_when_a_search_finds_nothing() -> None:
    bad = outcome(factor=1_000)
    text = report_terminal.render(summary(bad, trials=(Trial(1_000, bad, "p99 990 ms"),), bound=50_000))

    assert "No rate was found" in text
    assert "--rate" in text


def test_a_search_that_the_server_did_not_survive_says_so_everywhere_and_is_no_success() -> None:
    found = replace(searched(), ended_by="Only 0 of 10 clients are ready.\n  10 times: <it broke>")
    text, page = report_terminal.render(found), report_html.render(found)
    report = json.loads(report_json.render(found))

    assert "The search ended early. Only 0 of 10 clients are ready." in text
    assert "The highest rate until then with a p99 of 50.0 ms or less: 1,000 messages" in text
    assert "The search ended early. Only 0 of 10 clients are ready." in page
    assert "10 times: &lt;it broke&gt;" in page
    assert report["search"]["ended_by"] == found.ended_by
    assert report["success"] is False


def test_json_has_the_numbers_with_their_units() -> None:
    report = json.loads(report_json.render(summary()))

    assert report["success"] is True
    assert report["latency_us"]["p50"] == 500
    assert report["latency_us"]["p99.99"] == 1_000
    assert report["latency_us"]["curve"][-1] == [100.0, 1_000]
    assert report["verdict"]["delivered"] == 1_010
    assert report["rate"]["published_per_second"] == 1_000
    assert report["generator"]["cpu_of_a_core"] == [0.25, 0.5]
    assert sum(part["published"] for part in report["timeline"]) == pytest.approx(100, abs=4)
    assert report["scenario"]["clients"] == 1_000


def test_json_has_the_steps_of_a_search() -> None:
    search = json.loads(report_json.render(searched()))["search"]

    assert search["found_messages_per_second"] == 1_000
    assert [trial["fault"] for trial in search["trials"]] == [None, "p99 990 ms"]


def test_json_says_what_was_wrong() -> None:
    report = json.loads(report_json.render(summary(outcome(LOSSY))))

    assert report["success"] is False
    assert (report["verdict"]["lost"], report["verdict"]["duplicates"]) == (10, 1)


class Page(HTMLParser):
    """Counts the elements of a page, and notes what it would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: dict[str, int] = {}
        self.fetched: list[str | None] = []
        self.labels: list[list[list[Any]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a look at an element."""
        self.elements[tag] = self.elements.get(tag, 0) + 1
        for name, value in attrs:
            if name in ("src", "href", "action"):
                self.fetched.append(value)
            if name == "data-labels" and value:
                self.labels.append(json.loads(value))


def test_the_page_has_plots_and_needs_nothing_else() -> None:
    text = report_html.render(summary())
    page = Page(text)

    assert page.elements["svg"] == 4
    assert page.fetched == []
    assert "url(" not in text
    assert "@import" not in text
    assert "prefers-color-scheme: dark" in text
    assert "Every message arrived, once and in order." in text
    assert "0.990 ms" in text
    assert any(label == "50 %\n0.500 ms" for _, label in page.labels[0])


def test_the_page_has_the_search() -> None:
    text = report_html.render(searched())

    assert Page(text).elements["svg"] == 5
    assert "<b>1,000</b> messages a second" in text


def test_the_page_says_what_was_wrong_and_escapes_it() -> None:
    lossy = outcome({**LOSSY, "failures": {"<script>alert(1)</script>": 2}})
    text = report_html.render(summary(lossy))

    assert "10 deliveries lost" in text
    assert "<script>alert" not in text
    assert "cometd?&lt;x&gt;" in text


def test_a_page_about_nothing_has_no_plots() -> None:
    nothing = Outcome(scenario=Scenario(), pace=Pace(start=0, pause=1, batches=1), timeline=Timeline(0, 1))

    assert "svg" not in Page(report_html.render(summary(nothing))).elements


def test_no_report_has_the_credentials() -> None:
    for text in (
        report_terminal.render(summary()),
        report_json.render(summary()).decode(),
        report_html.render(summary()),
    ):
        assert "s3cret" not in text
