"""The command: ``python -m bench.attacks``."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Final

from bench.attacks.attack import Aim
from bench.attacks.catalogue import ATTACKS
from bench.attacks.innocent import Innocent
from bench.attacks.target import ROOT, Host, serving

_HEADER: Final = f"{'attack':12} {'host':6} {'p50 ms':>8} {'p99 ms':>8} {'worst ms':>9} {'MiB more':>9}  of"


def main() -> None:
    """Read the arguments, attack and print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.attacks",
        description="Attack a server, and time the messages of another client meanwhile.",
    )
    parser.add_argument("--only", metavar="NAME", choices=ATTACKS, action="append", help=", ".join(ATTACKS))
    parser.add_argument(
        "--against", metavar="PATH", type=Path, action="append", help="a checkout to attack; may be repeated"
    )
    parser.add_argument("--host", choices=("native", "asgi"), action="append", help="default: native")
    parser.add_argument("--connections", type=int, default=4, help="of the attacker; default: 4")
    parser.add_argument("--seconds", type=float, default=6.0, help="for which each attack lasts; default: 6")
    options = parser.parse_args()
    _say(f"{options.connections} connections attack for {options.seconds:g} seconds each\n\n{_HEADER}")
    for name in options.only or ATTACKS:
        for host in options.host or ["native"]:
            for checkout in options.against or [ROOT]:
                _say(_row(name, host, checkout.resolve(), options.connections, options.seconds))


def _row(name: str, host: Host, checkout: Path, connections: int, seconds: float) -> str:
    """Attack the source in *checkout*; return a line with the figures."""
    with serving(checkout, host) as target, closing(Innocent(target.aim)) as innocent:
        innocent.publish_for(1.0)  # fills the caches
        before = target.memory()
        target.forget_peak()
        with _attacking(name, target.aim, connections):
            try:
                took = [each * 1000 for each in innocent.publish_for(seconds)]
            except OSError as error:
                return f"{name:12} {host:6} the innocent client failed: {error}  {checkout}"
        grown = (target.peak() - before) / 1024
    cuts = quantiles(took, n=100, method="inclusive") if len(took) > 1 else [took[0]] * 99
    figures = f"{cuts[49]:8.1f} {cuts[98]:8.1f} {max(took):9.1f} {grown:9.1f}"
    return f"{name:12} {host:6} {figures}  {checkout}"


@contextmanager
def _attacking(name: str, aim: Aim, connections: int) -> Iterator[None]:
    command = [sys.executable, "-m", "bench.attacks.attacker", name]
    command += [aim.host, str(aim.port), aim.path, str(connections)]
    attacker = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert attacker.stdout is not None, "it was asked for"
        attacker.stdout.readline()
        yield
    finally:
        attacker.kill()
        attacker.communicate()


def _say(line: str) -> None:
    """Print *line* at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
