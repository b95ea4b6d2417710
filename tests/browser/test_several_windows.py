"""Several windows of one browser that poll: the demo says so, and says when it is over."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.conftest import OpenPage


@pytest.fixture
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """One browser profile: its windows share their cookies."""
    context = browser.new_context()
    yield context
    context.close()


def test_a_second_window_over_long_polling_says_so_until_the_first_is_gone(
    open_page: OpenPage, profile: BrowserContext
) -> None:
    first = open_page("echo?transport=long-polling", context=profile)
    second = open_page("echo?transport=long-polling", context=profile)
    expect(second.locator("#state")).to_have_text("Connected · Long polling, several windows")
    expect(first.locator("#state")).to_have_text("Connected · Long polling")

    first.close(run_before_unload=True)
    expect(second.locator("#state")).to_have_text("Connected · Long polling")


def test_windows_over_websocket_are_no_trouble_to_each_other(
    open_page: OpenPage, profile: BrowserContext
) -> None:
    windows = [open_page("echo?transport=websocket", context=profile) for _ in range(3)]
    for window in windows:
        expect(window.locator("#state")).to_have_text("Connected · WebSocket")
