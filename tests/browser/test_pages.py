"""All pages: no complaint of the browser, a name for every control, both colour schemes, small screens."""

import subprocess
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chat_window import ChatWindow
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.demo_server import DemoServer

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LANDMARKS: tuple[Literal["banner", "navigation", "main", "contentinfo"], ...] = (
    "banner",
    "navigation",
    "main",
    "contentinfo",
)
PAGES = ("", "chat", "echo", "timesync")
CONTROLS = {
    "button",
    "link",
    "textbox",
    "combobox",
    "checkbox",
    "radio",
    "DisclosureTriangle",
    "image",
    "log",
}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_connects_without_complaint(
    open_page: OpenPage, transport: str, path: str, complaints: Complaints
) -> None:
    page = open_page(f"{path}?transport={transport}")
    shown = {"websocket": "WebSocket", "long-polling": "Long polling"}[transport]
    expect(page.get_by_role("status").first).to_have_text(f"Connected · {shown}")
    expect(page.get_by_label("Transport")).to_have_value(transport)
    assert complaints.texts == []


@pytest.mark.parametrize("path", PAGES)
def test_the_chosen_transport_is_used_and_stays_in_the_address(open_page: OpenPage, path: str) -> None:
    page = open_page(path)
    expect(page.locator("#state")).to_have_text("Connected · WebSocket")
    page.get_by_label("Transport").select_option("Long polling")
    expect(page.locator("#state")).to_have_text("Connected · Long polling")
    page.reload()
    expect(page.locator("#state")).to_have_text("Connected · Long polling")
    page.get_by_label("Transport").select_option("Automatic")
    expect(page.locator("#state")).to_have_text("Connected · WebSocket")
    assert "transport" not in page.url


def test_without_a_way_through_for_websockets_the_page_falls_back(browser: Browser, demo: DemoServer) -> None:
    with browser.new_context() as context:
        context.add_init_script("delete globalThis.WebSocket")
        page = context.new_page()
        page.goto(demo.url)
        expect(page.locator("#state")).to_have_text("Connected · Long polling")


def named_controls(page: Page) -> list[tuple[str, str]]:
    """Return role and name of what assistive technology finds on a page."""
    session = page.context.new_cdp_session(page)
    session.send("Accessibility.enable")
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    found = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if not n["ignored"]]
    return [(role, name) for role, name in found if role in CONTROLS]


@pytest.mark.parametrize("path", PAGES)
def test_every_control_has_a_name(open_page: OpenPage, path: str) -> None:
    page = open_page(path)
    controls = named_controls(page)
    assert len(controls) > 5
    assert [role for role, name in controls if not name.strip()] == []


def test_every_control_of_the_room_has_a_name(open_page: OpenPage) -> None:
    ann = ChatWindow(open_page("chat")).join("Ann")
    ChatWindow(open_page("chat")).join("Bob")
    ann.expect_members("Ann (you)", "Bob")
    controls = named_controls(ann.page)
    assert ("textbox", "Message") in controls
    assert ("button", "Bob") in controls
    assert ("log", "Conversation") in controls
    assert [role for role, name in controls if not name.strip()] == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_landmarks_and_one_heading_of_the_first_rank(open_page: OpenPage, path: str) -> None:
    page = open_page(path)
    for landmark in LANDMARKS:
        expect(page.get_by_role(landmark)).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_overflows_and_both_schemes_are_drawn(open_page: OpenPage, tmp_path: Path, path: str) -> None:
    page = open_page(path)
    if path == "chat":
        ChatWindow(page).join("A name that is as long as allowed").say("An unbroken word " + "!" * 200)
        expect(page.locator(".said")).to_have_count(1)
    for width in (320, 390, 768, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        grounds = set()
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=tmp_path / f"{path or 'index'}-{width}-{scheme}.png", full_page=True)
            grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert len(grounds) == len(SCHEMES)


def test_the_wire_shows_messages_without_the_sessions_id(open_page: OpenPage) -> None:
    page = open_page("echo")
    page.get_by_text("On the wire").click()
    page.get_by_role("button", name="Call echo").click()
    sent = page.locator('#wire-messages [data-direction="out"]', has_text="/service/echo")
    expect(sent).to_have_count(1)
    expect(sent).to_contain_text('"clientId":"…"')
    answer = page.locator('#wire-messages [data-direction="in"]', has_text='"data":')
    expect(answer).to_have_count(1)


def test_the_snippet_for_mirant_js_works(open_page: OpenPage) -> None:
    """The code that the index page shows runs as it stands, in a page of the same server."""
    page = open_page("")
    snippet = page.locator('[data-client="mirant"] pre code').text_content() or ""
    assert page.url in snippet, "the snippet should name the address of this bus"
    page.route("**/snippet.js", lambda route: route.fulfill(body=snippet, content_type="text/javascript"))
    with page.expect_console_message(lambda message: message.type == "log") as logged:
        page.evaluate("import('/snippet.js')")
    assert logged.value.args[0].json_value() == {"text": "Hello"}


def test_the_snippet_for_cometd_works(open_page: OpenPage) -> None:
    """The code that the index page shows runs in Node, once that has what CometD expects of a browser."""
    page = open_page("")
    snippet = page.locator('[data-client="cometd"] pre code').text_content() or ""
    adapted = f'import {{ adapt }} from "cometd-nodejs-client";\nadapt();\n{snippet}'
    command = ["node", "--input-type=module", "--eval", adapted]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdout is not None
        try:
            line = node.stdout.readline()
        finally:
            node.kill()
    assert line == "{ text: 'Hello' }\n"
