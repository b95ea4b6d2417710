"""The echo page: remote calls with any data."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser

DATA = (
    '{"a": [1, {"b": null}], "": "empty key"}',
    '"Grüße, 世界, ☄ \\u0000 \\ud83d\\ude00 </script>"',
    "[1.5, -0.25, 1e21, 9007199254740991, [], {}]",
    "null",
    "false",
    "0",
)


def test_any_data_comes_back_as_it_was(open_page: OpenPage, transport: str) -> None:
    page = open_page(f"echo?transport={transport}")
    for text in DATA:
        page.get_by_label("Data to send, as JSON").fill(text)
        page.get_by_role("button", name="Call echo").click()
        expect(page.locator("#answer")).to_have_text(indented(text))
        expect(page.locator("#verdict")).to_have_text("✓ Same as sent")
        expect(page.locator("#round-trip")).to_contain_text("ms")


def indented(text: str) -> str:
    """Return JSON as the page shows it."""
    return json.dumps(json.loads(text), indent=2, ensure_ascii=False)


def test_the_examples_can_be_sent(open_page: OpenPage, transport: str) -> None:
    page = open_page(f"echo?transport={transport}")
    for example in ("Object", "Text", "List", "Null", "50 KB"):
        page.get_by_role("button", name=example).click()
        sent = page.get_by_label("Data to send, as JSON").input_value()
        page.get_by_label("Data to send, as JSON").press("Control+Enter")
        expect(page.locator("#answer")).to_contain_text(sent[:20])
        expect(page.locator("#verdict")).to_have_text("✓ Same as sent")


def test_what_is_no_json_is_not_sent(open_page: OpenPage) -> None:
    page = open_page("echo")
    editor = page.get_by_label("Data to send, as JSON")
    editor.fill('{"a": ')
    expect(page.locator("#data-problem")).to_contain_text("Not JSON")
    expect(editor).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Call echo").click()
    expect(editor).to_be_focused()
    expect(page.locator("#verdict")).to_have_text("No call made yet.")
    editor.fill("1")
    expect(editor).to_have_attribute("aria-invalid", "false")
    expect(page.locator("#data-problem")).to_be_empty()


def test_a_verdict_is_about_the_data_that_is_shown(open_page: OpenPage) -> None:
    page = open_page("echo")
    page.get_by_role("button", name="Call echo").click()
    expect(page.locator("#verdict")).to_have_text("✓ Same as sent")
    page.get_by_label("Data to send, as JSON").fill("[")
    expect(page.locator("#verdict")).to_have_text("Not called with this data yet.")
    expect(page.locator("#answer")).to_be_empty()


@pytest.mark.parametrize("manner", ["in turn", "at once"])
def test_a_burst_is_timed(open_page: OpenPage, transport: str, manner: str) -> None:
    page = open_page(f"echo?transport={transport}")
    page.get_by_label("One after another").set_checked(manner == "in turn")
    for count in (10, 100):
        page.get_by_role("button", name=f"{count} calls", exact=True).click()
        row = page.get_by_role("row", name=f"{count} {manner}")
        expect(row).to_be_visible()
        shown, *figures = row.get_by_role("cell").all_text_contents()
        low, median, high, highest, total = map(float, figures)
        assert shown == {"websocket": "WebSocket", "long-polling": "Long polling"}[transport]
        assert 0 < low <= median <= high <= highest <= total


def test_quantiles_are_of_the_nearest_rank(open_page: OpenPage) -> None:
    page = open_page("echo")
    quantile = """async ([url, values, share]) => (await import(url)).quantile(values, share)"""
    module = page.url.replace("/echo", "/summary.js")
    values = [15, 20, 35, 40, 50]
    found = [page.evaluate(quantile, [module, values, share]) for share in (0, 0.3, 0.4, 0.5, 0.95, 1)]
    assert found == [15, 20, 20, 35, 50, 50]
