"""The orders of the command to its workers, and their reports."""

from __future__ import annotations

from dataclasses import dataclass, field

from mirant.load.histogram import Histogram
from mirant.load.ledger import Faults, Missing
from mirant.load.scenario import Scenario, Share
from mirant.load.schedule import Pace
from mirant.load.target import Target

# --- to a worker ---


@dataclass(frozen=True, slots=True)
class Assignment:
    """The task of a worker."""

    scenario: Scenario
    target: Target
    share: Share


@dataclass(frozen=True, slots=True)
class Gather:
    """Connect all clients that are not connected, spread over *ramp_up* seconds."""

    ramp_up: float


@dataclass(frozen=True, slots=True)
class Play:
    """Publish at this pace, and check what arrives."""

    pace: Pace


@dataclass(frozen=True, slots=True)
class Halt:
    """Publish no more; still check what arrives."""


@dataclass(frozen=True, slots=True)
class Settle:
    """Stop checking and send the `Findings`."""


@dataclass(frozen=True, slots=True)
class Finish:
    """Disconnect all clients and end."""


Order = Gather | Play | Halt | Settle | Finish

# --- from a worker ---


@dataclass(slots=True, kw_only=True)
class WorkerSample:
    """The counts of a worker, sent four times a second. Histograms cover the time since the sample before."""

    worker: int
    run: int  # the number of the run's first message; 0 before any
    at: int
    ready: int  # clients that can publish and are subscribed
    published: int = 0  # this and the next two: since the start of the run
    delivered: int = 0
    outstanding: int = 0
    is_done: bool = True  # whether it has nothing left to publish
    warming: Histogram = field(default_factory=Histogram)  # latencies of messages due in the warm-up
    latency: Histogram = field(default_factory=Histogram)  # latencies of messages due after it
    lateness: Histogram = field(default_factory=Histogram)  # how long after its time a batch was sent
    cpu: float = 0.0  # seconds, since the worker began
    failures: dict[str, int] = field(default_factory=dict)  # since the worker began


@dataclass(slots=True, kw_only=True)
class Findings:
    """The result of a worker at the end of a run. Messages are named by their numbers."""

    worker: int
    published: int
    delivered: int
    payloads: int
    halted_at: int  # the first message it would have published, had it gone on
    owed: int  # deliveries, to all workers, of the messages it published and got confirmed
    unconfirmed: dict[int, int]  # published without a reply → deliveries to be made
    unsent: list[int]  # not published, because the client had no connection
    refused: dict[int, str]  # → the server's error
    missing: dict[int, Missing]
    faults: Faults


@dataclass(frozen=True, slots=True)
class Gone:
    """The worker has ended. *error* is a traceback if it failed."""

    worker: int
    error: str = ""


Report = WorkerSample | Findings | Gone
