"""The demo's policy against people with a browser and its console."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from mirant.demo.app import POLICY
from tests.browser.chat_window import ChatWindow
from tests.browser.conftest import OpenPage
from tests.browser.demo_server import DemoServer
from tests.browser.intruder import Intruder

pytestmark = pytest.mark.browser

IMAGE = '<img src=x onerror="ran = true">'
SCRIPT = "<script>ran = true</script>"
TYPED = f"{IMAGE}{SCRIPT} 1 < 2 && &lt; </ol>"
INBOX = re.compile(r"/users/[^/]+/inbox")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[DemoServer]:
    """A demo server for one test: its room is empty."""
    with DemoServer(tmp_path / "server.log") as server:
        yield server


@pytest.fixture
def ann(open_page: OpenPage, transport: str) -> ChatWindow:
    """Ann's window, in the room."""
    return ChatWindow(open_page(f"chat?transport={transport}")).join("Ann")


def expect_nothing_ran(page: Page) -> None:
    """See that no script ran, and that the conversation and the list of members have no element of markup."""
    assert page.evaluate("typeof ran") == "undefined"
    for place in ("#log", "#members", "#recipient", "#join-problem", "#send-problem"):
        expect(page.locator(f"{place} :is(img, script, b[onclick], i)")).to_have_count(0)


def inbox_of(window: ChatWindow) -> str:
    """Return the channel of the private messages for *window*, as its page subscribed to it."""
    window.page.get_by_text("On the wire").click()
    subscription = window.page.locator('#wire-messages [data-direction="out"]', has_text="/inbox")
    found = INBOX.search(subscription.first.text_content() or "")
    assert found is not None
    return found[0]


def test_markup_typed_into_the_form_is_shown_and_does_nothing(open_page: OpenPage, ann: ChatWindow) -> None:
    eve = ChatWindow(open_page("chat")).join("<i>Eve</i>")
    eve.say(TYPED)
    for window in (ann, eve):
        window.expect_said(TYPED)
    eve.page.get_by_role("button", name="Ann").click()
    eve.say(TYPED)
    ann.expect_said(TYPED, TYPED)
    ann.expect_members("<i>Eve</i>", "Ann (you)")
    for window in (ann, eve):
        expect_nothing_ran(window.page)


def test_markup_published_from_the_console_is_shown_and_does_nothing(
    open_page: OpenPage, demo: DemoServer, ann: ChatWindow
) -> None:
    eve = ChatWindow(open_page("chat"))
    intruder = Intruder(eve.page, demo.url, "<img src=x onerror=ran=1>")
    assert intruder.subscribe("/chat/**") == ""
    intruder.publish("/chat/demo", {"chat": IMAGE + SCRIPT, "user": SCRIPT, "html": IMAGE})
    ann.expect_said(IMAGE + SCRIPT)
    ann.expect_members("<img src=x onerror=ran=1>", "Ann (you)")
    expect(ann.notice("<img src=x onerror=ran=1> joined")).to_be_visible()
    expect_nothing_ran(ann.page)
    # As others get it, who may be less careful than this page.
    intruder.wait_for("".join((IMAGE, SCRIPT)).replace("<", "&lt;").replace(">", "&gt;"))
    assert "<" not in str(intruder.heard)


def test_the_inbox_of_another_user_cannot_be_read(
    open_page: OpenPage, demo: DemoServer, ann: ChatWindow, transport: str
) -> None:
    bob = ChatWindow(open_page(f"chat?transport={transport}")).join("Bob")
    inbox = inbox_of(bob)
    user = inbox.removesuffix("/inbox")
    eve = ChatWindow(open_page(f"chat?transport={transport}")).join("Eve")
    assert inbox_of(eve) != inbox
    intruder = Intruder(eve.page, demo.url, "Mallory")
    patterns = (inbox, f"{user}/*", f"{user}/**", "/users/*", "/users/**", "/**")
    assert {intruder.subscribe(pattern) for pattern in patterns} == {"subscribe_denied"}
    assert intruder.subscribe(f"/users/{intruder.sign_in()}/inbox") == ""
    assert {intruder.subscribe(pattern) for pattern in patterns} == {"subscribe_denied"}
    assert intruder.subscribe("/chat/**") == ""

    ann.expect_members("Ann (you)", "Bob", "Eve", "Mallory")
    ann.say("Bob:: psst")
    bob.expect_said("psst")
    ann.say("For all")
    # What Ann sends is in order: had the first message gone to Eve, it would be here by now.
    eve.expect_said("For all")
    intruder.wait_for("For all")
    assert "psst" not in str(intruder.heard)


def test_what_a_private_message_is_cannot_be_forged(
    open_page: OpenPage, demo: DemoServer, ann: ChatWindow
) -> None:
    intruder = Intruder(open_page("chat"), demo.url, "Mallory")
    inbox = inbox_of(ann)
    for channel in (inbox, "/members/demo"):
        with pytest.raises(Exception, match="publish_denied"):
            intruder.publish(channel, {"user": "Bob", "chat": "forged"})
    with pytest.raises(Exception, match="publish_denied"):  # without a token
        intruder.page.evaluate("bus.call('chat/private', {room: 'demo', peer: 'Ann', chat: 'anonymous'})")
    intruder.publish("/chat/demo", {"chat": "For all"})
    ann.expect_said("For all")
    ann.expect_members("Ann (you)", "Mallory")


def test_the_page_shows_a_new_token_before_the_old_one_runs_out(
    browser: Browser, tmp_path: Path, transport: str
) -> None:
    command = ("serve", "tests.browser.short_tokens:bus")
    with DemoServer(tmp_path / "server.log", command) as server:
        windows = []
        for name in ("Ann", "Bob"):
            page = browser.new_context().new_page()
            page.goto(f"{server.url}/chat?transport={transport}")
            page.wait_for_selector('#state[data-state="connected"]')
            windows.append(ChatWindow(page).join(name))
        ann, bob = windows
        bob.page.get_by_text("On the wire").click()
        renewals = bob.page.locator('#wire-messages [data-direction="out"]', has_text="/service/chat/renew")
        expect(renewals).to_have_count(5)  # four quarters, and the first token has run out
        ann.say("Bob:: still there?")
        bob.expect_said("still there?")
        for window in windows:
            expect(window.notice("Connection lost")).to_have_count(0)
        # What is on the screen may be seen by others.
        expect(bob.page.locator("#wire-messages")).to_contain_text('"token":"…"')
        expect(bob.page.locator("#wire-messages")).not_to_contain_text("eyJ")
        for window in windows:
            window.page.context.close()


def test_the_policy_file_can_be_read_on_the_first_page(open_page: OpenPage) -> None:
    page = open_page("")
    page.get_by_text("Read mirant.toml").click()
    text = page.locator("#policy-text")
    expect(text).to_contain_text('match     = "/users/{user}/inbox"')
    assert (text.text_content() or "").rstrip() == POLICY.read_text(encoding="utf-8").rstrip()
    comments = page.locator("#policy-text .comment", has_text="# ").all_text_contents()
    assert "# something about a matter decides it." in comments
