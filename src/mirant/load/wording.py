"""Numbers and verdicts in words, for all reports."""

from __future__ import annotations

from typing import Final

from mirant.load.histogram import Histogram
from mirant.load.outcome import Outcome

#: The percentiles in reports. Reports for people have those that `telling` returns.
PERCENTS: Final = (50.0, 90.0, 99.0, 99.9, 99.99)


def milliseconds(microseconds: float) -> str:
    """Return a duration with three digits, such as ``0.812 ms``, ``14.2 ms`` or ``1,250 ms``."""
    value = microseconds / 1_000
    digits = 3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{digits}f} ms"


def short(microseconds: float) -> str:
    """Return a duration as a chart names it: ``50 µs``, ``0.5 ms``, ``20 ms`` or ``2 s``."""
    if microseconds < 100:
        return f"{microseconds:g} µs"
    if microseconds < 1_000_000:
        return f"{microseconds / 1_000:g} ms"
    return f"{microseconds / 1_000_000:g} s"


def telling(histogram: Histogram) -> list[tuple[float, int]]:
    """Return (percent, value) for percentiles that at least one value exceeds. The others are noise."""
    # A hair less than one, because 1,000 * (100 - 99.9) is 99.99999999999432.
    percents = [p for p in PERCENTS if histogram.count * (100 - p) > 100 - 1e-6]
    return list(zip(percents, histogram.percentiles(percents), strict=True))


def share(part: float) -> str:
    """Return ``97 %`` for 0.97."""
    return f"{part * 100:.0f} %"


def percent_name(percent: float) -> str:
    """Return ``99.9 %`` for 99.9."""
    return f"{percent:g} %"


def count(number: int, one: str, many: str = "") -> str:
    """Return ``1 message`` or ``1,000 messages``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def setting(outcome: Outcome) -> str:
    """Return the scenario in one sentence, without its full stop."""
    scenario = outcome.scenario
    return (
        f"{count(scenario.clients, 'client')} in {count(scenario.rooms, 'room')} "
        f"({scenario.rooms_per_client} each), "
        f"a batch of {count(scenario.batch_size, 'message')} of {count(scenario.message_size, 'byte')} "
        f"every {milliseconds(outcome.pace.pause)}"
    )


def verdict(outcome: Outcome) -> tuple[str, list[str]]:
    """Return the verdict in a sentence, and what was wrong in others."""
    if outcome.in_order_once:
        return "Every message arrived, once and in order.", []
    return "Not every message arrived, once and in order.", particulars(outcome) + outcome.faults.examples


def particulars(outcome: Outcome) -> list[str]:
    """Return the failures of a run, each with its count."""
    faults = outcome.faults
    wrong = [
        (outcome.lost, "delivery lost", "deliveries lost"),
        (faults.duplicates, "delivery came twice", "deliveries came twice"),
        (
            faults.disordered,
            "delivery out of its publisher's order",
            "deliveries out of their publisher's order",
        ),
        (faults.altered, "delivery with other contents", "deliveries with other contents"),
        (
            faults.strays,
            "message that was not for its receiver",
            "messages that were not for their receivers",
        ),
        (outcome.refused, "publish refused", "publishes refused"),
        (
            outcome.unsent,
            "publish not sent: its client was away",
            "publishes not sent: their clients were away",
        ),
        (
            outcome.unconfirmed,
            "publish neither confirmed nor delivered",
            "publishes neither confirmed nor delivered",
        ),
    ]
    if named := [count(number, one, many) for number, one, many in wrong if number]:
        return named
    return ["the workers' accounts differ" if outcome.published else "nothing was published"]
