"""The time page: the server's clock in every browser, whatever the browser's own clock says."""

import time

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser

TOLERANCE = 50  # ms; server and browser run on one machine, so its clock is the truth

#: An hour ahead, as a computer whose clock was set to the wrong zone.
WRONG_CLOCK = """
const Right = Date;
globalThis.Date = class extends Right {
  constructor(...given) { given.length ? super(...given) : super(Right.now() + 3_600_000); }
  static now() { return Right.now() + 3_600_000; }
};
"""

#: The time on the page, read in the frame in which the page has written it.
SHOWN = """() => new Promise((resolve) => requestAnimationFrame(
  () => resolve(Date.parse(document.querySelector("#clock").dateTime))))"""

#: How many samples there are by the figure, the plot and the table, and the summary of the plot.
DRAWN = """() => {
  const all = (selector) => document.querySelectorAll(selector).length;
  const text = (selector) => document.querySelector(selector).textContent;
  return [Number(text("#count")), all("#plot circle"), all("#samples tr"), text("#plot-summary")];
}"""


def wait_for_samples(page: Page, count: int) -> None:
    """Wait until *count* samples were taken."""
    page.locator(f"#samples tr:nth-child({count})").wait_for(state="attached")


def assert_shows_the_time(page: Page) -> None:
    """Assert that the clock on the page is right."""
    before = time.time() * 1000
    shown = page.evaluate(SHOWN)
    after = time.time() * 1000
    assert before - TOLERANCE <= shown <= after + TOLERANCE


def test_the_clock_is_the_servers(open_page: OpenPage, transport: str) -> None:
    page = open_page(f"timesync?transport={transport}")
    wait_for_samples(page, 10)
    assert_shows_the_time(page)


def test_a_wrong_clock_does_not_matter(open_page: OpenPage, browser: Browser, transport: str) -> None:
    with browser.new_context() as context:
        context.add_init_script(WRONG_CLOCK)
        page = open_page(f"timesync?transport={transport}", context=context)
        wait_for_samples(page, 10)
        assert_shows_the_time(page)
        expect(page.locator("#offset")).to_have_text("\N{MINUS SIGN}60.0 min")
        own = page.locator("#own").text_content()
        assert own is not None
        assert own[:2] in {time.strftime("%H", time.gmtime(time.time() + late)) for late in (3_590, 3_600)}


def test_every_sample_is_plotted(open_page: OpenPage, transport: str) -> None:
    page = open_page(f"timesync?transport={transport}")
    wait_for_samples(page, 10)
    page.get_by_role("button", name="Take a sample").click()
    wait_for_samples(page, 11)
    # Read at once: a held connect may bring one more sample at any moment.
    taken, plotted, listed, summary = page.evaluate(DRAWN)
    assert taken >= 11
    assert plotted == listed == taken
    assert summary.startswith(f"{taken} samples.")
