"""The report as plain text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mirant.load.outcome import Outcome
from mirant.load.summary import Summary
from mirant.load.wording import count, milliseconds, percent_name, setting, share, telling, verdict

_ROWS: Final = 20  # of the histogram, as CometD's has
_WIDTH: Final = 40  # of its longest bar
_FAILURES: Final = 8


def render(summary: Summary) -> str:
    """Return the report in lines of about 100 characters at most."""
    outcome = summary.outcome
    lines = [
        "",
        f"{summary.target.url} over {summary.target.transport}{' with ack' if summary.target.ack else ''}",
        f"{setting(outcome)}",
        "",
    ]
    if summary.trials:
        lines += [*_search(summary), ""]
    lines += [*_numbers(outcome), "", *_latency(outcome), "", *_judgement(outcome)]
    if summary.bound is not None:
        lines += ["", *_found(summary)]
    return "\n".join(lines) + "\n"


def _search(summary: Summary) -> Iterator[str]:
    yield "  published/s  delivered/s        p50        p99  verdict"
    for trial in summary.trials:
        latency = trial.outcome.latency
        p50, p99 = latency.percentiles([50, 99])
        yield (
            f"  {trial.rate:11,.0f}  {trial.outcome.delivery_rate:11,.0f} {milliseconds(p50):>10}"
            f" {milliseconds(p99):>10}  {'good' if trial.is_good else trial.fault}"
        )


def _numbers(outcome: Outcome) -> Iterator[str]:
    yield f"Published   {count(outcome.published, 'message')}, {outcome.publish_rate:,.0f} a second"
    delivered = f"{outcome.delivered:,} of {outcome.expected:,}, {outcome.delivery_rate:,.0f} a second"
    if outcome.payloads:
        delivered += f", {outcome.delivered / outcome.payloads:.1f} in a frame or response"
    yield f"Delivered   {delivered}"
    late = [milliseconds(value) for value in outcome.lateness.percentiles([50, 99, 100])]
    busy = ", ".join(map(share, outcome.busy))
    yield f"Generator   late by {late[0]} (50 %), {late[1]} (99 %), {late[2]} at most"
    yield f"            {busy} of a core, {outcome.cost:.1f} µs of CPU a delivery"


def _latency(outcome: Outcome) -> Iterator[str]:
    latency = outcome.latency
    timed = f"{latency.count:,} deliveries"
    if outcome.pace.warm_up:
        timed += f", without the first {outcome.pace.warm_up / 1e6:g} s"
    yield f"Latency     from when a message was due until it arrived; {timed}"
    if not latency.count:
        return
    yield ""
    rows = [("min", latency.minimum)]
    rows += [(percent_name(percent), value) for percent, value in telling(latency)]
    rows += [("max", latency.maximum), ("mean", round(latency.mean))]
    for name, value in rows:
        yield f"  {name:>7}  {milliseconds(value):>10}"
    yield ""
    yield from _histogram(outcome)


def _histogram(outcome: Outcome) -> Iterator[str]:
    bars = outcome.latency.bars(_ROWS)
    marks = telling(outcome.latency)
    most = max(number for _, number in bars)
    before = 0
    for end, number in bars:
        names = [percent_name(percent) for percent, value in marks if before < value <= end]
        bar = _bar(number / most * _WIDTH)
        yield f"  {milliseconds(end):>10}  {bar:<{_WIDTH}} {number:>11,}  {', '.join(names)}".rstrip()
        before = end


def _bar(length: float) -> str:
    eighths = round(length * 8)
    bar = "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()
    return bar or ("▏" if length else "")


def _judgement(outcome: Outcome) -> Iterator[str]:
    for doubt in outcome.doubts:
        yield f"Beware: {doubt}"
    sentence, particulars = verdict(outcome)
    if outcome.failures:
        yield "Failures on the way:"
        failures = sorted(outcome.failures.items(), key=lambda item: -item[1])
        for failure, number in failures[:_FAILURES]:
            yield f"  {number:,} times: {failure}"
    if outcome.interrupted:
        yield "Interrupted: this is the part of the run until then."
    yield sentence
    for particular in particulars:
        yield f"  {particular}"


def _found(summary: Summary) -> Iterator[str]:
    if summary.ended_by:
        yield f"The search ended early. {summary.ended_by}"
    promise = f"a p99 of {milliseconds(summary.bound or 0)} or less"
    if summary.found is None:
        advice = "" if summary.ended_by else " Begin lower: --rate, or allow more: --p99."
        yield f"No rate was found with {promise}.{advice}"
        return
    rate = f"{summary.found:,.0f} messages published a second"
    what = "The highest rate until then" if summary.ended_by else "The highest rate"
    yield f"{what} with {promise}: {rate}, {summary.outcome.delivery_rate:,.0f} delivered."
    if summary.is_limited_by_generator:
        yield "Beware: beyond it the generator could not keep up; the server may do more."
