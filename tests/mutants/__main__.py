"""``python -m tests.mutants``: what ``make mutants`` runs."""

import argparse
import random
import sys

from tests.mutants.argued import is_argued, read_arguments
from tests.mutants.choosing import modules
from tests.mutants.finding import find_changes
from tests.mutants.report import print_report
from tests.mutants.run import Run, default_jobs


def main() -> int:
    """Run, print, and return 1 if a module has less than 90 % of its changes noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument(
        "--only", default="", help="modules or packages, with commas: bus/outbox,policy/filters"
    )
    parser.add_argument("--sample", type=int, help="try only so many changes, chosen by --seed")
    parser.add_argument("--seed", type=int, default=1, help="which sample (default: 1)")
    parser.add_argument("--jobs", type=int, default=default_jobs(), help="how many at a time")
    parser.add_argument(
        "--near", action="store_true", help="do not ask all tests about what survives the near"
    )
    parser.add_argument("--skip-argued", action="store_true", help="do not try what argued.toml has")
    options = parser.parse_args()
    arguments = read_arguments()
    try:
        chosen = modules([name for name in options.only.split(",") if name])
    except LookupError as error:
        parser.error(str(error))
    changes = [change for module in chosen for change in find_changes(module)]
    if options.skip_argued:
        changes = [change for change in changes if not is_argued(change, arguments)]
    if options.sample is not None and options.sample < len(changes):
        sample = random.Random(options.seed).sample(range(len(changes)), options.sample)
        changes = [changes[index] for index in sorted(sample)]
    run = Run(changes, options.jobs)
    run.near()
    if not options.near:
        run.wide()
    return 0 if print_report(run.outcomes, arguments) else 1


if __name__ == "__main__":
    sys.exit(main())
