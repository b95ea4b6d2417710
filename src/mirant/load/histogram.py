"""A histogram of durations with three significant digits at any size, after HdrHistogram.

The `hdrhistogram` package does the same, but it takes 5 µs to record a value, half of what this generator may
spend on a whole delivery, and it needs setuptools at run time. Here values arrive by the thousand and already
counted (`add` takes a count), so plain Python is fast enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

# Below 2^11 µs each value has its own bucket; above, 2^10 buckets share each power of two: within 0.1 %.
_BITS: Final = 10
_HALF: Final = 1 << _BITS
_EXACT: Final = _HALF << 1


def bucket_of(value: int) -> int:
    """Return the number of the bucket for *value*, which is not negative."""
    if value < _EXACT:
        return value
    shift = value.bit_length() - _BITS - 1
    return (shift << _BITS) + (value >> shift)


def top_of(bucket: int) -> int:
    """Return the largest value that falls into *bucket*."""
    if bucket < _EXACT:
        return bucket
    shift = (bucket >> _BITS) - 1
    return ((bucket - (shift << _BITS) + 1) << shift) - 1


class Histogram(msgspec.Struct):
    """Counts of values in whole microseconds. A negative value counts as 0."""

    counts: dict[int, int] = msgspec.field(default_factory=dict)
    count: int = 0
    total: int = 0
    minimum: int = 0
    maximum: int = 0

    @classmethod
    def of(cls, values: Iterable[tuple[int, int]]) -> Histogram:
        """Return the histogram of (value, how often) pairs."""
        histogram = cls()
        for value, count in values:
            histogram.add(value, count)
        return histogram

    def add(self, value: int, count: int = 1) -> None:
        """Count *value* in."""
        value = max(value, 0)
        bucket = bucket_of(value)
        self.counts[bucket] = self.counts.get(bucket, 0) + count
        self.minimum = value if not self.count else min(self.minimum, value)
        self.maximum = max(self.maximum, value)
        self.count += count
        self.total += value * count

    def merge(self, other: Histogram) -> None:
        """Count in what *other* has counted."""
        if not other.count:
            return
        for bucket, count in other.counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count
        self.minimum = other.minimum if not self.count else min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)
        self.count += other.count
        self.total += other.total

    @property
    def mean(self) -> float:
        """The average, exactly; 0 if nothing was counted."""
        return self.total / self.count if self.count else 0.0

    def percentile(self, percent: float) -> int:
        """Return a value that *percent* of all values do not exceed; 0 if nothing was counted."""
        return self.percentiles([percent])[0]

    def percentiles(self, percents: Iterable[float]) -> list[int]:
        """Return the value at each of *percents*, which rise."""
        steps = self._rising()
        top, reached = 0, 0
        found = []
        for percent in percents:
            wanted = min(max(self.count * percent / 100, 1), self.count)
            # A hair less, because 99.9 / 100 * 1000 is 999.0000000000001, and the 999th value is meant.
            while reached < wanted - 1e-6:
                top, reached = next(steps)
            found.append(min(top, self.maximum))
        return found

    def curve(self) -> list[tuple[float, int]]:
        """Return (percent, value) points up to 100 %. Every four of them halve the distance to it."""
        if not self.count:
            return []
        percents: list[float] = []
        left, step = 100.0, 0
        while left * self.count > 50:  # half a value of all that were counted
            percents.append(100 - left * (1 - step / 8))
            step += 1
            if step == 4:
                left, step = left / 2, 0
        percents.append(100.0)
        return list(zip(percents, self.percentiles(percents), strict=True))

    def bars(self, rows: int) -> list[tuple[int, int]]:
        """Return (upper end, count) for *rows* ranges of equal ratio between minimum and maximum."""
        if not self.count:
            return []
        low = max(self.minimum, 1)
        ratio = max(self.maximum / low, 1.0) ** (1 / rows)
        ends = [round(low * ratio ** (row + 1)) for row in range(rows)]
        ends[-1] = max(ends[-1], self.maximum)
        bars = dict.fromkeys(ends, 0)
        found = sorted(bars)
        position = 0
        for bucket, count in sorted(self.counts.items()):
            while found[position] < min(top_of(bucket), self.maximum) and position < len(found) - 1:
                position += 1
            bars[found[position]] += count
        return [(end, bars[end]) for end in found]

    def _rising(self) -> Iterator[tuple[int, int]]:
        reached = 0
        for bucket, count in sorted(self.counts.items()):
            reached += count
            yield top_of(bucket), reached
