"""The examples in the documents are run: files load, commands print what the page shows, and code works."""

from __future__ import annotations

import logging
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from mirant import Bus
from mirant.bayeux.channels import Channel
from mirant.bus.audit import Audit
from mirant.bus.clock import Clock
from mirant.cli import main
from mirant.policy.file import PolicyFile
from mirant.policy.filters import Chain, Dropped
from tests.hosts.clients import Poller

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/policy.md"
FILTERS = ROOT / "docs/filters.md"
IDENTITY = ROOT / "docs/identity.md"

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
    for page in (PAGE, FILTERS, IDENTITY, ROOT / "docs/options.md", ROOT / "README.md"):
        for number, text in enumerate(blocks(page, "toml"), 1):
            yield pytest.param(in_a_rule(text), id=f"{page.name}-{number}")


def in_a_rule(text: str) -> str:
    """Return *text* as a file: some examples show only the filters of a rule."""
    return f'[[channel]]\nmatch = "/a"\n{text}' if text.startswith("filters") else text


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


# --- docs/filters.md ---


def shown(number: int, folder: Path) -> Chain:
    """Return the filters of the example with that *number* on the page about filters."""
    path = folder / "mirant.toml"
    path.write_text(in_a_rule(blocks(FILTERS, "toml")[number]))
    book = PolicyFile(config=path).load().book
    assert book is not None
    chain = book.of(Channel.parse("/chat/x" if number == 0 else "/a")).chain
    assert chain is not None
    return chain


@pytest.mark.parametrize(
    ("number", "data", "left"),
    [
        (0, b'"fuck <b>"', b'"dang &lt;b&gt;"'),
        (1, b'"<b>a</b><u>b</u>"', b'"<b>a</b>b"'),
        (2, b'"teh cat, me@home"', b'"the cat, home at me"'),
        (
            3,
            b'{"text":"a","user":{"name":"b","id":1},"files":[{"path":"/"}]}',
            b'{"text":"a","user":{"name":"b"}}',
        ),
    ],
)
def test_a_filter_that_is_shown_does_what_the_page_says(
    tmp_path: Path, number: int, data: bytes, left: bytes
) -> None:
    assert shown(number, tmp_path)(data) == left


def test_a_pattern_alone_drops_the_message_as_the_page_says(tmp_path: Path) -> None:
    with pytest.raises(Dropped, match="forbidden_text"):
        shown(2, tmp_path)(b'"the CASINO"')


def run_code(page: Path, **names: object) -> dict[str, Any]:
    """Run the only Python example of *page*, which may use *names*; return what it defines."""
    [code] = blocks(page, "python")
    exec(compile(code, str(page), "exec"), names)
    return names


def test_the_function_that_is_shown_is_a_filter() -> None:
    tidy: Callable[[object], object] = run_code(FILTERS)["tidy"]
    assert tidy({"text": " a "}) == {"text": "a"}
    with pytest.raises(Exception, match="object_please"):
        tidy("a text")


def test_jettys_file_that_is_shown_loads_and_filters(tmp_path: Path) -> None:
    path = tmp_path / "filters.json"
    path.write_text(blocks(FILTERS, "json")[0])
    book = PolicyFile(filters=path).load().book
    assert book is not None
    chain = book.of(Channel.parse("/chat/x")).chain
    assert chain is not None
    assert chain(b'"fuck <b>"') == b'"dang &lt;b&gt;"'
    with pytest.raises(Dropped):
        chain(b'"a tomcat"')


# --- docs/identity.md ---


async def test_the_function_that_is_shown_authenticates() -> None:
    async def find(ticket: object) -> object:
        return SimpleNamespace(name="ann", roles=["member"]) if ticket == "good" else None

    bus = Bus()
    run_code(IDENTITY, bus=bus, users=SimpleNamespace(find=find))
    bus.rpc("/who")(lambda caller, data: [caller.identity.name, *caller.identity.roles])
    async with Poller.inside(bus) as client:
        assert not (await client.handshake(ext={"ticket": "bad"}))["successful"]
        assert (await client.handshake(ext={"ticket": "good"}))["successful"]
        assert (await client.call("/who"))["data"] == ["ann", "member"]


# --- docs/policy.md again ---


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


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: str(page.name))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target
