"""The chat page: two windows that talk, over each transport."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chat_window import ChatWindow
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.demo_server import DemoServer

pytestmark = pytest.mark.browser


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[DemoServer]:
    """A demo server for one test: its room is empty."""
    with DemoServer(tmp_path / "server.log") as server:
        yield server


@pytest.fixture
def ann(open_page: OpenPage, transport: str) -> ChatWindow:
    """Ann's window, in the room."""
    return ChatWindow(open_page(f"chat?transport={transport}")).join("Ann")


@pytest.fixture
def bob(open_page: OpenPage, transport: str, ann: ChatWindow) -> ChatWindow:
    """Bob's window, in the room after Ann."""
    return ChatWindow(open_page(f"chat?transport={transport}")).join("Bob")


def test_two_windows_talk_both_ways(ann: ChatWindow, bob: ChatWindow) -> None:
    ann.say("Can you see the star?")
    bob.expect_said("Can you see the star?")
    bob.say("It has hair.")
    ann.expect_said("Can you see the star?", "It has hair.")
    expect(ann.page.locator(".said:not(.mine) .who")).to_contain_text("Bob")


def test_markup_in_messages_and_names_stays_text(open_page: OpenPage, ann: ChatWindow) -> None:
    eve = ChatWindow(open_page("chat")).join("<b>Eve</b>")
    eve.say("<img src=x onerror=alert(1)> & </ol>")
    ann.expect_said("<img src=x onerror=alert(1)> & </ol>")
    ann.expect_members("<b>Eve</b>", "Ann (you)")


def test_members_come_and_go(ann: ChatWindow, bob: ChatWindow) -> None:
    expect(ann.notice("Bob joined")).to_be_visible()
    ann.expect_members("Ann (you)", "Bob")
    bob.expect_members("Ann", "Bob (you)")
    bob.page.get_by_role("button", name="Leave").click()
    expect(ann.notice("Bob left")).to_be_visible()
    ann.expect_members("Ann (you)")


def test_a_closed_window_leaves_the_room(ann: ChatWindow, bob: ChatWindow) -> None:
    ann.expect_members("Ann (you)", "Bob")
    bob.page.close()
    expect(ann.notice("Bob left")).to_be_visible()
    ann.expect_members("Ann (you)")


def test_a_private_message_reaches_its_addressee_alone(
    open_page: OpenPage, ann: ChatWindow, bob: ChatWindow
) -> None:
    carol = ChatWindow(open_page("chat")).join("Carol")
    ann.expect_members("Ann (you)", "Bob", "Carol")
    ann.page.get_by_role("button", name="Bob").click()
    ann.say("Only for you")
    bob.expect_said("Only for you")
    expect(bob.page.locator(".said.private .who")).to_contain_text("privately to you")
    ann.page.get_by_label("To", exact=True).select_option("To everyone")
    ann.say("For all")
    # What Ann sends is in order: had the first message gone to Carol, it would be here by now.
    carol.expect_said("For all")
    bob.expect_said("Only for you", "For all")


def test_a_name_and_two_colons_address_a_member(ann: ChatWindow, bob: ChatWindow) -> None:
    ann.expect_members("Ann (you)", "Bob")
    ann.say("bob:: psst")
    bob.expect_said("psst")
    expect(bob.page.locator(".said.private")).to_have_count(1)


def test_what_is_for_nobody_here_is_not_sent_to_everyone(ann: ChatWindow, bob: ChatWindow) -> None:
    ann.say("Carol:: do not tell Bob")
    expect(ann.problem).to_contain_text("nobody here is called “Carol”")
    expect(ann.page.get_by_role("textbox", name="Message")).to_have_value("Carol:: do not tell Bob")
    ann.say("Hello")
    bob.expect_said("Hello")


def test_a_recipient_who_left_stays_chosen(ann: ChatWindow, bob: ChatWindow) -> None:
    ann.page.get_by_role("button", name="Bob").click()
    bob.page.get_by_role("button", name="Leave").click()
    expect(ann.notice("Bob left")).to_be_visible()
    ann.say("Only for Bob")
    expect(ann.problem).to_contain_text("not in the room any more")
    ann.expect_said()


def test_a_name_that_is_taken_is_refused(open_page: OpenPage, ann: ChatWindow) -> None:
    second = open_page("chat")
    second.get_by_label("Your name").fill("ANN")
    second.get_by_role("button", name="Join").click()
    expect(second.get_by_role("alert").first).to_contain_text("“Ann” is taken")
    expect(second.get_by_label("Your name")).to_be_focused()
    ChatWindow(second).join("Anna").expect_members("Ann", "Anna (you)")


def test_a_reload_keeps_the_name(ann: ChatWindow, bob: ChatWindow) -> None:
    bob.page.reload()
    bob.expect_members("Ann", "Bob (you)")
    bob.say("Here again")
    ann.expect_said("Here again")


def test_the_transport_can_be_changed_while_talking(ann: ChatWindow, bob: ChatWindow, transport: str) -> None:
    other = {"websocket": "Long polling", "long-polling": "WebSocket"}[transport]
    bob.page.get_by_label("Transport").select_option(other)
    expect(bob.page.locator("#state")).to_have_text(f"Connected · {other}")
    bob.expect_members("Ann", "Bob (you)")
    bob.say("Over another way")
    ann.expect_said("Over another way")
    bob.expect_said("Over another way")


def test_two_windows_of_one_browser_talk(open_page: OpenPage, browser: Browser, transport: str) -> None:
    with browser.new_context() as context:
        first = ChatWindow(open_page(f"chat?transport={transport}", context=context)).join("First")
        second = ChatWindow(open_page(f"chat?transport={transport}", context=context)).join("Second")
        first.say("One")
        second.expect_said("One")
        second.say("Two")
        first.expect_said("One", "Two")


def test_the_keyboard_is_enough(open_page: OpenPage, bob: ChatWindow) -> None:
    page = open_page("chat")
    keyboard = page.keyboard
    page.get_by_role("link", name="Skip to content").focus()
    keyboard.press("Enter")
    keyboard.press("Tab")
    expect(page.get_by_label("Your name")).to_be_focused()
    keyboard.type("Kay")
    keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    keyboard.type("Typed")
    keyboard.press("Enter")
    bob.expect_said("Typed")
    keyboard.press("Shift+Tab")
    expect(page.get_by_label("To", exact=True)).to_be_focused()
    keyboard.type("To Bob")
    keyboard.press("Tab")
    keyboard.type("Quietly")
    keyboard.press("Enter")
    bob.expect_said("Typed", "Quietly")
    expect(bob.page.locator(".said.private")).to_have_count(1)


def test_a_text_that_is_too_long_is_refused_and_kept(ann: ChatWindow, complaints: Complaints) -> None:
    ann.page.locator("#text").evaluate("input => input.removeAttribute('maxlength')")
    ann.say("x" * 2_001)
    expect(ann.problem).to_contain_text("at most 2000 characters")
    expect(ann.page.locator("#text")).to_have_value("x" * 2_001)
