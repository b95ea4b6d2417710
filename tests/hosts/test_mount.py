"""A bus inside something else: in Starlette's mounts, before an application, under a root path."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from mirant import Bus, Settings
from mirant.hosts.asgi.scope import AsgiApplication, Event, Receive, Scope, Send
from mirant.hosts.mount import Mounted
from tests.hosts.clients import Poller, Socket
from tests.hosts.serving import serving


async def hello(request: Request) -> PlainTextResponse:
    """Answer with the path, as the application beside the bus sees it."""
    return PlainTextResponse(f"the application at {request.url.path}")


async def echo(socket: WebSocket) -> None:
    """Send back one text."""
    await socket.accept()
    await socket.send_text(await socket.receive_text())
    await socket.close()


def application(*routes: Mount, events: list[str] | None = None) -> Starlette:
    """Return an application with a page and a WebSocket of its own."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if events is not None:
            events.append("startup")
        yield
        if events is not None:
            events.append("shutdown")

    own = [WebSocketRoute("/echo", echo), Route("/{path:path}", hello, methods=["GET", "POST"])]
    return Starlette(routes=[*routes, *own], lifespan=lifespan)


async def test_in_starlettes_mount() -> None:
    bus = Bus()
    app = application(Mount("/cometd", bus))
    async with serving(bus, app) as origin, Poller.at(f"{origin}/cometd/") as client:
        await client.begin()
        client.url += "connect"
        assert (await client.subscribe("/a"))["successful"]
        page = await client.http.get(f"{origin}/cometd/")
        assert "/cometd" in page.text
        assert "{{base}}" not in page.text
        async with Socket.at(f"{origin}/cometd/") as socket:
            await socket.begin()


async def test_in_front_of_an_application() -> None:
    bus = Bus()
    async with serving(bus, bus.mount(application(), "/cometd")) as origin:
        for path in ("/cometd", "/cometd/", "/cometd/handshake"):
            async with Poller.at(origin + path) as client, Socket.at(origin + path) as socket:
                await client.begin()
                await socket.begin()
        async with Poller.at(origin) as client:
            for path in ("/", "/cometdx", "/comet", "/x/cometd", "/COMETD"):
                response = await client.http.get(origin + path)
                assert response.text == f"the application at {path}"
            assert (await client.http.post(f"{origin}/x", content="[]")).text == "the application at /x"
        async with Socket.at(f"{origin}/echo") as other:
            await other.connection.send("hello")
            assert await other.connection.recv() == "hello"


@pytest.mark.parametrize("path", ["/cometd", "cometd", "/cometd/", "//cometd//"])
async def test_slashes_around_the_path_do_not_matter(path: str) -> None:
    bus = Bus()
    async with Poller.inside(bus.mount(application(), path)) as client:
        client.url += "cometd"
        await client.begin()


@pytest.mark.parametrize("path", ["/", ""])
async def test_at_the_root(path: str) -> None:
    bus = Bus()
    async with (
        serving(bus, bus.mount(application(), path)) as origin,
        Poller.at(f"{origin}/anything") as client,
        Socket.at(origin) as socket,
    ):
        await client.begin()
        await socket.begin()


async def test_at_a_deeper_path() -> None:
    bus = Bus()
    async with (
        serving(bus, bus.mount(application(), "/api/v1/bus")) as origin,
        Poller.at(f"{origin}/api/v1/bus/connect") as client,
    ):
        await client.begin()
        page = await client.http.get(f"{origin}/api/v1/bus")
        assert "/api/v1/bus" in page.text


async def test_under_a_root_path() -> None:
    bus = Bus()
    app = bus.mount(application(), "/cometd")
    # A proxy took the prefix off the request, and uvicorn adds it to the path again.
    async with (
        serving(bus, app, root_path="/prefix") as origin,
        Poller.at(f"{origin}/cometd/connect") as client,
        Socket.at(f"{origin}/cometd") as socket,
    ):
        await client.begin()
        await socket.begin()
        page = await client.http.get(f"{origin}/cometd")
        assert "/prefix/cometd" in page.text
        assert (await client.http.get(f"{origin}/x")).text.startswith("the application")


async def test_the_bus_by_itself() -> None:
    bus = Bus()
    async with serving(bus) as origin, Poller.at(f"{origin}/any/path") as client, Socket.at(origin) as socket:
        await client.begin()
        await socket.begin()
        assert (await client.http.get(origin)).status_code == 200


async def test_both_learn_of_the_beginning_and_the_end() -> None:
    bus = Bus(settings=Settings(timeout=30))
    events: list[str] = []
    async with serving(bus, bus.mount(application(events=events))) as origin:
        async with Poller.at(f"{origin}/cometd") as client:
            await client.begin()
        assert events == ["startup"]
    assert events == ["startup", "shutdown"]


async def lifespan_of(app: AsgiApplication, kind: str = "lifespan") -> None:
    """Run one lifespan of *app*."""
    events = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> dict[str, str]:
        return {"type": next(events)}

    async def send(event: object) -> None: ...

    await app({"type": kind, "asgi": {"version": "3.0"}}, receive, send)


async def test_an_application_that_knows_no_lifespan() -> None:
    """ASGI lets an application raise then; a server goes on without, and so must the bus."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError
        raise AssertionError

    bus = Bus(settings=Settings(timeout=30))
    mounted = bus.mount(app)
    async with Poller.inside(mounted) as client:
        client.url += "cometd"
        await client.begin()
        poll = asyncio.create_task(client.connect())
        await client.publish("/a", 1)
        await lifespan_of(mounted)

        assert (await asyncio.wait_for(poll, 1))[-1]["successful"]


class Probe:
    """What stands for a bus in a mount: it keeps the scopes that it was given."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.opened = self.closed = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)

    def open(self) -> None:
        self.opened += 1

    async def close(self) -> None:
        self.closed += 1


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that does nothing."""


async def never() -> Event:
    raise AssertionError("nothing is received")


async def no_one(event: Event) -> None:
    raise AssertionError("nothing is sent")


@pytest.mark.parametrize(
    ("given", "root_path"),
    [({}, "/cometd"), ({"root_path": ""}, "/cometd"), ({"root_path": "/app"}, "/app/cometd")],
)
async def test_the_root_path_of_the_bus_is_that_of_the_application_and_the_mounts(
    given: Scope, root_path: str
) -> None:
    probe = Probe()
    scope = {"type": "http", "path": f"{given.get('root_path', '')}/cometd/connect", **given}
    await Mounted(probe, "/cometd", nothing)(scope, never, no_one)
    assert [each["root_path"] for each in probe.scopes] == [root_path]


async def test_an_application_that_fails_in_its_lifespan_fails_the_server() -> None:
    """It took part, so what it raises is no refusal of the lifespan."""
    probe, sent = Probe(), []

    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        raise RuntimeError("the application failed")

    async def startup() -> Event:
        return {"type": "lifespan.startup"}

    async def keep(event: Event) -> None:
        sent.append(event["type"])

    with pytest.raises(RuntimeError, match="the application failed"):
        await Mounted(probe, "/cometd", failing)({"type": "lifespan"}, startup, keep)
    assert sent == ["lifespan.startup.complete"]
    assert probe.opened == 1


@pytest.mark.filterwarnings("ignore:Using `httpx` with `starlette.testclient`")
def test_a_test_client_leaves_a_websocket_without_an_exception() -> None:
    from starlette.testclient import TestClient  # here, because importing it warns

    bus = Bus()
    app = Starlette(routes=[Mount("/cometd", bus)])
    with TestClient(app) as client, client.websocket_connect("/cometd/") as socket:
        socket.send_json([{"channel": "/meta/handshake", "version": "1.0", "supportedConnectionTypes": []}])
        assert socket.receive_json()[0]["channel"] == "/meta/handshake"
    with TestClient(bus.mount(app)) as client, client.websocket_connect("/cometd"):
        pass  # `asyncio.gather` under a scope of anyio raised a CancelledError here
