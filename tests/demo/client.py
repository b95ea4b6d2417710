"""A client of a bus in the same process, over long-polling."""

from typing import Any

import httpx

from mirant import Bus
from tests.hosts.clients import Poller

Message = dict[str, Any]


class RemoteFailure(Exception):
    """A remote call was answered with a failure."""

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        self.data = data


class Client:
    """One session. What it was sent is kept until a test asks for it."""

    def __init__(self, bus: Bus) -> None:
        transport = httpx.ASGITransport(app=bus.mount(nothing))
        self._http = httpx.AsyncClient(transport=transport)
        self._poller = Poller(self._http, "http://bus/cometd/")
        self._received: list[Message] = []
        #: What a handshake says besides.
        self.offer: Message = {"version": "1.0", "supportedConnectionTypes": ["long-polling"]}

    @property
    def id(self) -> str:
        """The session; empty before the handshake."""
        return self._poller.id or ""

    async def handshake(self, **fields: Any) -> "Client":
        """Get a session."""
        reply = await self._poller.handshake(**self.offer, **fields)
        assert reply["successful"], reply
        return self

    async def post(self, body: str) -> list[Message]:
        """Send *body* as it is; return all that comes back."""
        answers: list[Message] = (await self._poller.post(body)).json()
        return self._keep(answers)

    async def connect(self, **fields: Any) -> Message:
        """Poll without waiting; return the reply."""
        return await self.send(
            "/meta/connect", connectionType="long-polling", advice={"timeout": 0}, **fields
        )

    async def send(self, channel: str, **fields: Any) -> Message:
        """Send one message; return the reply to it."""
        answers = self._keep(await self._poller.send({"channel": channel, "id": "1", **fields}))
        [reply] = [answer for answer in answers if "data" not in answer and answer["channel"] == channel]
        return reply

    async def call(self, target: str, data: object) -> Any:
        """Call a remote procedure; return the data of its answer."""
        channel = f"/service/{target}"
        reply = await self.send(channel, data=data)
        if not reply["successful"]:
            raise RemoteFailure(reply["error"])
        [answer] = await self.received(channel)
        if not answer["successful"]:
            raise RemoteFailure(answer["data"])
        return answer["data"]

    async def join(self, name: str, *, room: str = "demo", token: str | None = None) -> Any:
        """Join a room of the chat and subscribe to what happens there."""
        await self.send("/meta/subscribe", subscription=[f"/chat/{room}", f"/members/{room}"])
        return await self.call("chat/join", {"room": room, "name": name, "token": token})

    async def sign_in(self, name: str, *, token: str | None = None) -> str:
        """Join the room, show the token of that, and subscribe to the inbox; return its channel."""
        entry = await self.join(name, token=token)
        assert (await self.connect(ext={"token": entry["token"]}))["successful"]
        inbox = f"/users/{entry['user']}/inbox"
        assert (await self.send("/meta/subscribe", subscription=inbox))["successful"]
        return inbox

    @property
    def kept(self) -> list[Message]:
        """What came and was not asked for yet."""
        return list(self._received)

    async def received(self, channel: str) -> list[Message]:
        """Return what came on *channel* since this was last asked, and forget it."""
        await self.connect()
        found = [message for message in self._received if message["channel"] == channel]
        self._received = [message for message in self._received if message["channel"] != channel]
        return found

    async def data(self, channel: str) -> list[Any]:
        """Return the data of `received`."""
        return [message["data"] for message in await self.received(channel)]

    async def disconnect(self) -> None:
        """End the session."""
        await self.send("/meta/disconnect")

    def _keep(self, answers: list[Message]) -> list[Message]:
        self._received += [answer for answer in answers if "data" in answer]
        return answers

    async def close(self) -> None:
        """Let go of what belongs to no session."""
        await self._http.aclose()


async def nothing(scope: object, receive: object, send: object) -> None:
    """Stand for the application behind the bus, which the tests never reach."""
    raise AssertionError("only the bus is asked for anything")
