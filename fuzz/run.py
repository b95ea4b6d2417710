"""Fuzzing for as long as one likes::

python -m fuzz.run --seconds 600              # Hypothesis, all targets in turn
python -m fuzz.run --atheris frame            # libFuzzer's coverage guidance; needs `pip install atheris`

No module of Mirant may be imported before atheris instruments it: libFuzzer sees only what was instrumented.
So this module imports the targets where it runs them.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from tempfile import gettempdir
from typing import Final

from hypothesis import HealthCheck, Phase, given, seed, settings

from fuzz.inputs import INPUTS, inputs_of

_ROUND: Final = 500
#: Of libFuzzer: an input that takes 20 seconds, or 4 GiB, is a fault.
_FLAGS: Final = ("-timeout=20", "-rss_limit_mb=4096")


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
    from fuzz.targets import TARGETS  # here: see above

    _generate(name, number, TARGETS[name])


def _generate(name: str, number: int, take: Callable[[bytes], None]) -> None:
    """Call *take* with a round of inputs of a target; the same *number* gives the same inputs."""

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
        take(data)

    feed()


def with_atheris(name: str, seconds: float, first_seed: int) -> None:
    """Run libFuzzer on one target for *seconds*; it begins with a round of Hypothesis's inputs.

    atheris ends the process. An input that breaks a rule is left in the working directory as ``crash-…``.
    Inputs that reached something new stay in ``mirant-fuzz-…`` among the temporary files, for the next run.
    """
    atheris = import_module("atheris")  # optional: it needs a wheel for the Python at hand, or a compiler
    with atheris.instrument_imports(include=["mirant"]):
        targets = import_module("fuzz.targets").TARGETS
    corpus = Path(gettempdir()) / f"mirant-fuzz-{name}"
    _write_corpus(name, first_seed, corpus)
    options = [*_FLAGS, f"-max_total_time={seconds:.0f}", f"-seed={first_seed}"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], targets[name])
    atheris.Fuzz()


def _write_corpus(name: str, number: int, folder: Path) -> None:
    """Write a round of inputs into *folder*, from which libFuzzer breeds others."""
    inputs: set[bytes] = set()
    _generate(name, number, inputs.add)
    folder.mkdir(exist_ok=True)
    for data in inputs:
        (folder / sha256(data).hexdigest()[:20]).write_bytes(data)


def say(line: str) -> None:
    """Print *line* at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Read the arguments and fuzz."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.run", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[[], *INPUTS], default=[])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--atheris", choices=INPUTS)
    options = parser.parse_args()
    if options.atheris:
        with_atheris(options.atheris, options.seconds, options.seed)
    else:
        with_hypothesis(options.targets or list(INPUTS), options.seconds, options.seed)


if __name__ == "__main__":
    main()
