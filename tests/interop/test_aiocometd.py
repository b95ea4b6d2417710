"""aiocometd-ng, the asyncio client that PyPI has."""

import asyncio
from typing import Any

import pytest
from aiocometd_ng.client import Client as AioCometD
from aiocometd_ng.constants import ConnectionType
from aiocometd_ng.extensions import Extension

from tests.interop.features import Features, Report
from tests.interop.running import Once
from tests.interop.server import Server

pytestmark = [
    pytest.mark.interop,
    # How the client calls aiohttp.
    pytest.mark.filterwarnings("ignore:float parameter 'receive_timeout':DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:ssl=None is deprecated:DeprecationWarning"),
]

COUNT = 60


class Overheard(Extension):
    """Notes what the server agreed to."""

    def __init__(self) -> None:
        self.renewed = asyncio.Event()
        self.disconnected = False
        self._subscribed: set[str] = set()

    async def incoming(self, payload: list[dict[str, Any]], headers: object = None) -> None:
        """Look for a subscription that is made again, and for the answer to the goodbye."""
        for message in payload:
            if message["channel"] == "/meta/subscribe" and message["successful"]:
                if message["subscription"] in self._subscribed:
                    self.renewed.set()
                self._subscribed.add(message["subscription"])
            if message["channel"] == "/meta/disconnect":
                self.disconnected = message["successful"]

    async def outgoing(self, payload: list[dict[str, Any]], headers: object) -> None:
        """Leave everything as it is."""


class Battery:
    """What every client is put through, with this one's methods; compare battery/battery.mjs."""

    def __init__(self, server: Server, transport: str) -> None:
        self._server = server
        self._overheard = Overheard()
        self._client = AioCometD(
            # aiohttp keeps no cookies of servers that have no name.
            server.url.replace("127.0.0.1", "localhost"),
            ConnectionType(transport),
            # Its watch over the connection uses what Python 3.10 has removed.
            connection_timeout=0,
            extensions=[self._overheard],
        )
        self._report: Report = {}

    async def run(self) -> Report:
        """Return what the client saw."""
        async with self._client:
            await self._subscribe()
            await self._wildcards()
            await self._order()
            await self._unsubscribe()
            await self._recover()
        if self._overheard.disconnected:
            self._note("disconnected")
        return self._report

    async def _subscribe(self) -> None:
        await self._client.subscribe("/plain")
        assert self._client.connection_type is not None
        self._note("subscribed", transport=self._client.connection_type.value)
        await self._client.publish("/plain", {"text": "hällo €"})
        self._note("published", data=await self._data(1))

    async def _wildcards(self) -> None:
        for pattern in ("/stocks/ny/*", "/fence"):
            await self._client.subscribe(pattern)
        self._note("wildcards", one=await self._heard("/fence"))
        await self._client.unsubscribe("/stocks/ny/*")
        await self._client.subscribe("/stocks/**")
        self._report["wildcards"]["many"] = await self._heard("/fence")

    async def _heard(self, fence: str) -> list[str]:
        """Publish on four channels; return those that were heard before the *fence*."""
        for name in ("/stocks/ny/orcl", "/stocks/london/bp", "/stocks", "/bonds/ny/x", fence):
            await self._client.publish(name, {"name": name})
        names: list[str] = []
        while (message := await self._client.receive())["channel"] != fence:
            names.append(message["data"]["name"])
        return names

    async def _order(self) -> None:
        await self._client.subscribe("/own")
        for number in range(COUNT):
            await self._client.publish("/own", {"number": number})
        own = await self._data(COUNT)
        await self._client.subscribe("/servers")
        await self._client.publish("/service/announce", {"channel": "/servers", "count": COUNT})
        servers: list[dict[str, int]] = []
        while len(servers) < COUNT:
            message = await self._client.receive()
            if message["channel"] == "/servers":  # the answer of the call comes too
                servers.append(message["data"])
        self._note(
            "ordered", own=[data["number"] for data in own], servers=[data["number"] for data in servers]
        )

    async def _unsubscribe(self) -> None:
        await self._client.subscribe("/short")
        await self._client.publish("/short", {"text": "while subscribed"})
        await self._client.unsubscribe("/short")
        await self._client.publish("/short", {"text": "after that"})
        await self._client.publish("/fence", {"text": "fence"})
        data = await self._data_until({"text": "fence"})
        self._note("unsubscribed", data=data)

    async def _recover(self) -> None:
        await self._client.subscribe("/kept")
        await self._client.publish("/kept", {"text": "before"})
        before = await self._data(1)
        await asyncio.to_thread(self._server.restart)
        await self._overheard.renewed.wait()
        await self._client.publish("/kept", {"text": "after"})
        self._note("recovered", data=before + await self._data(1))

    async def _data(self, count: int) -> list[Any]:
        return [(await self._client.receive())["data"] for _ in range(count)]

    async def _data_until(self, last: object) -> list[Any]:
        found: list[Any] = []
        while (data := (await self._client.receive()).get("data")) != last:
            if data is not None:  # what the call for announcements answered
                found.append(data)
        return found

    def _note(self, event: str, **facts: object) -> None:
        self._report[event] = {"event": event, **facts}


async def run_battery(server: Server, transport: str) -> Report:
    """Return what the client saw on *transport*."""
    async with asyncio.timeout(20):
        return await Battery(server, transport).run()  # on this loop: the client keeps the one it is made on


class TestAioCometD(Features):
    """Both transports of it."""

    client = "aiocometd-ng 0.5"
    platform = "Python"
    transports = ("websocket", "long-polling")

    @pytest.fixture
    def report(self, once: Once, server: Server, transport: str) -> Report:
        """What the client saw on the transport under test."""
        return once(transport, lambda: asyncio.run(run_battery(server, transport)))
