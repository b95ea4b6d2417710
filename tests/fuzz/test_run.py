"""The fuzzer under atheris, which sees only what it instrumented when it was imported."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: Takes atheris's place, and prints what it is asked for and when the bus is imported.
STAND_IN = """
import contextlib
import sys


def is_there():
    return any(name.partition(".")[0] == "mirant" for name in sys.modules)


@contextlib.contextmanager
def instrument_imports(include):
    print("instruments", *include, "imported before:", is_there())
    yield
    print("imported while instrumenting:", is_there())


def Setup(arguments, target):
    print("target:", target.__name__)
    print(*(argument for argument in arguments if argument.startswith(("-max_total_time", "-seed"))))


def Fuzz():
    print("fuzzes")
"""


def test_atheris_instruments_the_bus_before_anything_imports_it(tmp_path: Path) -> None:
    (tmp_path / "atheris.py").write_text(STAND_IN)
    command = [sys.executable, "-m", "fuzz.run", "--atheris", "cookie", "--seconds", "600", "--seed", "7"]
    path = ":".join([str(tmp_path), str(ROOT / "src"), str(ROOT)])
    environment = {"PYTHONPATH": path, "TMPDIR": str(tmp_path)}
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert ran.stdout.splitlines() == [
        "instruments mirant imported before: False",
        "imported while instrumenting: True",
        "target: cookie",
        "-max_total_time=600 -seed=7",
        "fuzzes",
    ], ran.stderr
    assert len(list((tmp_path / "mirant-fuzz-cookie").iterdir())) > 100, "it begins with inputs of ours"
