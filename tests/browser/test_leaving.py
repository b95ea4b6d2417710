"""What becomes of messages and windows when a page is left, reloaded, or opens another tab."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.demo_server import DemoServer
from tests.browser.slow_links import open_bus

pytestmark = pytest.mark.browser

_CONNECT = """async ([url, options]) => {
  const { Mirant } = await import(`${url}/mirant.js`);
  globalThis.heard = [];
  globalThis.bus = new Mirant(url, options);
  await bus.connect();
  return bus.clientId;
}"""
_LISTEN = "() => bus.subscribe('/room', ({ data }) => heard.push(data)).then(() => true)"
_PUBLISH_AND_LEAVE = """async () => {
  for (let n = 0; n < 8; n++) {
    bus.publish("/room", n).catch(() => {});
    if (n < 2) await null; // the first is under way, the others wait
  }
  location.href = "about:blank";
}"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DemoServer]:
    with open_bus(tmp_path) as server:
        yield server


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    yield context
    context.close()


def _connected(page: Page, server: DemoServer, **options: object) -> str:
    page.goto(server.url)
    client_id: str = page.evaluate(_CONNECT, [server.url, options])
    return client_id


def test_what_is_published_before_the_page_is_left_arrives(
    context: BrowserContext, browser: Browser, server: DemoServer, transport: str
) -> None:
    listener = browser.new_page()
    _connected(listener, server)
    listener.evaluate(_LISTEN)
    for rounds in range(1, 4):
        page = context.new_page()
        _connected(page, server, transports=[transport])
        page.evaluate(_PUBLISH_AND_LEAVE)
        page.wait_for_url("about:blank")
        listener.wait_for_function("count => heard.length >= count", arg=8 * rounds)
        page.close()
    assert listener.evaluate("heard") == list(range(8)) * 3
    listener.close()


def test_a_page_that_is_reloaded_without_a_goodbye_polls_as_before_at_once(
    context: BrowserContext, server: DemoServer
) -> None:
    page = context.new_page()
    _connected(page, server, transports=["long-polling"])
    page.evaluate("addEventListener('pagehide', (event) => event.stopImmediatePropagation(), true)")
    page.reload()
    page.evaluate(_CONNECT, [server.url, {"transports": ["long-polling"]}])
    page.evaluate("globalThis.began = performance.now()")
    page.wait_for_function("!bus.advice['multiple-clients']")
    assert page.evaluate("performance.now() - began") < 4_000


def test_a_tab_that_a_page_opens_does_not_take_its_session(
    context: BrowserContext, server: DemoServer
) -> None:
    page = context.new_page()
    client_id = _connected(page, server, reload=True)
    page.goto("about:blank")
    page.goto(f"{server.url}/health")  # a page of the same origin, which has no bus
    with context.expect_page() as opened:
        page.evaluate("url => { open(url); }", server.url)
    other = opened.value
    other.wait_for_load_state()
    first = other.evaluate(_CONNECT, [server.url, {"reload": True}])
    second = _connected(page, server, reload=True)
    assert first == client_id
    assert second != client_id
    assert page.evaluate("bus.state") == other.evaluate("bus.state") == "connected"


def test_a_hidden_page_keeps_its_time_in_a_worker_that_the_policy_of_the_bus_allows(
    context: BrowserContext, server: DemoServer
) -> None:
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    _connected(page, server)
    with page.expect_worker() as started:
        page.evaluate(
            "() => { Object.defineProperty(document, 'hidden', { value: true });"
            " document.dispatchEvent(new Event('visibilitychange')); }"
        )
    assert started.value.url.endswith("/mirant/clock.js")
    assert page.evaluate("bus.call('nothing', 1, { timeout: 50 }).catch(({ error }) => error)")
    assert [text for text in complaints if "Content Security Policy" in text] == []
