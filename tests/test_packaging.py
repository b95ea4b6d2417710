"""What users install: the wheel has the types, the browser client and the demo pages, and runs on its own."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest

# Building a wheel takes seconds on an idle machine, and many on a busy one.
pytestmark = pytest.mark.timeout(120)

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, with the locked build backend, as `make build` does."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        *(sys.executable, "-m", "build", "--wheel", "--no-isolation"),
        "--outdir",
        str(folder),
        str(ROOT),
    ]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    [file] = folder.iterdir()
    return file


def test_everything_is_packed(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        packed = set(archive.namelist())

    source = ROOT / "src"
    expected = {
        str(file.relative_to(source))
        for file in source.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    expected |= {"mirant/js/mirant.js", "mirant/js/mirant.d.ts"}
    modules = {f"mirant/js/mirant/{file.name}" for file in (ROOT / "js" / "mirant").iterdir()}
    assert "mirant/js/mirant/session.js" in modules
    expected |= modules
    assert "mirant/py.typed" in expected
    assert {name for name in packed if name.startswith("mirant/")} == expected


def test_nothing_but_the_package_is_packed(wheel: Path) -> None:
    version = metadata.version("mirant")
    with ZipFile(wheel) as archive:
        assert {name.partition("/")[0] for name in archive.namelist()} == {
            "mirant",
            f"mirant-{version}.dist-info",
        }


def test_the_wheel_runs_without_the_source_tree(wheel: Path, tmp_path: Path) -> None:
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = "import mirant, mirant.demo.app as demo; demo.create_bus(); print(mirant.__file__)"
    command = [sys.executable, "-c", code]
    ran = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert ran.stdout.strip() == str(tmp_path / "mirant" / "__init__.py"), ran.stderr


def test_the_wheel_serves_the_browser_client_with_its_modules(wheel: Path, tmp_path: Path) -> None:
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        "from mirant.hosts.pages import Pages; pages = Pages(); "
        "print(*(pages.respond(path, '', None).status for path in ('/mirant.js', '/mirant/windows.js')))"
    )
    command = [sys.executable, "-c", code]
    ran = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert ran.stdout.split() == ["200", "200"], ran.stderr
