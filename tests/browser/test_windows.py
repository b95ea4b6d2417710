"""Windows of one origin that share a session, and a page that keeps its session when it is loaded again."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Error

from tests.browser.demo_server import DemoServer
from tests.browser.shared_window import SharedWindow

pytestmark = pytest.mark.browser

CHANNEL = "/windows/news"

#: Milliseconds within which another window leads, and messages come again.
HANDOVER = 1_000


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile."""
    context = browser.new_context(bypass_csp=True)  # waiting for an expression evaluates a string
    yield context
    context.close()


@pytest.fixture
def outsider(browser: Browser, demo: DemoServer) -> Iterator[SharedWindow]:
    """A window of another browser, which publishes."""
    context = browser.new_context(bypass_csp=True)  # waiting for an expression evaluates a string
    yield SharedWindow(context, demo.url)
    context.close()


@pytest.fixture
def windows(context: BrowserContext, demo: DemoServer, transport: str) -> list[SharedWindow]:
    """Three windows that share a session; the first leads."""
    return [SharedWindow(context, demo.url, CHANNEL, shared=True, transports=[transport]) for _ in range(3)]


def test_three_windows_are_one_session(windows: list[SharedWindow], outsider: SharedWindow) -> None:
    assert len({window.client_id for window in windows}) == 1
    frames = [frame for window in windows for frame in window.sent]
    assert sum("/meta/handshake" in frame for frame in frames) <= 1
    assert not any(window.sent for window in windows[1:])
    assert len({window.page.evaluate("bus.transport") for window in windows}) == 1
    for number in range(3):
        outsider.publish(CHANNEL, number)
    for window in windows:
        window.expect_heard(0, 1, 2)


def close(window: SharedWindow) -> None:
    """The user closes the tab."""
    window.page.close()


def close_after_unload(window: SharedWindow) -> None:
    """The user closes the tab, and its page is told."""
    window.page.close(run_before_unload=True)


def leave(window: SharedWindow) -> None:
    """The user goes elsewhere."""
    window.page.goto("about:blank")


def crash(window: SharedWindow) -> None:
    """The process of the tab dies."""
    with pytest.raises(Error):
        window.page.goto("chrome://crash")


@pytest.mark.parametrize("end", [close, close_after_unload, leave, crash])
def test_another_window_takes_over(
    windows: list[SharedWindow], outsider: SharedWindow, end: Callable[[SharedWindow], None]
) -> None:
    leader, *others = windows
    before = leader.client_id
    outsider.page.evaluate(
        """(channel) => {
          let number = 0;
          const publish = () => bus.publish(channel, number++);
          window.timer = setInterval(publish, 5);
        }""",
        CHANNEL,
    )
    leader.page.wait_for_function("heard.length > 20")
    end(leader)
    for window in others:
        window.page.wait_for_function("states.filter((state) => state === 'connected').length === 2")
        assert window.client_id == before
    outsider.page.evaluate("clearInterval(timer)")
    outsider.publish(CHANNEL, "end")
    for window in others:
        window.page.wait_for_function("heard.at(-1) === 'end'")
        assert window.longest_silence() < HANDOVER
        heard = window.heard
        assert heard == [*range(len(heard) - 1), "end"]
    assert len(others[0].heard) == len(others[1].heard)


def test_reload_keeps_the_session(
    context: BrowserContext, demo: DemoServer, outsider: SharedWindow, transport: str
) -> None:
    window = SharedWindow(context, demo.url, CHANNEL, reload=True, transports=[transport])
    before = window.client_id
    outsider.publish(CHANNEL, "before")
    window.expect_heard("before")
    window.page.reload()
    outsider.publish(CHANNEL, "while it loads")
    window.open()
    assert window.client_id == before
    outsider.publish(CHANNEL, "after")
    window.expect_heard("while it loads", "after")


def test_binary_data_goes_from_window_to_window(windows: list[SharedWindow]) -> None:
    windows[1].page.evaluate(
        "(channel) => bus.publish(channel, new Uint8Array([9, 0, 1, 254, 255, 9]).subarray(1, 5))", CHANNEL
    )
    for window in windows:
        window.expect_heard({"bytes": [0, 1, 254, 255]})
