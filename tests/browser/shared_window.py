"""A window with a bus of the test's making, on a page of the demo's origin that has none itself."""

from typing import Any

from playwright.sync_api import BrowserContext, Page

#: A script, which a browser shows as text.
_PAGE = "mirant.js"

_OPEN = """async ([options, channels]) => {
  const { Mirant } = await import("./mirant.js");
  const bus = window.bus = new Mirant(new URL(".", location).href.replace(/.$/, ""), options);
  window.heard = [];
  window.states = [];
  bus.addEventListener("state", ({ detail }) => states.push(detail.state));
  window.times = [];
  const hear = ({ data }) => {
    heard.push(data instanceof Uint8Array ? { bytes: [...data] } : data);
    times.push(performance.now());
  };
  const subscribed = channels.map((channel) => bus.subscribe(channel, hear));
  await bus.connect();
  await Promise.all(subscribed);
}"""


class SharedWindow:
    """One window; its bus connects when it is made."""

    def __init__(self, context: BrowserContext, url: str, *channels: str, **options: Any) -> None:
        self._options = [options, list(channels)]
        self.page: Page = context.new_page()
        #: What this window has sent over WebSockets.
        self.sent: list[str] = []
        self.page.on("websocket", lambda socket: socket.on("framesent", self._keep))
        self.page.goto(f"{url}/{_PAGE}")
        self.open()

    def _keep(self, frame: str | bytes) -> None:
        self.sent.append(str(frame))

    def open(self) -> None:
        """Make the bus of the page, subscribe and connect."""
        self.page.evaluate(_OPEN, self._options)

    @property
    def heard(self) -> list[Any]:
        """What its subscriptions heard."""
        heard: list[Any] = self.page.evaluate("heard")
        return heard

    def expect_heard(self, *messages: object) -> None:
        """Wait until there are that many, and see that they are exactly *messages*."""
        self.page.wait_for_function("(count) => heard.length >= count", arg=len(messages))
        assert self.heard == list(messages)

    @property
    def client_id(self) -> str:
        """The session it uses."""
        client_id: str = self.page.evaluate("bus.clientId")
        return client_id

    def longest_silence(self) -> float:
        """Return the most milliseconds between two messages that it heard."""
        silence: float = self.page.evaluate("Math.max(...times.slice(1).map((at, n) => at - times[n]))")
        return silence

    def publish(self, channel: str, data: object) -> None:
        """Publish and wait for the reply."""
        self.page.evaluate("([channel, data]) => bus.publish(channel, data)", [channel, data])
