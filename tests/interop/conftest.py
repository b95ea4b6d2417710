"""A browser, a site, and the table of what was seen."""

import os
from collections import defaultdict
from collections.abc import Generator, Iterator
from difflib import unified_diff
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.interop.features import Client
from tests.interop.running import Once
from tests.interop.server import Server
from tests.interop.site import Site
from tests.interop.table import PAGE, Row, render

FOLDER = Path(__file__).parent


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each feature of a client on each of its transports."""
    if metafunc.cls is not None and issubclass(metafunc.cls, Client) and "transport" in metafunc.fixturenames:
        metafunc.parametrize("transport", metafunc.cls.transports)


class Table:
    """Notes which features were seen, and compares the committed table with them after a complete run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._seen: dict[Row, set[str]] = defaultdict(set)
        self._left_out = False
        self._complaint = ""

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Note that the run is not complete."""
        self._left_out |= any(_feature(item) is not None for item in items)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note that a feature was seen."""
        report = yield
        feature = _feature(item)
        if feature is not None and report.when == "call" and report.passed:
            row, name = feature
            self._seen[row].add(name)
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run if the committed table says anything else."""
        if self._left_out or session.testsfailed or session.config.option.collectonly:
            return
        modules = {item.path for item in session.items if _feature(item) is not None}
        if modules != {path for path in FOLDER.glob("test_*.py") if "Features" in path.read_text()}:
            return
        page = render(self._seen)
        if os.environ.get("INTEROP_TABLE") == "write":
            PAGE.write_text(page, encoding="utf-8")
        committed = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
        if committed != page:
            lines = unified_diff(committed.splitlines(), page.splitlines(), str(PAGE), "what was seen", n=0)
            self._complaint = "\n".join([*lines, "INTEROP_TABLE=write writes the page again"])
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say why the run failed."""
        if self._complaint:
            terminalreporter.write_line(self._complaint, red=True)


def _feature(item: pytest.Item) -> tuple[Row, str] | None:
    """Return the row and the column that *item* is about, None if it is about none."""
    if not isinstance(item, pytest.Function) or item.cls is None or not issubclass(item.cls, Client):
        return None
    transport = str(item.callspec.params["transport"])
    return Row(item.cls.client, item.cls.platform, transport), item.originalname.removeprefix("test_")


def pytest_configure(config: pytest.Config) -> None:
    """Watch the run."""
    config.pluginmanager.register(Table(config), "interop-table")


# One for each module: Playwright's synchronous interface occupies the thread's event loop while it is open.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def once() -> Once:
    """Run each battery of the module once."""
    return Once()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A bus with every transport, and the pages of the tests beside it."""
    site = Site(tmp_path_factory.mktemp("site") / "log")
    with site:
        yield site


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """``mirant serve`` with the services that the batteries call."""
    with Server(tmp_path_factory.mktemp("server") / "log") as server:
        yield server
