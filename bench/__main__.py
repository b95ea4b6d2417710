"""The command: ``python -m bench``."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from bench.codec import CODEC
from bench.environment import describe
from bench.fan_out import FAN_OUT
from bench.matching import MATCHING
from bench.measuring import QUICK, THOROUGH, Benchmark, Effort, Result
from bench.memory import MEMORY
from bench.publishing import PUBLISH
from bench.rules import RULES

BENCHMARKS: dict[str, Benchmark] = {
    benchmark.name: benchmark for benchmark in (CODEC, MATCHING, FAN_OUT, PUBLISH, RULES, MEMORY)
}


def main() -> None:
    """Read the arguments, measure and print; write JSON if asked to."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure parts of Mirant.")
    parser.add_argument("--only", metavar="NAME", choices=BENCHMARKS, action="append", help=_names())
    parser.add_argument("--json", metavar="FILE", type=Path, help="write setup and results there too")
    parser.add_argument("--quick", action="store_true", help="see whether it runs; the numbers mean little")
    options = parser.parse_args()
    setup = describe()
    for key, value in setup.items():
        _say(f"{key:9} {value}")
    effort = QUICK if options.quick else THOROUGH
    results = [result for name in options.only or BENCHMARKS for result in _run(BENCHMARKS[name], effort)]
    if options.json is not None:
        document = {"setup": setup, "quick": options.quick, "results": [asdict(result) for result in results]}
        options.json.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _run(benchmark: Benchmark, effort: Effort) -> list[Result]:
    _say(f"\n{benchmark.name}: {benchmark.about}\n{'median':>10} {'p90':>10}")
    results = []
    for result in benchmark.run(effort):
        _say(f"{result.median:10.3f} {result.p90:10.3f}  {result.unit}: {result.case}")
        results.append(result)
    return results


def _names() -> str:
    return f"{', '.join(BENCHMARKS)}; may be given more than once"


def _say(line: str) -> None:
    """Print *line* at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
