"""The recipes of ``deploy``: a real proxy before ``mirant serve``, plain and over TLS, and real clients."""

import re
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode

import httpx
import pytest
import trustme
from playwright.sync_api import Browser, Route, sync_playwright

from mirant import Settings
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.deploy.proxies import NAME, PROXIES, Proxy
from tests.interop.features import Features
from tests.interop.running import wait_for
from tests.interop.server import ROOT, Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(90)]

SCHEMES: Final = ("http", "https")

#: Which page speaks which transports: all that there are, of two clients.
BATTERIES: Final = (
    ("cometd", "websocket"),
    ("cometd", "long-polling"),
    ("cometd", "callback-polling"),
    ("faye-1.4", "eventsource"),
)

#: What the battery proves, whatever the client has beside it.
PROOFS: Final = ("publish", "wildcards", "order", "unsubscribe", "restart", "disconnect")

#: An address of this machine that is not the proxy's.
CLIENT: Final = "127.0.0.2"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Whoever signed the site's certificate."""
    return trustme.CA()


@pytest.fixture(scope="module")
def certificate(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site's certificate with its key."""
    file = tmp_path_factory.mktemp("certificate") / "site.pem"
    authority.issue_cert(NAME).private_key_and_cert_chain_pem.write_to_path(str(file))
    return file


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """``mirant serve`` with every transport."""
    with Server(tmp_path_factory.mktemp("bus") / "log", "proxied") as server:
        yield server


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """``mirant serve`` that holds polls for long, and says when a client is gone."""
    with Server(tmp_path_factory.mktemp("patient") / "log", "patient") as server:
        yield server


@pytest.fixture(scope="module", params=PROXIES, ids=lambda kind: kind.program)
def kind(request: pytest.FixtureRequest) -> type[Proxy]:
    """Each proxy."""
    chosen: type[Proxy] = request.param
    return chosen


@pytest.fixture(scope="module")
def proxy(
    kind: type[Proxy], bus: Server, certificate: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    """A proxy in front of the bus."""
    with kind(tmp_path_factory.mktemp("proxy") / kind.program, bus.port, certificate) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium that finds the site on this machine."""
    flags = [*FLAGS, f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


class Client:
    """A poller at an address of its own, which sends what a proxy must not believe."""

    def __init__(self, proxy: Proxy, scheme: str, authority: trustme.CA) -> None:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        self._url = f"{scheme}://127.0.0.1:{proxy.ports[scheme]}/cometd"
        self._extensions = {"sni_hostname": NAME}
        transport = httpx.HTTPTransport(verify=context, local_address=CLIENT)
        self.http = httpx.Client(
            transport=transport,
            headers={
                "host": f"{NAME}:{proxy.ports[scheme]}",
                "x-forwarded-for": "203.0.113.9",
                "x-forwarded-proto": "gopher",
            },
            timeout=30,
        )
        self.handshake = self._send({"channel": "/meta/handshake", "version": "1.0"})
        [self.reply] = self.handshake.json()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()

    def say(self, **message: object) -> list[dict[str, Any]]:
        """Send a message of this client's session; return the answer."""
        answer: list[dict[str, Any]] = self._send({"clientId": self.reply["clientId"], **message}).json()
        return answer

    def connect(self, *, timeout: int) -> list[dict[str, Any]]:
        """Poll for *timeout* milliseconds."""
        return self.say(channel="/meta/connect", connectionType="long-polling", advice={"timeout": timeout})

    def abandon(self) -> None:
        """Poll, and go away before the answer comes."""
        with pytest.raises(httpx.ReadTimeout):
            self.http.post(
                self._url,
                json=[
                    {
                        "channel": "/meta/connect",
                        "clientId": self.reply["clientId"],
                        "connectionType": "long-polling",
                    }
                ],
                timeout=httpx.Timeout(30, read=0.5),
                extensions=self._extensions,
            )

    def _send(self, message: dict[str, object]) -> httpx.Response:
        types = ["long-polling"] if message["channel"] == "/meta/handshake" else None
        fields = message if types is None else {**message, "supportedConnectionTypes": types}
        response = self.http.post(self._url, json=[fields], extensions=self._extensions)
        return response.raise_for_status()


@pytest.mark.parametrize(("page", "transport"), BATTERIES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_client_does_everything_through_it(
    browser: Browser, proxy: Proxy, bus: Server, scheme: str, page: str, transport: str
) -> None:
    origin = proxy.origin(scheme)
    context = browser.new_context(ignore_https_errors=True)  # nobody knows the authority of this test
    try:
        window = context.new_page()
        # The page comes through the proxy from the bus; the clients, which the bus does not have, from here.
        window.route(re.compile(r"/(interop|node_modules)/"), _from_disk)
        window.goto(
            f"{origin}/cometd/{page}?{urlencode({'url': f'{origin}/cometd', 'transport': transport})}"
        )
        wait_for(window, "ready")
        bus.restart()
        report = wait_for(window, "end")
    finally:
        context.close()

    features = Features()
    features.test_handshake(report, transport)
    for proof in PROOFS:
        getattr(features, f"test_{proof}")(report)


def _from_disk(route: Route) -> None:
    path = httpx.URL(route.request.url).path
    kind = "text/javascript" if path.endswith(("js", "mjs")) else "text/html"
    route.fulfill(path=ROOT / path.replace("/interop/", "/tests/interop/").lstrip("/"), content_type=kind)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_poll_is_held_for_as_long_as_the_bus_says(proxy: Proxy, scheme: str, authority: trustme.CA) -> None:
    with Client(proxy, scheme, authority) as client:
        client.connect(timeout=0)
        began = time.monotonic()
        [reply] = client.connect(timeout=1_500)

    assert reply["successful"] is True
    assert time.monotonic() - began >= 1.4


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_bus_learns_the_clients_address_and_scheme_from_the_proxy_alone(
    proxy: Proxy, scheme: str, authority: trustme.CA
) -> None:
    with Client(proxy, scheme, authority) as client:
        answers = client.say(channel="/service/whence", data={}, id="1")

    assert CLIENT in [answer.get("data") for answer in answers]
    assert ("secure" in client.handshake.headers["set-cookie"].lower()) is (scheme == "https")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_client_cannot_give_the_bus_another_name(proxy: Proxy, scheme: str, authority: trustme.CA) -> None:
    with Client(proxy, scheme, authority) as client:
        client.http.headers.update({"x-forwarded-host": "evil.example", "origin": f"{scheme}://evil.example"})
        with pytest.raises(httpx.HTTPStatusError, match="403"):
            client.connect(timeout=0)
        client.http.headers["origin"] = proxy.origin(scheme)
        assert client.connect(timeout=0)[0]["successful"] is True


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_bus_learns_that_a_client_went_away(
    kind: type[Proxy], patient: Server, certificate: Path, scheme: str, authority: trustme.CA, tmp_path: Path
) -> None:
    with (
        kind(tmp_path / kind.program, patient.port, certificate) as proxy,
        Client(proxy, scheme, authority) as client,
    ):
        client.connect(timeout=0)
        client.abandon()
        # The poll would be held for ten minutes, and this test may not take that long.
        patient.wait_for(f"left: {client.reply['clientId']}")


def test_the_recipe_waits_longer_than_the_bus(kind: type[Proxy]) -> None:
    text = (ROOT / "deploy" / kind.recipe).read_text(encoding="utf-8")
    timeouts = re.findall(r"(?:proxy_(?:read|send)_timeout|timeout (?:client|server|tunnel)) (\d+)s", text)

    assert len(timeouts) == {"nginx": 2, "haproxy": 3, "caddy": 0}[kind.program], "Caddy waits for ever"
    assert all(int(seconds) >= Settings().timeout + 15 for seconds in timeouts)
