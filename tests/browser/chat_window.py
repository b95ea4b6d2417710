"""The chat page as someone uses it."""

from playwright.sync_api import Locator, Page, expect

#: Milliseconds within which clients are back after the server was restarted.
RECOVERY = 15_000


class ChatWindow:
    """A window with the chat page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.said = page.locator("#log .said .text")
        self.members = page.locator("#members .member")
        self.problem = page.locator("#send-problem")

    def join(self, name: str) -> "ChatWindow":
        """Enter a name and join the room."""
        self.page.get_by_label("Your name").fill(name)
        self.page.get_by_role("button", name="Join").click()
        expect(self.page.get_by_role("textbox", name="Message")).to_be_visible()
        return self

    def say(self, text: str) -> None:
        """Write a message and send it."""
        self.page.get_by_role("textbox", name="Message").fill(text)
        self.page.get_by_role("button", name="Send").click()

    def notice(self, text: str) -> Locator:
        """Return the notices with *text*."""
        return self.page.locator("#log .notice", has_text=text)

    def expect_said(self, *texts: str) -> None:
        """Wait until exactly *texts* were said, in this order."""
        expect(self.said).to_have_text(list(texts))

    def expect_members(self, *names: str) -> None:
        """Wait until exactly *names* are in the list of members; the own name ends with ``(you)``."""
        expect(self.members.locator("span:last-child")).to_have_text(list(names))
