"""The attacks run. What they cost depends on the machine, so no number is judged here."""

import sys

import pytest

from bench.attacks.__main__ import main
from bench.attacks.catalogue import ATTACKS


def test_an_attack_is_told_by_its_name_and_a_sentence() -> None:
    for name, attack in ATTACKS.items():
        assert attack.name == name
        assert attack.about


@pytest.mark.parametrize("host", ["native", "asgi"])
def test_the_command_prints_figures(
    host: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--only", "refused", "--host", host, "--connections", "1", "--seconds", "0.2"]
    monkeypatch.setattr(sys, "argv", ["attacks", *arguments])
    main()
    name, served_by, *figures, _ = capsys.readouterr().out.splitlines()[-1].split()
    assert (name, served_by) == ("refused", host)
    assert len([float(figure) for figure in figures]) == 4
