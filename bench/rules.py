"""What rules cost a publish, however many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from bench.measuring import Benchmark, Effort, Result, timed
from bench.publishing import frames
from bench.stage import Sink, Stage, sink_of
from mirant.policy.rule_guard import RuleGuard
from mirant.policy.rulebook import Rulebook
from mirant.policy.rules import read_rules

_SIZES = (0, 10, 100, 1_000)
_CHANNELS = 1_000


def run(effort: Effort) -> Iterator[Result]:
    """Publish on 1,000 channels in rotation, judged by more and more rules."""
    for size in _SIZES:
        stage = Stage()
        if size:
            stage.core.enforce(RuleGuard(_book(size), stage.core.hub))
        session = stage.enter()
        names = (f"/area{number % max(size, 1)}/{number}/talk" for number in range(_CHANNELS))
        publish = partial(_publish, stage, sink_of(session), frames(names, session.id))
        yield timed("rules", f"{size:,} rules, nobody subscribed", "publish", publish, _CHANNELS, effort)


def _publish(stage: Stage, sender: Sink, published: Sequence[bytes]) -> None:
    for frame in published:
        stage.say(sender, frame)
        stage.flush()


def _book(size: int) -> Rulebook:
    """Return *size* rules: one for all channels below each of many first segments."""
    tables = [{"match": f"/area{number}/**", "publish": "anyone"} for number in range(size)]
    rules, faults = read_rules(tables, Path(), lambda path: 0)
    assert not faults, [str(fault) for fault in faults]
    return Rulebook(rules)


RULES = Benchmark("rules", "publishing under a policy", run)
