"""Bayeux clients that show what is on the wire: one polls over httpx, one speaks through a raw socket."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import httpx
from websockets.asyncio.client import ClientConnection, connect

from mirant.hosts.asgi.scope import AsgiApplication

Fields = dict[str, Any]


class Poller:
    """A client that talks long-polling. Each call sends one body and returns the messages of the answer."""

    def __init__(self, http: httpx.AsyncClient, url: str = "") -> None:
        self.http = http
        self.url = url
        self.id: str | None = None

    @classmethod
    @asynccontextmanager
    async def at(cls, url: str) -> AsyncIterator[Self]:
        """Open a client for the server at *url*, with connections and cookies of its own."""
        async with httpx.AsyncClient(timeout=10) as http:
            yield cls(http, url)

    @classmethod
    @asynccontextmanager
    async def inside(cls, app: AsgiApplication) -> AsyncIterator[Self]:
        """Open a client that calls *app* without a socket between."""
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=10) as http:
            yield cls(http, "http://test/")

    async def post(self, body: bytes | str, **headers: str) -> httpx.Response:
        """Send *body* as it is."""
        return await self.http.post(self.url, content=body, headers=headers)

    async def send(self, *messages: Fields) -> list[Fields]:
        """Send *messages* in one body, each with our clientId unless it has one."""
        body = [{"clientId": self.id, **message} for message in messages]
        response = await self.post(json.dumps(body))
        assert response.status_code == 200, response.text
        answer: list[Fields] = response.json()
        return answer

    async def handshake(self, **fields: Any) -> Fields:
        """Shake hands and return the reply."""
        response = await self.post(json.dumps([{"channel": "/meta/handshake", **fields}]))
        assert response.status_code == 200, response.text
        [reply] = response.json()
        self.id = reply.get("clientId")
        return dict(reply)

    async def begin(self) -> Self:
        """Shake hands and make the first connect, which is never held."""
        await self.handshake()
        assert (await self.connect())[-1]["successful"]
        return self

    async def connect(self, **fields: Any) -> list[Fields]:
        """Send a connect and return what comes with its answer."""
        return await self.send({"channel": "/meta/connect", "connectionType": "long-polling", **fields})

    async def subscribe(self, *patterns: str) -> Fields:
        """Subscribe and return the reply."""
        [reply] = await self.send({"channel": "/meta/subscribe", "subscription": list(patterns)})
        return reply

    async def publish(self, channel: str, data: object) -> Fields:
        """Publish and return the reply."""
        return (await self.send({"channel": channel, "data": data, "id": "p"}))[-1]

    async def call(self, name: str, data: object = None) -> Fields:
        """Make a remote call and return the message with its result, which may come with a later connect."""
        channel = f"/service{name}"
        arrived = await self.send({"channel": channel, "data": data, "id": "c"})
        while True:
            for message in arrived:
                if message["channel"] == channel and "data" in message:
                    return message
                if message["channel"] == channel and not message["successful"]:
                    return message
            arrived = await self.connect()


class Socket:
    """A client that talks over one WebSocket."""

    def __init__(self, connection: ClientConnection, client_id: str | None = None) -> None:
        self.connection = connection
        self.id = client_id

    @classmethod
    @asynccontextmanager
    async def at(cls, url: str, client_id: str | None = None) -> AsyncIterator[Self]:
        """Open a WebSocket at *url* (``http://…``), for the session *client_id* if there is one already."""
        async with connect(url.replace("http", "ws", 1), compression=None, max_size=None) as connection:
            yield cls(connection, client_id)

    async def send(self, *messages: Fields) -> None:
        """Send *messages* in one frame, each with our clientId unless it has one."""
        await self.connection.send(json.dumps([{"clientId": self.id, **message} for message in messages]))

    async def receive(self) -> list[Fields]:
        """Return the messages of the next frame."""
        frame: list[Fields] = json.loads(await self.connection.recv())
        return frame

    async def begin(self) -> Self:
        """Shake hands and make the first connect."""
        await self.connection.send(json.dumps([{"channel": "/meta/handshake"}]))
        [reply] = await self.receive()
        self.id = reply["clientId"]
        await self.connect()
        assert (await self.receive())[-1]["successful"]
        return self

    async def connect(self, **fields: Any) -> None:
        """Send a connect."""
        await self.send({"channel": "/meta/connect", "connectionType": "websocket", **fields})

    async def subscribe(self, pattern: str) -> None:
        """Subscribe, and wait for the reply, which must be the next frame."""
        await self.send({"channel": "/meta/subscribe", "subscription": pattern})
        [reply] = await self.receive()
        assert reply["successful"], reply
