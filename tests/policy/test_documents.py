"""What docs/policy.md shows is tried: its files load, its commands say what they say there, its code runs."""

from __future__ import annotations

import logging
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from mirant.bus.audit import Audit
from mirant.bus.clock import Clock
from mirant.cli import main
from mirant.policy.file import PolicyFile

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/policy.md"

#: What the page calls mistakes.toml, and does not show.
MISTAKES = """\
[session]
timout = "20s"

[[channel]]
match   = "/chat/{room}"
publish = "rol:member"
"""


def blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks of *page* in a *language*."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def files() -> Iterator[object]:
    for page in (PAGE, ROOT / "README.md"):
        for number, text in enumerate(blocks(page, "toml"), 1):
            yield pytest.param(text, id=f"{page.name}-{number}")


@pytest.mark.parametrize("text", list(files()))
def test_every_file_that_is_shown_is_without_faults(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mirant.toml"
    path.write_text(text)
    _, complaints = PolicyFile(config=path).read()
    assert complaints == []


def commands() -> Iterator[object]:
    for block in blocks(PAGE, "console"):
        for part in block.split("$ ")[1:]:
            command, _, output = part.partition("\n")
            yield pytest.param(shlex.split(command)[1:], output, id=command)


@pytest.mark.parametrize(("command", "output"), list(commands()))
def test_every_command_that_is_shown_says_what_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], output: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mirant.toml").write_text(blocks(PAGE, "toml")[0])
    Path("mistakes.toml").write_text(MISTAKES)
    assert CliRunner().invoke(main, command).output == output


def test_the_page_shows_commands() -> None:
    assert len(list(commands())) >= 5


def test_the_audit_log_goes_where_the_code_that_is_shown_sends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    logger = logging.getLogger("mirant.audit")
    handlers, propagate = list(logger.handlers), logger.propagate
    [code] = blocks(PAGE, "python")
    try:
        exec(compile(code, str(PAGE), "exec"), {})
        Audit(Clock()).event(1_000.0, "publish.denied", "203.0.113.9", channel="/chat/lobby")
    finally:
        for handler in set(logger.handlers) - set(handlers):
            logger.removeHandler(handler)
            handler.close()
        logger.propagate = propagate
    written = "publish.denied address=203.0.113.9 channel=/chat/lobby\n"
    assert Path("audit.log").read_text() == written
    assert capsys.readouterr().err == ""


def test_the_page_names_every_event_and_only_these() -> None:
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "src/mirant").rglob("*.py"))
    found = set(re.findall(r'(?:note\(|event=)"([a-z]+\.[a-z-]+)"', sources))
    denied = {f"{operation}.denied" for operation in ("subscribe", "publish", "call", "create")}
    table = PAGE.read_text("utf-8").partition("| event |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([a-z]+\.[a-z-]+)`", table)) == found | denied


@pytest.mark.parametrize("page", [PAGE, ROOT / "docs/security.md"], ids=lambda page: str(page.name))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target
