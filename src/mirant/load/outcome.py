"""The outcome of a run: the reports of all workers, put together and judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from mirant.load.histogram import Histogram
from mirant.load.ledger import Faults, Missing
from mirant.load.orders import Findings, WorkerSample
from mirant.load.scenario import Scenario
from mirant.load.schedule import SECOND, Pace

# Beyond these limits a run measures the generator. A delay of 5 ms is half of CometD's pause.
_LATE: Final = 5_000  # microseconds, at the 99th percentile
_BUSY: Final = 0.9  # of a core

_EXAMPLES: Final = 5


@dataclass(slots=True)
class Slice:
    """One slice of time. Counts may be fractions, because a sample is spread over the time it spans."""

    published: float = 0.0
    delivered: float = 0.0
    latency: Histogram = field(default_factory=Histogram)


class Timeline:
    """A run in slices of *width* seconds since its start."""

    def __init__(self, start: int, width: float) -> None:
        self.width = width
        self._start = start
        self._slices: dict[int, Slice] = {}
        self._before: dict[
            int, tuple[float, int]
        ] = {}  # worker → when it last reported, and how much it had published

    def add(self, sample: WorkerSample) -> None:
        """Add the sample of a worker."""
        at = max((sample.at - self._start) / SECOND, 0.0)
        before, published = self._before.get(sample.worker, (0.0, 0))
        self._before[sample.worker] = (at, sample.published)
        delivered = sample.warming.count + sample.latency.count
        for here, share in self._spread(before, at):
            here.published += (sample.published - published) * share
            here.delivered += delivered * share
        if delivered:
            middle = self._slice(int((before + at) / 2 / self.width))
            middle.latency.merge(sample.warming)
            middle.latency.merge(sample.latency)

    @property
    def slices(self) -> list[tuple[float, Slice]]:
        """Each slice with its beginning, in seconds since the start, without gaps."""
        last = max(self._slices, default=-1)
        return [(index * self.width, self._slices.get(index, Slice())) for index in range(last + 1)]

    def _spread(self, begin: float, end: float) -> Iterator[tuple[Slice, float]]:
        """Yield the slices between two times, each with its share of that time."""
        whole = end - begin
        while begin < end:
            index = int(begin / self.width + 1e-9)
            until = min(end, (index + 1) * self.width)
            yield self._slice(index), (until - begin) / whole
            begin = until

    def _slice(self, index: int) -> Slice:
        return self._slices.setdefault(index, Slice())


@dataclass(slots=True, kw_only=True)
class Outcome:
    """One run. Times are microseconds unless their names say seconds."""

    scenario: Scenario
    pace: Pace
    timeline: Timeline
    latency: Histogram = field(default_factory=Histogram)
    lateness: Histogram = field(default_factory=Histogram)
    busy: list[float] = field(default_factory=list)  # of a core, per worker, while publishing
    cpu: dict[int, float] = field(default_factory=dict)  # worker → seconds, over the whole run
    published: int = 0
    delivered: int = 0
    expected: int = 0
    lost: int = 0
    unconfirmed: int = 0  # publishes that got no reply and did not reach everyone
    unsent: int = 0
    refused: int = 0
    payloads: int = 0
    faults: Faults = field(default_factory=Faults)
    failures: dict[str, int] = field(default_factory=dict)
    interrupted: bool = False
    seconds: float = 0.0  # from the first batch until the last delivery

    @property
    def in_order_once(self) -> bool:
        """Whether every message was published, and arrived where it should, once and in order."""
        faults = self.faults
        wrong = faults.duplicates + faults.disordered + faults.altered + faults.strays
        return not (wrong or self.lost or self.unconfirmed or self.unsent or self.refused) and (
            self.expected == self.delivered and self.published > 0
        )

    @property
    def doubts(self) -> list[str]:
        """Why the run may measure the generator: sentences, each with a remedy."""
        late, busiest = self.lateness.percentile(99), max(self.busy, default=0.0)
        if busiest > _BUSY:
            return [
                f"A worker of the generator used {busiest * 100:.0f} % of a core, so the latency is partly "
                "its own. Use more --workers, or another machine."
            ]
        if late > _LATE:
            return [
                f"1 % of the batches left {late / 1000:.1f} ms late or more, so the latency is partly the "
                "generator's own. Give it a core, or a machine, to itself."
            ]
        return []

    @property
    def publish_rate(self) -> float:
        """Messages published per second, as planned."""
        return self.scenario.batch_size * SECOND / self.pace.pause

    @property
    def delivery_rate(self) -> float:
        """Messages delivered per second, over the whole run."""
        return self.delivered / self.seconds if self.seconds else 0.0

    @property
    def cost(self) -> float:
        """Microseconds of CPU that the generator spent for a delivery, publishing included."""
        return sum(self.cpu.values()) * SECOND / self.delivered if self.delivered else 0.0

    def add_sample(self, sample: WorkerSample) -> None:
        """Add the sample of a worker during the run."""
        self.timeline.add(sample)
        self.latency.merge(sample.latency)
        self.lateness.merge(sample.lateness)
        if sample.warming.count or sample.latency.count:
            self.seconds = max(self.seconds, (sample.at - self.pace.start) / SECOND)

    def conclude(self, findings: Sequence[Findings]) -> None:
        """Reconcile what the workers published with what they received."""
        halted_at = {found.worker: found.halted_at for found in findings}
        refused = {number: error for found in findings for number, error in found.refused.items()}
        unconfirmed = {number: n for found in findings for number, n in found.unconfirmed.items()}
        unsent = {number for found in findings for number in found.unsent}
        self.published = sum(found.published for found in findings)
        self.delivered = sum(found.delivered for found in findings)
        self.payloads = sum(found.payloads for found in findings)
        self.unsent, self.refused = len(unsent), len(refused)
        self.expected = sum(found.owed for found in findings)
        missing_unconfirmed: Counter[int] = Counter()
        for found in findings:
            self.faults.merge(found.faults)
            for number, missing in found.missing.items():
                if number in unconfirmed:
                    missing_unconfirmed[number] += missing.clients
                elif (
                    number not in refused
                    and number not in unsent
                    and number < halted_at[missing.publisher % len(halted_at)]
                ):
                    self._lose(number, missing)
        self.unconfirmed = len(missing_unconfirmed)
        # Of an unconfirmed message, only the deliveries that arrived count as owed.
        self.expected += sum(n - missing_unconfirmed[number] for number, n in unconfirmed.items())
        for error, count in Counter(refused.values()).items():
            self.failures[f"publish refused: {error}"] = count

    def _lose(self, number: int, missing: Missing) -> None:
        if self.lost < _EXAMPLES:
            self.faults.examples.append(
                f"message {number} of client {missing.publisher} never reached {_clients(missing)}"
            )
        self.lost += missing.clients


def _clients(missing: Missing) -> str:
    named = ", ".join(map(str, missing.named))
    more = missing.clients - len(missing.named)
    return f"client{'s' if missing.clients > 1 else ''} {named}{f' and {more} more' if more else ''}"
