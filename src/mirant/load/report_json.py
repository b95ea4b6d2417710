"""The report as JSON, for programs. Latencies are in microseconds, and the names say so."""

from __future__ import annotations

from dataclasses import asdict

import msgspec

from mirant.load.histogram import Histogram
from mirant.load.outcome import Outcome
from mirant.load.schedule import SECOND
from mirant.load.summary import Summary
from mirant.load.wording import PERCENTS


def render(summary: Summary) -> bytes:
    """Return the report as indented JSON."""
    target = summary.target
    report: dict[str, object] = {
        "began": summary.began.isoformat(timespec="seconds"),
        "machine": summary.machine,
        "workers": summary.workers,
        # Headers and the handshake's ext are left out, because they hold credentials.
        "target": {"url": target.url, "transport": target.transport, "ack": target.ack},
        "scenario": asdict(summary.outcome.scenario),
        "success": summary.is_success,
        **_outcome(summary.outcome),
    }
    if summary.bound is not None:
        report["search"] = {
            "p99_bound_us": summary.bound,
            "found_messages_per_second": summary.found,
            "ended_by": summary.ended_by or None,
            "trials": [{"fault": t.fault or None, **_outcome(t.outcome)} for t in summary.trials],
        }
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def _outcome(outcome: Outcome) -> dict[str, object]:
    return {
        "run": {
            "batch_pause_us": outcome.pace.pause,
            "batches": outcome.pace.batches,
            "warm_up_seconds": outcome.pace.warm_up / SECOND,
            "seconds": outcome.seconds,
            "interrupted": outcome.interrupted,
        },
        "verdict": _verdict(outcome),
        "rate": {
            "published_per_second": outcome.publish_rate,
            "delivered_per_second": outcome.delivery_rate,
            "payloads": outcome.payloads,
        },
        "latency_us": {**_numbers(outcome.latency), "curve": outcome.latency.curve()},
        "generator": {
            "lateness_us": _numbers(outcome.lateness),
            "cpu_of_a_core": outcome.busy,
            "cpu_us_per_delivery": outcome.cost,
            "doubts": outcome.doubts,
        },
        "timeline": _timeline(outcome),
    }


def _verdict(outcome: Outcome) -> dict[str, object]:
    faults = outcome.faults
    return {
        "in_order_once": outcome.in_order_once,
        "published": outcome.published,
        "expected": outcome.expected,
        "delivered": outcome.delivered,
        "lost": outcome.lost,
        "duplicates": faults.duplicates,
        "disordered": faults.disordered,
        "altered": faults.altered,
        "strays": faults.strays,
        "refused": outcome.refused,
        "unsent": outcome.unsent,
        "unconfirmed": outcome.unconfirmed,
        "examples": faults.examples,
        "failures": outcome.failures,
    }


def _timeline(outcome: Outcome) -> list[dict[str, object]]:
    return [
        {
            "at_seconds": at,
            "published": round(part.published),
            "delivered": round(part.delivered),
            "latency_us": _numbers(part.latency),
        }
        for at, part in outcome.timeline.slices
    ]


def _numbers(histogram: Histogram) -> dict[str, object]:
    percentiles = zip(PERCENTS, histogram.percentiles(PERCENTS), strict=True)
    return {
        "count": histogram.count,
        "min": histogram.minimum,
        **{f"p{percent:g}": value for percent, value in percentiles},
        "max": histogram.maximum,
        "mean": histogram.mean,
    }
