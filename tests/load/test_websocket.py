"""The websocket transport, against a server of the `websockets` library."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable

from websockets.asyncio.server import ServerConnection, serve

from mirant.load.client import LoadClient, Readiness
from mirant.load.intake import Intake
from mirant.load.target import Target
from mirant.load.websocket import WebSocketTransport
from tests.load.faultless import deliveries, ledger_of

Talk = Callable[[ServerConnection], Awaitable[None]]


class Outside:
    """Keeps what a client reports."""

    def __init__(self) -> None:
        self.failures: Counter[str] = Counter()
        self.replies: list[tuple[str, str | None]] = []

    def replied(self, message_id: str, error: str | None) -> None:
        """Keep the reply."""
        self.replies.append((message_id, error))

    async def failed(self) -> None:
        """Return once there is a failure."""
        async with asyncio.timeout(5):
            while not self.failures:
                await asyncio.sleep(0)


class Scene:
    """A client without channels, and its server. *talk* goes on once the client is ready."""

    def __init__(self, talk: Talk) -> None:
        self.outside = Outside()
        self.intake = Intake(ledger_of())
        self._talk = talk
        self._done = asyncio.Event()

    async def play(self) -> LoadClient:
        """Let them meet; return the client once *talk* is over."""
        async with serve(self._serve, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
            host, port = server.sockets[0].getsockname()
            target = Target(url=f"ws://{host}:{port}/cometd")
            loop = asyncio.get_running_loop()
            client = LoadClient(0, [], target, self.outside, loop)
            client.transport = WebSocketTransport(client, target, self.intake, loop)
            client.start()
            async with asyncio.timeout(10):
                await self._done.wait()
            client.leave()
            client.transport.close()
        return client

    async def _serve(self, connection: ServerConnection) -> None:
        for fields in ({"clientId": "c"}, {}):
            [message] = json.loads(await connection.recv())
            reply = {"channel": message["channel"], "id": message["id"], "successful": True, **fields}
            await connection.send(json.dumps([reply]))
        [held] = json.loads(await connection.recv())
        assert held["channel"] == "/meta/connect"
        try:
            await self._talk(connection)
        finally:
            self._done.set()


async def test_what_a_client_sends_and_receives() -> None:
    payload = next(payload for client, _, payload in deliveries() if client == 0)

    async def talk(connection: ServerConnection) -> None:
        await (await connection.ping(b"are you there?"))  # answered by the transport
        await connection.send(payload.decode())
        await connection.send(['[{"channel":"/a","id":"p7",', '"successful":', "true}]"])  # in pieces
        await (await connection.ping(b"all read?"))

    scene = Scene(talk)
    played = await scene.play()

    assert scene.outside.replies == [("p7", None)]
    assert scene.intake.ledger.delivered == 1
    assert scene.outside.failures == {}
    assert played.readiness is Readiness.GONE


async def test_a_server_that_closes_is_named_with_its_reason() -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.close(1001, "going away")
        await scene.outside.failed()

    scene = Scene(talk)
    await scene.play()

    assert scene.outside.failures == {"the server closed a connection with 1001 going away": 1}


async def test_nobody_there_is_a_failure_and_the_client_comes_again() -> None:
    outside, loop = Outside(), asyncio.get_running_loop()
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    target = Target(url=f"ws://127.0.0.1:{port}/")
    client = LoadClient(0, [], target, outside, loop)
    client.transport = WebSocketTransport(client, target, Intake(ledger_of()), loop)
    client.start()
    await outside.failed()
    client.leave()

    [failure] = outside.failures
    assert failure.startswith("cannot connect: ")
