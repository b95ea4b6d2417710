"""Bayeux clients that never give up: what breaks is tried again, with the same session.

Both keep two records: `arrived`, every message as it came in, and `taken`, the messages of each answer to a
/meta/connect that was received whole. With the ack extension the number of the last such answer is what the
client acknowledges, so what is in `taken` must never come again, and all must come in the end.
"""

import asyncio
import itertools
import json
from abc import ABC, abstractmethod
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

Fields = dict[str, Any]

# How long an answer may take; the bus holds a connect for less.
PATIENCE = 0.5
PAUSE = 0.01

BROKEN = (OSError, TimeoutError, EOFError, httpx.TransportError, WebSocketException, InvalidHandshake)


class SessionLost(AssertionError):
    """The bus does not know the session any more: no run here lasts long enough for that."""


class Client(ABC):
    """One session that receives numbers on one channel."""

    def __init__(self, address: str, channel: str, *, ack: bool) -> None:
        self.address = address
        self.channel = channel
        self.arrived: list[int] = []
        self.taken: list[int] = []
        self.repeated: list[int] = []  # what came again although it had been taken
        self.failures = 0
        self._ack: int | None = 0 if ack else None
        self._id = ""
        self._numbers = itertools.count(1)

    @abstractmethod
    async def ask(self, channel: str, **fields: Any) -> Fields:
        """Send a message and return its reply; what comes before that goes to `note`.

        Raises one of `BROKEN` if the connection breaks meanwhile.
        """

    @abstractmethod
    async def close(self) -> None:
        """Drop the connection, if there is one."""

    async def enter(self) -> None:
        """Handshake, connect once and subscribe, each until it succeeds."""
        ext = {} if self._ack is None else {"ext": {"ack": True}}
        reply = await self._insist("/meta/handshake", version="1.0", supportedConnectionTypes=[], **ext)
        self._id = reply["clientId"]
        await self._connect()
        await self._insist("/meta/subscribe", subscription=self.channel)

    async def receive(self, count: int) -> None:
        """Connect again and again until *count* messages were taken."""
        while len(self.taken) < count:
            await self._connect()

    async def listen(self, publishing: "asyncio.Task[None]") -> None:
        """Connect again and again until *publishing* is done and nothing comes any more."""
        published, before = False, -1
        while not (published and before == len(self.arrived)):
            published, before = publishing.done(), len(self.arrived)
            await self._connect()

    def note(self, messages: list[Fields]) -> None:
        """Keep those *messages* that are deliveries."""
        numbers = [message["data"]["n"] for message in messages if "data" in message]
        self.repeated += [number for number in numbers if number in self.taken]
        self.arrived += numbers
        self._pending += numbers

    _pending: list[int]

    async def _connect(self) -> None:
        ext = {} if self._ack is None else {"ext": {"ack": self._ack}}
        reply = await self._insist("/meta/connect", connectionType="long-polling", **ext)
        self.taken += self._pending
        self._pending = []
        if self._ack is not None:
            self._ack = reply["ext"]["ack"]

    async def _insist(self, channel: str, **fields: Any) -> Fields:
        while True:
            self._pending = []
            try:
                async with asyncio.timeout(PATIENCE):
                    reply = await self.ask(channel, **fields)
            except BROKEN:
                self.failures += 1
                await self.close()
                await asyncio.sleep(PAUSE)
                continue
            if reply["successful"]:
                return reply
            if reply["error"].startswith("402"):
                raise SessionLost(f"{channel}: {reply}")

    def _message(self, channel: str, fields: Fields) -> Fields:
        identity = {"clientId": self._id} if self._id else {}
        return {"channel": channel, "id": str(next(self._numbers)), **identity, **fields}


class PollingClient(Client):
    """Over long-polling, with connections that are kept alive as long as they work."""

    def __init__(self, address: str, channel: str, *, ack: bool) -> None:
        super().__init__(address, channel, ack=ack)
        self._http = httpx.AsyncClient(timeout=None, verify=False)

    async def ask(self, channel: str, **fields: Any) -> Fields:
        message = self._message(channel, fields)
        response = await self._http.post(f"http://{self.address}/", content=json.dumps([message]))
        assert response.status_code == 200, response.text
        *deliveries, reply = response.json()
        assert reply["id"] == message["id"]
        self.note(deliveries)
        return dict(reply)

    async def close(self) -> None:
        cookies = self._http.cookies
        await self._http.aclose()
        self._http = httpx.AsyncClient(timeout=None, verify=False, cookies=cookies)

    async def leave(self) -> None:
        await self._http.aclose()


class SocketClient(Client):
    """Over a WebSocket; the session goes with the client from one to the next."""

    def __init__(self, address: str, channel: str, *, ack: bool) -> None:
        super().__init__(address, channel, ack=ack)
        self._socket: ClientConnection | None = None

    async def ask(self, channel: str, **fields: Any) -> Fields:
        if self._socket is None:
            self._socket = await connect(
                f"ws://{self.address}/",
                compression=None,
                ping_interval=None,
                close_timeout=0.05,
                proxy=None,
            )
        message = self._message(channel, fields)
        await self._socket.send(json.dumps([message]))
        while True:
            frame = json.loads(await self._socket.recv())
            self.note(frame)
            for reply in frame:
                if reply.get("id") == message["id"]:
                    return dict(reply)

    async def close(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.transport.abort()

    async def leave(self) -> None:
        await self.close()
