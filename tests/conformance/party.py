"""A client that says what a check tells it to, over long-polling or a WebSocket, and forgives nothing.

It does not use `mirant.client`, because it judges servers: ours should not be judged by our own reading of
Bayeux.
"""

import asyncio
import itertools
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

Fields = dict[str, Any]

TRANSPORTS = ("long-polling", "websocket")
# How long a check waits for what must come. What must not come is never waited for: see `Party.fence`.
PATIENCE = 4.0


class Party(ABC):
    """One client. `inbox` has every message that came, in order."""

    transport: str

    def __init__(self) -> None:
        self.inbox: list[Fields] = []
        self.client_id: str | None = None
        self._ids = itertools.count(1)
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()

    @abstractmethod
    async def post(self, messages: list[Fields]) -> None:
        """Send *messages* together; what is answered goes to the inbox, then or later."""

    def message(self, channel: str, **fields: Any) -> Fields:
        """Return a message with an id of its own and our clientId."""
        identity = {} if self.client_id is None else {"clientId": self.client_id}
        return {"channel": channel, "id": f"m{next(self._ids)}", **identity, **fields}

    async def send(self, *messages: Fields) -> list[Fields]:
        """Send *messages* together and return the replies to them."""
        self.run(self.post(list(messages)))
        return [await self.reply(message) for message in messages]

    async def say(self, channel: str, **fields: Any) -> Fields:
        """Send one message and return its reply."""
        [reply] = await self.send(self.message(channel, **fields))
        return reply

    async def handshake(self, **fields: Any) -> Fields:
        """Handshake, and be the new session if it succeeds."""
        offer = {"version": "1.0", "supportedConnectionTypes": [self.transport], **fields}
        reply = await self.say("/meta/handshake", **offer)
        if reply["successful"]:
            self.client_id = reply["clientId"]
        return reply

    async def enter(self, *patterns: str) -> None:
        """Handshake, subscribe to *patterns*, and keep a connect outstanding from now on."""
        assert (await self.handshake())["successful"]
        for pattern in patterns:
            assert (await self.say("/meta/subscribe", subscription=pattern))["successful"]
        self.run(self._keep_connected())

    def connect(self, **fields: Any) -> "asyncio.Task[Fields]":
        """Send a connect; the task's result is its reply."""
        return self.run(self.say("/meta/connect", connectionType=self.transport, **fields))

    async def connect_and_hold(self) -> "asyncio.Task[Fields]":
        """Connect for the second time, and return that connect once the server holds it."""
        await self.connect(advice={"timeout": 0})  # some servers answer the first at once, whatever it says
        held = self.connect()
        for _ in range(3):  # over HTTP it may have been overtaken once, by a request on another connection
            await self.fence()
        assert not held.done()
        return held

    async def fence(self) -> None:
        """Return when the server has dealt with what was sent before: it has answered what came after."""
        await self.say("/meta/subscribe", subscription="/fence")
        await self.say("/meta/unsubscribe", subscription="/fence")

    async def reply(self, message: Fields) -> Fields:
        """Return the reply to *message*."""
        return await self.until(lambda m: m.get("id") == message["id"] and "data" not in m)

    async def event(self, channel: str) -> Fields:
        """Return the first event on *channel*."""
        return await self.until(lambda m: m.get("channel") == channel and "data" in m)

    def events(self, channel: str) -> list[Fields]:
        """Return the events on *channel* that came so far."""
        return [m for m in self.inbox if m.get("channel") == channel and "data" in m]

    async def until(self, wanted: Any) -> Fields:
        """Return the first message that is *wanted*."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for message in self.inbox:
                    if wanted(message):
                        return message
                self._changed.clear()
                await self._changed.wait()

    def run(self, work: Awaitable[Any]) -> "asyncio.Task[Any]":
        """Do *work* beside everything else, as long as the party is there."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        return task

    async def end(self) -> None:
        """Stop everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def take(self, messages: list[Fields]) -> None:
        """Put what came into the inbox."""
        assert isinstance(messages, list), "what a server sends is an array"
        self.inbox += messages
        self._changed.set()

    async def _keep_connected(self) -> None:
        while (await self.connect())["successful"]:
            pass


class Poller(Party):
    """A client on long-polling."""

    transport = "long-polling"

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        super().__init__()
        self.http = http
        self.url = url
        self.responses: list[httpx.Response] = []

    async def post(self, messages: list[Fields]) -> None:
        headers = {"content-type": "application/json;charset=UTF-8"}
        response = await self.http.post(self.url, content=json.dumps(messages), headers=headers)
        response.raise_for_status()
        self.responses.append(response)
        self.take(response.json())


class Socket(Party):
    """A client on a WebSocket."""

    transport = "websocket"

    def __init__(self, connection: ClientConnection) -> None:
        super().__init__()
        self._connection = connection
        self.run(self._read())

    async def post(self, messages: list[Fields]) -> None:
        await self._connection.send(json.dumps(messages))

    async def _read(self) -> None:
        async for text in self._connection:
            self.take(json.loads(text))


@asynccontextmanager
async def party(url: str, transport: str, browser: httpx.Cookies | None = None) -> AsyncIterator[Party]:
    """Open a client of the server at *url*; one on long-polling may share the cookies of a *browser*."""
    if transport == "websocket":
        async with connect(url.replace("http", "ws", 1), compression=None, proxy=None) as connection:
            one: Party = Socket(connection)
            try:
                yield one
            finally:
                await one.end()
    else:
        async with httpx.AsyncClient(timeout=10, verify=False) as http:
            if browser is not None:
                http.cookies = browser
            other = Poller(http, url)
            try:
                yield other
            finally:
                await other.end()
