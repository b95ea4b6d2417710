"""What users install: the wheel has the types, the browser client and the demo pages, and runs on its own."""

import subprocess
import sys
import tarfile
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest

# Building a wheel takes seconds on an idle machine, and many on a busy one.
pytestmark = pytest.mark.timeout(120)

ROOT = Path(__file__).parents[1]


def build(kind: str, folder: Path) -> Path:
    """Build a wheel or a source archive, with the locked build backend, as `make build` does."""
    command = [
        sys.executable,
        "-m",
        "build",
        f"--{kind}",
        "--no-isolation",
        "--outdir",
        str(folder),
        str(ROOT),
    ]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    [file] = folder.iterdir()
    return file


def source_files() -> set[str]:
    """Return the files of the source: what git has, or an unpacked archive without what tools made."""
    if (ROOT / "PKG-INFO").is_file():
        made = {
            ".venv",
            "node_modules",
            "dist",
            "build",
            "htmlcov",
            "__pycache__",
            "PKG-INFO",
            "test-results",
        }
        caches = {".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".coverage"}
        files = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        return {str(path) for path in files if not (made | caches) & set(path.parts)}
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel."""
    return build("wheel", tmp_path_factory.mktemp("wheel"))


def test_the_source_archive_has_all_that_its_tests_need(tmp_path: Path) -> None:
    with tarfile.open(build("sdist", tmp_path)) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}

    assert packed - {"PKG-INFO"} == source_files()


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
