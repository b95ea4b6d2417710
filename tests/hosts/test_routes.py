"""What is answered beside Bayeux: by method and path below the mount, the same on every host."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from mirant import Bus, Settings
from mirant.hosts.routes import RoutedRequest, Routes
from mirant.hosts.server import Elsewhere
from mirant.transports.response import Response
from tests.hosts.clients import Poller
from tests.hosts.serving import serving

FRIEND = "https://friend.example"
STRANGER = "https://stranger.example"
HANDSHAKE = json.dumps([{"channel": "/meta/handshake"}])


def echo(routed: RoutedRequest) -> Response:
    """Say what was asked."""
    text = f"{routed.method} {routed.path}?{routed.request.query} "
    return Response(200, text.encode() + routed.body, "text/plain")


async def later(routed: RoutedRequest) -> Response:
    """Answer after a turn of the event loop."""
    await asyncio.sleep(0)
    return echo(routed)


def fail(routed: RoutedRequest) -> Response:
    """Fail at once."""
    raise ValueError("on purpose")


async def fail_later(routed: RoutedRequest) -> Response:
    """Fail after a turn of the event loop."""
    await asyncio.sleep(0)
    raise ValueError("on purpose")


@pytest.fixture
async def bus() -> Bus:
    """Return a bus with some routes."""
    transports = ("websocket", "eventsource", "long-polling", "callback-polling")
    bus = Bus(settings=Settings(allow_origins=(FRIEND,), transports=transports))
    bus.routes.add("GET", "/things", echo, limit=0)
    bus.routes.add("POST", "/things", later, limit=10)
    bus.routes.add("PUT", "/things/new", echo, limit=10)
    bus.routes.add("GET", "/broken", fail, limit=0)
    bus.routes.add("POST", "/broken", fail_later, limit=0)
    return bus


@pytest.fixture
async def client(bus: Bus) -> AsyncIterator[Poller]:
    """Serve the bus at /cometd; return a client."""
    async with (
        serving(bus, bus.mount(Elsewhere("/cometd"))) as origin,
        Poller.at(f"{origin}/cometd") as client,
    ):
        yield client


# --- Methods ---


async def test_a_head_has_the_headers_of_a_get_and_no_body(client: Poller) -> None:
    head = await client.http.head(f"{client.url}/health")

    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == str(len('{"status":"ok"}'))


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/health", "GET, HEAD, OPTIONS"),
        ("DELETE", "/health", "GET, HEAD, OPTIONS"),
        ("DELETE", "/things", "GET, POST, HEAD, OPTIONS"),
        ("GET", "/things/new", "PUT, OPTIONS"),
        ("HEAD", "/things/new", "PUT, OPTIONS"),
    ],
)
async def test_a_method_that_a_route_does_not_take(
    client: Poller, method: str, path: str, allowed: str
) -> None:
    response = await client.http.request(method, client.url + path, content=HANDSHAKE)

    assert response.status_code == 405
    assert response.headers["allow"] == allowed
    if method != "HEAD":
        assert response.text == f"This address takes {allowed}.\n"


async def test_options_say_what_a_route_takes(client: Poller) -> None:
    response = await client.http.options(f"{client.url}/things")

    assert response.status_code == 204
    assert response.headers["allow"] == "GET, POST, HEAD, OPTIONS"


async def test_a_handler_sees_what_was_asked(client: Poller) -> None:
    get = await client.http.get(f"{client.url}/things/?a=b%20c")
    post = await client.http.post(f"{client.url}/things", content=b"0123456789")

    assert get.text == "GET /things?a=b%20c "
    assert post.text == "POST /things? 0123456789"


# --- Bodies ---


async def test_a_body_over_the_limit_of_a_route(client: Poller) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"01234"

    for content in (b"01234567890", chunks()):
        response = await client.http.post(f"{client.url}/things", content=content)
        assert response.status_code == 413
        assert response.text == "The body is larger than 10 bytes.\n"
    assert (await client.http.put(f"{client.url}/things/new", content=b"x" * 10)).status_code == 200


# --- Failures ---


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_handler_that_fails_costs_nobody_else(
    client: Poller, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    await client.begin()
    response = await client.http.request(method, f"{client.url}/broken")

    assert response.status_code == 500
    assert response.text == "The server could not answer this request; its log says why.\n"
    assert [record.getMessage() for record in caplog.records if record.name == "mirant"] == [
        f"route.failed method={method} path=/broken"
    ]
    assert (await client.subscribe("/a"))["successful"]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_handler_that_never_ends_is_given_up(method: str, caplog: pytest.LogCaptureFixture) -> None:
    ended: list[str] = []

    async def never(routed: RoutedRequest) -> Response:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(routed.method)
        return echo(routed)

    bus = Bus(settings=Settings(max_hook_time=0.05))
    bus.routes.add(method, "/never", never, limit=0)
    mounted = bus.mount(Elsewhere("/cometd"))
    async with serving(bus, mounted) as origin, Poller.at(f"{origin}/cometd") as client:
        response = await asyncio.wait_for(client.http.request(method, f"{client.url}/never"), 5)
        assert (await client.http.get(f"{client.url}/health")).status_code == 200

    assert response.status_code == 503
    assert response.text == "The server took too long to answer this request; try again later.\n"
    assert ended == [method]
    assert f"route.failed method={method} path=/never" in [record.getMessage() for record in caplog.records]


# --- Pages of other origins ---


async def test_a_page_of_a_friend_may_read(client: Poller) -> None:
    response = await client.http.get(f"{client.url}/health", headers={"origin": FRIEND})
    assert response.headers["access-control-allow-origin"] == FRIEND


async def test_a_page_of_a_stranger_may_neither_read_nor_change(client: Poller) -> None:
    headers = {"origin": STRANGER}
    read = await client.http.get(f"{client.url}/health", headers=headers)
    change = await client.http.post(f"{client.url}/things", headers=headers)
    asked = await client.http.options(f"{client.url}/things", headers=headers)

    assert (read.status_code, change.status_code, asked.status_code) == (200, 403, 204)
    for response in (read, change, asked):
        assert not [name for name in response.headers if name.startswith("access-control-")]


# --- Bayeux is what no route takes ---


@pytest.mark.parametrize(
    "path", ["", "/", "/connect", "/handshake", "/healthy", "/health/x", "/thing", "/a/things"]
)
async def test_every_other_path_is_bayeux(client: Poller, path: str) -> None:
    client.url += path
    await client.begin()
    response = await client.http.get(f"{client.url}?jsonp=f&message={HANDSHAKE}")

    assert response.text.startswith("/**/f([{")


async def test_the_first_page_stays(client: Poller) -> None:
    response = await client.http.get(client.url)
    assert response.headers["content-type"] == "text/html;charset=utf-8"


# --- The table itself ---


def test_a_route_is_found_by_method_and_path() -> None:
    routes = Routes()
    routes.add("GET", "things", echo, limit=3)
    found = routes.find("HEAD", "/things/")

    assert found is not None
    assert (found.handler, found.limit) == (echo, 3)
    assert routes.find("POST", "/things") is None
    assert routes.find("GET", "/thing") is None


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize("path", ["/connect", "handshake", "/disconnect/", "/subscribe", "/unsubscribe/"])
def test_a_path_that_clients_append_takes_no_route(method: str, path: str) -> None:
    with pytest.raises(ValueError, match="Bayeux clients send their messages to /"):
        Routes().add(method, path, echo, limit=0)


@pytest.mark.parametrize(("path", "problem"), [("/", "for Bayeux"), ("/things", "there is a handler")])
def test_a_route_that_cannot_be_added(path: str, problem: str) -> None:
    routes = Routes()
    routes.add("GET", "/things", echo, limit=0)
    with pytest.raises(ValueError, match=problem):
        routes.add("GET", path, echo, limit=0)
