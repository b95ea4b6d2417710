"""A browser, a demo server, and windows that are watched for errors."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.demo_server import DemoServer

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",  # containers that build run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

expect.set_options(timeout=10_000)  # a build machine may be busy; who waits longer has found an error

#: Opens a page of the demo: ``open_page("chat?transport=websocket")``.
OpenPage = Callable[..., Page]


class Complaints:
    """What browsers complained about: errors and warnings of the console, violated policies, exceptions."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def watch(self, page: Page) -> None:
        """Collect what *page* complains about from now on."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.texts.append(f"exception: {error}"))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.texts.append(f"{message.type}: {message.text}")


# One for each module: Playwright's synchronous interface occupies the thread's event loop while it is open.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    """A demo server, shared by the tests of a module."""
    with DemoServer(tmp_path_factory.mktemp("demo") / "server.log") as server:
        yield server


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """What the pages of a test complain about: nothing, unless the test clears it."""
    complaints = Complaints()
    yield complaints
    assert complaints.texts == []


@pytest.fixture
def open_page(browser: Browser, demo: DemoServer, complaints: Complaints) -> Iterator[OpenPage]:
    """Open pages, each in a browser profile of its own unless a *context* is given."""
    contexts: list[BrowserContext] = []

    def open_page(path: str = "", *, context: BrowserContext | None = None, **options: Any) -> Page:
        if context is None:
            context = browser.new_context(**options)
            contexts.append(context)
        page = context.new_page()
        complaints.watch(page)
        page.goto(f"{demo.url}/{path}" if path else demo.url)
        page.wait_for_selector('#state[data-state="connected"]')
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(params=["websocket", "long-polling"])
def transport(request: pytest.FixtureRequest) -> str:
    """Each transport that the browser client has."""
    name: str = request.param
    return name
