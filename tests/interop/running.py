"""Running the battery: as a script under Node.js, or in a page."""

import json
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page

from tests.interop.features import Client, Report, as_report
from tests.interop.scenario import Event, Scenario
from tests.interop.server import Server
from tests.interop.site import Site

FOLDER = Path(__file__).parent

# Until any of these has happened the page is still at it.
_HAPPENED = "names => window.report?.some(({event}) => names.includes(event))"


class Once:
    """Runs each battery once: every test that asks gets the same report, or the same error."""

    def __init__(self) -> None:
        self._reports: dict[Hashable, Report] = {}
        self._errors: dict[Hashable, BaseException] = {}

    def __call__(self, key: Hashable, run: Callable[[], Report]) -> Report:
        """Return what *run* returned when it was first asked for with *key*."""
        if key in self._errors:
            raise AssertionError(f"the battery failed: {self._errors[key]}")
        if key not in self._reports:
            try:
                self._reports[key] = run()
            except BaseException as error:  # pytest's timeout among them
                self._errors[key] = error
                raise
        return self._reports[key]


class Script(Scenario):
    """A battery as a script."""

    def read_until(self, name: str) -> list[Event]:
        """Return the report up to the first event called *name*."""
        assert self._process.stdout is not None
        events: list[Event] = []
        for line in self._process.stdout:
            events.append(json.loads(line))
            if events[-1]["event"] == name:
                return events
        raise AssertionError(f"the script ended without {name!r}:\n{self._log.read_text()}")


class AsScript(Client):
    """A client whose battery is a script."""

    #: What runs it.
    kind: ClassVar[type[Script]] = Script
    #: The script, in this folder, and what it wants to know beside the transport.
    script: ClassVar[str]
    options: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def report(self, once: Once, server: Server, tmp_path: Path, transport: str) -> Report:
        """What the client saw on the transport under test."""
        log = tmp_path / "log"
        return once(
            (type(self), transport),
            lambda: run_script(self.kind, self.script, log, server, transport=transport, **self.options),
        )


class UnderNode(AsScript):
    """A client whose battery is a script under Node.js."""

    platform = "Node.js"


class InPage(Client):
    """A client whose battery is a page, which the bus serves with the headers of its pages."""

    platform = "Chromium, a page of the bus"
    #: The page, in the folder ``pages``.
    page: ClassVar[str]
    #: Whether the page comes from another origin than the bus's, and another server.
    foreign: ClassVar[bool] = False

    @pytest.fixture
    def report(self, once: Once, browser: Browser, site: Site, transport: str) -> Report:
        """What the client saw on the transport under test."""
        address = site.foreign_page(self.page) if self.foreign else site.page(self.page)
        return once((type(self), transport), lambda: run_page(browser, address, site, transport=transport))


def run_script(kind: type[Script], script: str, log: Path, server: Server, **options: str) -> Report:
    """Run a battery, and restart *server* when it asks for that."""
    script_process = kind(FOLDER / script, log, url=server.url, **options)
    with script_process:
        events = script_process.read_until("ready")
        server.restart()
        return as_report([*events, *script_process.finish()])


def run_page(browser: Browser, address: str, server: Server, **options: str) -> Report:
    """Run a battery in a page, and restart *server* when it asks for that."""
    with open_page(browser, address, server, **options) as page:
        wait_for(page, "ready")
        server.restart()
        return wait_for(page, "end")


@contextmanager
def open_page(browser: Browser, address: str, server: Server, **options: str) -> Iterator[Page]:
    """Open a page that uses *server*, in a browser profile of its own."""
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(f"{address}?{urlencode({'url': server.url, **options})}")
        yield page
    finally:
        context.close()


def wait_for(page: Page, name: str) -> Report:
    """Return what a page has reported once it has reported *name*."""
    page.wait_for_function(_HAPPENED, arg=[name, "error"], timeout=20_000)
    report = as_report(page.evaluate("window.report"))
    assert "error" not in report, report["error"]["text"]
    return report
