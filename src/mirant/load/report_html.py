"""The report as one web page that needs nothing else."""

from __future__ import annotations

import math
from html import escape
from typing import Final

from mirant.load.charts import ChartLine, bar_chart, exact, line_chart, linear, logarithmic, percentiles
from mirant.load.outcome import Outcome
from mirant.load.report_page import PAGE
from mirant.load.schedule import SECOND
from mirant.load.search import Trial
from mirant.load.summary import Summary
from mirant.load.wording import (
    count,
    milliseconds,
    percent_name,
    setting,
    share,
    short,
    telling,
    verdict,
)

_BARS: Final = 40


def render(summary: Summary) -> str:
    """Return the page as text, to be saved as UTF-8."""
    sections = [_header(summary), _tiles(summary.outcome), _judgement(summary)]
    if summary.trials:
        sections.append(_search(summary))
    if summary.outcome.latency.count:
        sections += [_percentiles(summary), _histogram(summary.outcome), _timeline(summary.outcome)]
    return PAGE.replace("{title}", _title(summary)).replace("{body}", "\n".join(sections))


def _title(summary: Summary) -> str:
    return escape(f"mirant load: {summary.target.url} over {summary.target.transport}")


def _header(summary: Summary) -> str:
    target = summary.target
    workers = count(summary.workers, "worker")
    return (
        f"<header><h1>{escape(target.url)}</h1>"
        f"<p>{escape(target.transport)}{' with ack' if target.ack else ''}: "
        f"{escape(setting(summary.outcome))}.</p>"
        f"<p class=quiet>{summary.began:%Y-%m-%d %H:%M} · {workers} on {escape(summary.machine)}</p></header>"
    )


def _tiles(outcome: Outcome) -> str:
    known = {percent: milliseconds(value) for percent, value in telling(outcome.latency)}
    beyond = [f"{percent_name(percent)} {value}" for percent, value in known.items() if percent > 99]
    tiles = [
        ("Published", f"{outcome.publish_rate:,.0f}/s", count(outcome.published, "message")),
        ("Delivered", f"{outcome.delivery_rate:,.0f}/s", f"{outcome.delivered:,} of {outcome.expected:,}"),
        ("Median", known.get(50, ""), f"mean {milliseconds(outcome.latency.mean)}"),
        ("99 %", known.get(99, ""), beyond[-1] if beyond else ""),
        ("Slowest", milliseconds(outcome.latency.maximum), f"of {outcome.latency.count:,} timed"),
    ]
    drawn = [
        f"<div><h3>{name}</h3><b>{value}</b><span>{more}</span></div>" for name, value, more in tiles if value
    ]
    return f"<section class=tiles>{''.join(drawn)}</section>"


def _judgement(summary: Summary) -> str:
    outcome = summary.outcome
    sentence, particulars = verdict(outcome)
    parts = [f"<section class='verdict {'good' if outcome.in_order_once else 'bad'}'><h2>{sentence}</h2>"]
    failures = sorted(outcome.failures.items(), key=lambda item: -item[1])
    particulars = particulars + [f"{number:,} times: {failure}" for failure, number in failures[:8]]
    if outcome.interrupted:
        particulars.insert(0, "the run was interrupted")
    if particulars:
        parts.append(f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in particulars)}</ul>")
    late = milliseconds(outcome.lateness.percentile(99))
    busy = ", ".join(map(share, outcome.busy))
    parts.append(
        f"<p class=quiet>The generator sent 99 % of its batches within {late} of their time; "
        f"its workers used {busy} of a core, {outcome.cost:.1f} µs a delivery.</p>"
    )
    parts += [f"<p class=beware>{escape(doubt)}</p>" for doubt in outcome.doubts]
    return "".join(parts) + "</section>"


def _section(title: str, note: str, *content: str) -> str:
    return f"<section><h2>{title}</h2><p class=quiet>{note}</p>{''.join(content)}</section>"


def _legend(*lines: ChartLine) -> str:
    keys = "".join(f'<li class="{line.style}">{escape(line.name)}</li>' for line in lines if line.points)
    return f"<ul class=legend>{keys}</ul>"


def _search(summary: Summary) -> str:
    trials = sorted(summary.trials, key=lambda trial: trial.rate)
    points = [(trial.rate, float(max(trial.outcome.latency.percentile(99), 1))) for trial in trials]
    bound = float(summary.bound or 1)
    rates = [rate for rate, _ in points]
    y = logarithmic(
        min([bound, *(p99 for _, p99 in points)]), max([bound, *(p99 for _, p99 in points)]), short
    )
    x = linear(0, max(rates), lambda rate: f"{rate:,.0f}", "messages published per second")
    good = ChartLine(
        "p99, good", "a", [p for p, t in zip(points, trials, strict=True) if t.is_good], dots=True
    )
    bad = ChartLine(
        "p99, not good", "b", [p for p, t in zip(points, trials, strict=True) if not t.is_good], dots=True
    )
    limit = ChartLine(f"bound: {milliseconds(bound)}", "c", [(0, bound), (x.end, bound)])
    labels = [(trial.rate, _of_trial(trial)) for trial in trials]
    chart = line_chart(x, y, [limit, good, bad], labels=labels)
    return _section("Search", _found(summary), _legend(good, bad, limit), chart)


def _found(summary: Summary) -> str:
    if summary.found is None:
        note = "No rate kept the p99 under the bound."
    else:
        note = (
            f"The highest rate with a p99 of {milliseconds(summary.bound or 0)} or less is "
            f"<b>{summary.found:,.0f}</b> messages a second, {summary.outcome.delivery_rate:,.0f} deliveries."
            " The rest is of that run."
        )
    if summary.is_limited_by_generator:
        note += " Beyond it the generator could not keep up; the server may do more."
    if summary.ended_by:
        note += f"</p><p class=beware>The search ended early. {escape(summary.ended_by)}"
    return note


def _of_trial(trial: Trial) -> str:
    p50, p99 = trial.outcome.latency.percentiles([50, 99])
    return (
        f"{trial.rate:,.0f} published/s\n{trial.outcome.delivery_rate:,.0f} delivered/s\n"
        f"p50 {milliseconds(p50)}\np99 {milliseconds(p99)}\n{trial.fault or 'good'}"
    )


def _percentiles(summary: Summary) -> str:
    latency = summary.outcome.latency
    curve = [(percent, float(value)) for percent, value in latency.curve()]
    nines = min(max(1, math.floor(math.log10(latency.count))), 6)
    line = ChartLine("latency", "a", curve)
    y = logarithmic(max(latency.minimum, 1), latency.maximum, short)
    labels = [(percent, f"{percent:.6g} %\n{milliseconds(value)}") for percent, value in curve]
    chart = line_chart(percentiles(nines, "of all deliveries"), y, [line], labels=labels)
    rows = [("min", latency.minimum)]
    rows += [(percent_name(percent), value) for percent, value in telling(latency)]
    rows += [("max", latency.maximum)]
    table = "".join(f"<tr><th>{name}<td>{milliseconds(value)}" for name, value in rows)
    note = (
        "From when a message was due to be sent until a client had it, whether or not the generator was late."
    )
    return _section("Latency", note, chart, f"<table>{table}</table>")


def _histogram(outcome: Outcome) -> str:
    bars = outcome.latency.bars(_BARS)
    most = max(number for _, number in bars)
    drawn = []
    before = outcome.latency.minimum
    for index, (end, number) in enumerate(bars):
        name = milliseconds(end) if index % 5 == 4 and index < len(bars) - 1 else ""
        percent = 100 * number / outcome.latency.count
        text = f"{milliseconds(before)} to {milliseconds(end)}\n{number:,} ({percent:.2f} %)"
        drawn.append((name, float(number), text))
        before = end
    y = linear(0, most, lambda value: f"{value:,.0f}")
    return _section(
        "Distribution",
        "How many deliveries took how long.",
        bar_chart(y, drawn, "latency, each bar the same ratio further"),
    )


def _timeline(outcome: Outcome) -> str:
    slices = outcome.timeline.slices
    width = outcome.timeline.width
    end = max((at + width for at, _ in slices), default=1.0)
    seconds = exact(0, end, lambda at: f"{at:g} s", "since the start")
    warm_up = outcome.pace.warm_up / SECOND or None
    timed = [
        (at + width / 2, part.latency.percentiles([50, 99, 100])) for at, part in slices if part.latency.count
    ]
    p50, p99, top = (
        ChartLine(name, style, [(at, float(max(values[index], 1))) for at, values in timed])
        for index, (name, style) in enumerate([("50 %", "a"), ("99 %", "b"), ("slowest", "c")])
    )
    values = [value for line in (p50, p99, top) for _, value in line.points]
    y = logarithmic(min(values), max(values), short)
    labels = [
        (at, f"{at - width / 2:g} to {at + width / 2:g} s\n{_of_moment(values)}") for at, values in timed
    ]
    note = "Of the deliveries that arrived in each moment." + (
        " Shaded: warm-up, not timed." if warm_up else ""
    )
    latency = line_chart(seconds, y, [top, p99, p50], labels=labels, shade=warm_up)
    return _section("Latency over time", note, _legend(p50, p99, top), latency) + _throughput(outcome)


def _of_moment(values: list[int]) -> str:
    p50, p99, top = map(milliseconds, values)
    return f"50 % {p50}\n99 % {p99}\nslowest {top}"


def _throughput(outcome: Outcome) -> str:
    slices, width = outcome.timeline.slices, outcome.timeline.width
    fan_out = outcome.expected / outcome.published if outcome.published else 0.0
    # The last slice is rarely whole, and would look like a collapse.
    whole = slices[:-1] or slices
    delivered = ChartLine("delivered", "a", [(at + width / 2, part.delivered / width) for at, part in whole])
    asked = [(at + width / 2, part.published * fan_out / width) for at, part in whole]
    due = ChartLine("asked for by what was published", "c", asked)
    labels = [
        (
            at + width / 2,
            f"{at:g} to {at + width:g} s\n{part.delivered / width:,.0f} delivered/s\n"
            f"{part.published / width:,.0f} published/s",
        )
        for at, part in slices
    ]
    y = linear(0, max(rate for _, rate in [*delivered.points, *due.points]), lambda rate: f"{rate:,.0f}")
    end = max((at + width for at, _ in slices), default=1.0)
    seconds = exact(0, end, lambda at: f"{at:g} s", "since the start")
    chart = line_chart(
        seconds, y, [due, delivered], labels=labels, shade=outcome.pace.warm_up / SECOND or None
    )
    return _section("Throughput", "Deliveries per second.", _legend(delivered, due), chart)
