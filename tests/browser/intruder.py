"""Somebody who opens the console of the chat page and speaks with the bus by hand."""

from typing import Any

from playwright.sync_api import Page

# As anyone could type it there. The console has no access to the page's own connection, nor to its listeners.
_ENTER = """async ([url, name]) => {
  const { Mirant } = await import(`${url}/mirant.js`);
  const bus = (window.bus = new Mirant(url, { transports: ["long-polling"] }));
  window.heard = [];
  bus.addEventListener("error", (event) => event.preventDefault());
  await bus.connect();
  window.entry = await bus.call("chat/join", { room: "demo", name });
}"""

# It takes the place of the connect that is held. The client sees a broken connection in that, and mends it.
_SIGN_IN = """async () => {
  const connect = { channel: "/meta/connect", connectionType: "long-polling", advice: { timeout: 0 } };
  await bus.send({ ...connect, ext: { token: entry.token } });
}"""

_SUBSCRIBE = """async (pattern) => {
  try {
    await bus.subscribe(pattern, (message) => void heard.push(message));
    return "";
  } catch (error) {
    return error.error;
  }
}"""


class Intruder:
    """A connection of the console's own, in the page of somebody who looks harmless."""

    def __init__(self, page: Page, url: str, name: str) -> None:
        """Connect to the bus at *url* from *page*, and join the room as *name*."""
        self.page = page
        page.evaluate(_ENTER, [url, name])

    def sign_in(self) -> str:
        """Show the token that came with joining; return the user that the session is of now."""
        self.page.evaluate(_SIGN_IN)
        user: str = self.page.evaluate("entry.user")
        return user

    def subscribe(self, pattern: str) -> str:
        """Return the error, or nothing if it is granted."""
        error: str = self.page.evaluate(_SUBSCRIBE, pattern)
        return error

    def publish(self, channel: str, data: object) -> None:
        """Publish and wait for the reply."""
        self.page.evaluate("([channel, data]) => bus.publish(channel, data)", [channel, data])

    @property
    def heard(self) -> list[dict[str, Any]]:
        """All messages that its subscriptions brought."""
        heard: list[dict[str, Any]] = self.page.evaluate("heard")
        return heard

    def wait_for(self, chat: str) -> None:
        """Wait until it heard *chat* said."""
        self.page.wait_for_function("(chat) => heard.some(({ data }) => data.chat === chat)", arg=chat)
