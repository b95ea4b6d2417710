"""Fuzzing for as long as one likes::

python -m fuzz.run --seconds 600              # Hypothesis, all targets in turn
python -m fuzz.run --atheris frame            # libFuzzer's coverage guidance; needs `pip install atheris`
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Final

from hypothesis import HealthCheck, Phase, given, seed, settings

from fuzz.inputs import inputs_of
from fuzz.targets import TARGETS

_ROUND: Final = 500


def with_hypothesis(names: list[str], seconds: float, first_seed: int) -> None:
    """Feed the targets in turn, *_ROUND* inputs each, until *seconds* are over; print each round."""
    end = time.monotonic() + seconds
    number = first_seed
    while time.monotonic() < end:
        for name in names:
            _feed(name, number)
        number += 1
        say(f"seed {number - 1}: {_ROUND} inputs each for {', '.join(names)}")


def _feed(name: str, number: int) -> None:
    @seed(number)
    @settings(
        max_examples=_ROUND,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs_of(name))
    def feed(data: bytes) -> None:
        TARGETS[name](data)

    feed()


def with_atheris(name: str) -> None:
    """Run libFuzzer on one target until it is interrupted."""
    atheris = import_module("atheris")  # optional: it needs a wheel for the Python at hand, or a compiler
    target: Callable[[bytes], None] = TARGETS[name]
    with atheris.instrument_imports():
        atheris.Setup(sys.argv[:1], target)
        atheris.Fuzz()


def say(line: str) -> None:
    """Print *line* at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Read the arguments and fuzz."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.run", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[[], *TARGETS], default=[])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--atheris", choices=TARGETS)
    options = parser.parse_args()
    if options.atheris:
        with_atheris(options.atheris)
    else:
        with_hypothesis(options.targets or list(TARGETS), options.seconds, options.seed)


if __name__ == "__main__":
    main()
