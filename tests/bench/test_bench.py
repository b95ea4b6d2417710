"""The benchmarks run. How fast Mirant is depends on the machine, so no number is judged here."""

import json
import sys
from math import isfinite
from pathlib import Path

import pytest

from bench.__main__ import BENCHMARKS, main
from bench.measuring import QUICK


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_reports_numbers(name: str) -> None:
    results = list(BENCHMARKS[name].run(QUICK))
    assert len({result.case for result in results}) == len(results) > 0
    for result in results:
        assert result.benchmark == name
        assert isfinite(result.median)
        assert result.median > 0
        assert result.p90 > 0
        assert result.items > 0


def test_the_command_prints_and_writes_setup_and_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "results.json"
    monkeypatch.setattr(sys, "argv", ["bench", "--quick", "--only", "codec", "--json", str(file)])
    main()
    document = json.loads(file.read_text())
    assert document["quick"] is True
    assert set(document["setup"]) == {"python", "system", "cpu", "load", "versions", "commit", "source"}
    printed = capsys.readouterr().out
    for result in document["results"]:
        assert result["benchmark"] == "codec"
        assert result["case"] in printed
    for value in document["setup"].values():
        assert value in printed
