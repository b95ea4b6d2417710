"""A client on a WebSocket, and the server's end of it."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from typing import Self

from mirant.bus.batch import Batch
from mirant.bus.core import Core
from mirant.bus.request import Request
from mirant.options.cookies import COOKIE
from mirant.testing.clients import Client, Json, messages_of, reply_to
from mirant.testing.frozen_host import FrozenHost
from mirant.testing.polling import PollingClient
from mirant.transports.websocket import Connection


class SocketClient(Client):
    """A client on a WebSocket."""

    def __init__(self, world: FrozenHost, client: Client | None = None, *, cookie: str | None = None) -> None:
        """Connect, and present *cookie*, or else that of *client*, whose session goes on here."""
        super().__init__(world)
        if client is not None:
            self.client_id, self.last_id = client.client_id, client.last_id + 1_000
        #: The frames that came, each a list of messages.
        self.frames: list[list[Json]] = []
        if cookie is None and isinstance(client, PollingClient):
            cookie = client.cookie
        headers = {"cookie": f"{COOKIE}={cookie}"} if cookie else {}
        self.connection = FakeConnection(world.core, Request(headers, "127.0.0.1"), self._arrived)
        self._inbox: deque[bytes] = deque()
        self._busy = False

    @property
    def closed(self) -> tuple[int, str] | None:
        """Code and reason, if the server closed the connection."""
        return self.connection.closed

    def send(self, *messages: Json) -> None:
        """Send *messages* in one frame."""
        self.send_text(json.dumps(messages).encode())

    def send_text(self, text: bytes) -> None:
        """Send one frame; it waits while the server is still busy with the one before."""
        self._inbox.append(text)
        self._work()

    def ask(self, *messages: Json) -> list[Json]:
        before = len(self.messages)
        self.send(*messages)
        return self.messages[before:]

    def connect(self, **fields: object) -> Json:
        """Send a /meta/connect and return the message. Its reply may come later."""
        message = self.message("/meta/connect", connectionType="websocket", **fields)
        self.send(message)
        return message

    def enter(self) -> Self:
        """Handshake and connect once, as every client begins."""
        self.handshake()
        message = self.connect()
        assert reply_to(message, self.messages)["successful"]
        return self

    def stall(self) -> None:
        """Read nothing from now on. What the server writes stays on its side, and soon it writes no more."""
        self.connection.stalled = True

    def read_on(self) -> None:
        """Read again."""
        self.connection.flow()
        self.world.core.resume(self.connection)
        self.world.settle()

    def drop(self) -> None:
        """Break the connection. The bus is told what had not left the server."""
        unsent = self.connection.unsent
        self.connection.pending.clear()
        self.world.core.detach(self.connection, self.world.now, unsent)
        self.world.settle()

    def _arrived(self, payload: bytes) -> None:
        frame = messages_of(payload)
        self.frames.append(frame)
        self.messages.extend(frame)

    def _work(self) -> None:
        while self._inbox and not self._busy:
            messages = self.connection.read(self._inbox.popleft())
            if messages is not None:
                self._busy = True
                pipeline = self.world.core.receive(messages, self.connection, self.world.now)
                self.world.run(pipeline, self._done)

    def _done(self) -> None:
        self._busy = False
        self._work()


class FakeConnection(Connection):
    """The server's end of a WebSocket whose client reads at once, unless it is stalled."""

    __slots__ = ("_arrived", "batches", "closed", "pending", "stalled")

    def __init__(self, core: Core, request: Request, arrived: Callable[[bytes], None]) -> None:
        super().__init__(core, request)
        #: Code and reason, once the server has closed the connection.
        self.closed: tuple[int, str] | None = None
        #: Whether the client reads nothing.
        self.stalled = False
        #: What was written and waits for the client to read.
        self.pending: list[Batch | bytes] = []
        #: All batches of deliveries that were ever written.
        self.batches: list[Batch] = []
        self._arrived = arrived

    @property
    def writable(self) -> bool:
        return not self.pending and self.closed is None

    @property
    def unsent(self) -> list[Batch]:
        """The batches of deliveries among what waits for the client to read."""
        return [item for item in self.pending if isinstance(item, Batch)]

    def push(self, batches: Sequence[Batch]) -> bool:
        self.batches.extend(batches)
        for batch in batches:
            self._put(batch)
        return True

    def say(self, text: bytes) -> None:
        self._put(text)

    def take_back(self) -> list[Batch]:
        unsent = self.unsent
        self.pending = [item for item in self.pending if not isinstance(item, Batch)]
        return unsent

    def close(self, code: int, reason: str) -> None:
        self.closed = self.closed or (code, reason)

    def flow(self) -> None:
        """Let everything pending arrive."""
        self.stalled = False
        pending, self.pending = self.pending, []
        for item in pending:
            self._put(item)

    def _put(self, item: Batch | bytes) -> None:
        if self.stalled:
            self.pending.append(item)
        else:
            self._arrived(item.payload if isinstance(item, Batch) else item)
