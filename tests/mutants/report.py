"""What a person reads of a mutation run."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence

from tests.mutants.argued import Argument, is_argued, name_of
from tests.mutants.changes import Change
from tests.mutants.children import Outcome

Outcomes = dict[Change, Outcome]


def print_progress(done: int, total: int) -> None:
    """Say how far it is; in a log only now and then. What survives is tried several times."""
    if sys.stderr.isatty():
        print(f"\r{done} attempts, {total} changes ", end="", file=sys.stderr, flush=True)
    elif done % 200 == 0:
        print(f"{done} attempts, {total} changes", file=sys.stderr, flush=True)


def print_report(outcomes: Outcomes, arguments: Sequence[Argument]) -> bool:
    """Print survivors and a table of modules; return whether each module has 90 % killed of what counts.

    What is argued does not count. A change that never ends is as good as killed: the tests would hang.
    """
    for change, outcome in outcomes.items():
        if outcome in (Outcome.SURVIVED, Outcome.BROKEN) and not is_argued(change, arguments):
            print(f"\n{outcome.value}: {change.diff()}\n    change = {name_of(change)!r}")
    print("\n| module | killed | timeout | survived | argued | killed of what counts |")
    print("|---|---:|---:|---:|---:|---:|")
    groups: dict[str, Outcomes] = {}
    for change, outcome in outcomes.items():
        groups.setdefault(change.module, {})[change] = outcome
    ratios = [_print_row(module, group, arguments) for module, group in groups.items()]
    if len(groups) > 1:
        _print_row("all", outcomes, arguments)
    _print_stale(outcomes, arguments)
    return all(ratio >= 0.9 for ratio in ratios)


def _print_row(module: str, outcomes: Outcomes, arguments: Sequence[Argument]) -> float:
    counts = Counter(outcomes.values())
    survived = [change for change, outcome in outcomes.items() if outcome is Outcome.SURVIVED]
    argued = sum(is_argued(change, arguments) for change in survived)
    noticed = counts[Outcome.KILLED] + counts[Outcome.TIMEOUT]
    counted = len(outcomes) - argued - counts[Outcome.BROKEN]
    ratio = noticed / counted if counted else 1.0
    columns = [counts[Outcome.KILLED], counts[Outcome.TIMEOUT], len(survived) - argued, argued]
    print(f"| {module} | {' | '.join(map(str, columns))} | {ratio:.1%} |")
    return ratio


def _print_stale(outcomes: Outcomes, arguments: Sequence[Argument]) -> None:
    """Name the arguments about changes that a test does notice."""
    for argument in arguments:
        about = [outcome for change, outcome in outcomes.items() if argument.covers(change)]
        if about and Outcome.SURVIVED not in about:
            print(f"argued.toml: a test notices this, take it out: {argument}")
