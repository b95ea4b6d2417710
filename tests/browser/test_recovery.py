"""The server dies in the middle of a chat, and comes back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.chat_window import RECOVERY, ChatWindow
from tests.browser.conftest import Complaints, OpenPage
from tests.browser.demo_server import DemoServer

pytestmark = pytest.mark.browser


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[DemoServer]:
    """A demo server for one test, which may kill it."""
    with DemoServer(tmp_path / "server.log") as server:
        yield server


def test_both_windows_come_back_by_themselves(
    open_page: OpenPage, demo: DemoServer, transport: str, complaints: Complaints
) -> None:
    ann = ChatWindow(open_page(f"chat?transport={transport}")).join("Ann")
    bob = ChatWindow(open_page(f"chat?transport={transport}")).join("Bob")
    ann.say("Before")
    bob.expect_said("Before")

    demo.kill()
    for window in (ann, bob):
        expect(window.notice("Connection lost")).to_have_count(1)
        expect(window.page.locator("#state")).to_have_text("Connection lost, trying again…")
    ann.say("Into the void")
    expect(ann.problem).to_contain_text("Not sent")
    expect(ann.page.locator("#text")).to_have_value("Into the void")

    demo.start()
    for window in (ann, bob):
        expect(window.notice("Back.")).to_have_count(1, timeout=RECOVERY)
        expect(window.page.locator("#state")).to_contain_text("Connected")
    ann.expect_members("Ann (you)", "Bob")
    bob.expect_members("Ann", "Bob (you)")
    ann.page.get_by_role("button", name="Send").click()
    bob.expect_said("Before", "Into the void")
    bob.say("After")
    ann.expect_said("Before", "Into the void", "After")
    complaints.texts.clear()  # a browser reports each attempt to reach the dead server


def test_motion_stops_for_those_who_ask(
    open_page: OpenPage, demo: DemoServer, complaints: Complaints
) -> None:
    page = open_page("", reduced_motion="reduce")
    demo.kill()
    state = page.locator("#state")
    expect(state).to_have_attribute("data-state", "interrupted")
    assert state.evaluate("it => getComputedStyle(it, '::before').animationName") == "none"
    complaints.texts.clear()  # the dead server


def test_a_server_that_is_not_there_is_waited_for(
    open_page: OpenPage, demo: DemoServer, complaints: Complaints
) -> None:
    page = open_page("")
    demo.kill()
    expect(page.locator("#state")).to_have_text("Connection lost, trying again…")
    demo.start()
    expect(page.locator("#state")).to_have_text("Connected · WebSocket", timeout=RECOVERY)
    complaints.texts.clear()  # the dead server


def test_a_name_taken_meanwhile_is_asked_for_again(
    open_page: OpenPage, demo: DemoServer, complaints: Complaints
) -> None:
    """The server came back without its memory, and someone else was quicker."""
    ann = ChatWindow(open_page("chat")).join("Ann")
    other = open_page("echo")
    demo.kill()
    expect(ann.notice("Connection lost")).to_have_count(1)
    # Ann's window sees no network until the other one has her name.
    ann.page.context.set_offline(True)
    demo.start()
    quicker = ChatWindow(other)
    other.goto(f"{demo.url}/chat")
    quicker.join("Ann")
    ann.page.context.set_offline(False)
    expect(ann.page.locator("#join-problem")).to_contain_text("“Ann” is taken", timeout=RECOVERY)
    ann.join("Anna").say("It is me")
    quicker.expect_said("It is me")
    complaints.texts.clear()  # the dead server
