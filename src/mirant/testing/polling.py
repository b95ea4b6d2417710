"""A client on long-polling, and its requests."""

from __future__ import annotations

import json
from typing import Self

from mirant.bus.request import Request
from mirant.options.cookies import COOKIE
from mirant.testing.clients import Client, Json, messages_of
from mirant.testing.frozen_host import FrozenHost
from mirant.transports.long_polling import Exchange
from mirant.transports.response import Response


class Poll:
    """One request of a client. `response` is None as long as it is held."""

    def __init__(self, client: PollingClient, exchange: Exchange | None = None) -> None:
        self._client = client
        #: The server's side of it.
        self.exchange = exchange
        self.response: Response | None = None
        #: Whether the client is gone without the bus having been told.
        self.is_cut = False

    def answer(self, response: Response) -> bool:
        """Take the response; there is only one. Return whether the client is there to get it."""
        assert self.response is None, "a request is answered once"
        if self.is_cut:
            return False
        self.response = response
        if response.status == 200:
            self._client.messages.extend(self.messages)
        return True

    @property
    def held(self) -> bool:
        """Whether there is no response yet."""
        return self.response is None

    @property
    def status(self) -> int:
        """The HTTP status of the response."""
        return self._answered.status

    @property
    def body(self) -> bytes:
        """The body of the response."""
        return self._answered.body

    @property
    def messages(self) -> list[Json]:
        """The messages in the response."""
        return messages_of(self.body)

    @property
    def reply(self) -> Json:
        """The last message, which is the reply to a connect."""
        return self.messages[-1]

    @property
    def cookie(self) -> str | None:
        """The value of the cookie that the response sets, without attributes."""
        header = dict(self._answered.headers).get("set-cookie")
        return None if header is None else header.partition(";")[0].partition("=")[2]

    def hang_up(self) -> None:
        """Close the connection without waiting for the response."""
        assert self.exchange is not None
        self._client.world.core.detach(self.exchange, self._client.world.now)
        self._client.world.settle()

    @property
    def _answered(self) -> Response:
        assert self.response is not None, "the request is still held"
        return self.response


class PollingClient(Client):
    """A client on long-polling."""

    def __init__(self, world: FrozenHost, *, cookies: bool, multiplexed: bool = False) -> None:
        super().__init__(world)
        #: The browser's cookie, as the server gave it out; None if there is none.
        self.cookie: str | None = None
        self._cookies = cookies
        self._multiplexed = multiplexed

    def post(self, body: bytes, **headers: str) -> Poll:
        """Send a request with *body*; ``content_type`` is the header ``content-type``."""
        if self.cookie is not None:
            headers = {"cookie": f"other=1; {COOKIE}={self.cookie}", **headers}
        poll = Poll(self)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(sent, "127.0.0.1", multiplexed=self._multiplexed)
        poll.exchange = Exchange(self.world.core, request, poll.answer)
        messages = poll.exchange.read(body)
        if messages is not None:
            self.world.run(self.world.core.receive(messages, poll.exchange, self.world.now))
        if self._cookies and not poll.held and poll.cookie is not None:
            self.cookie = poll.cookie
        return poll

    def send(self, *messages: Json) -> Poll:
        """Send *messages* in one request."""
        return self.post(json.dumps(messages).encode())

    def ask(self, *messages: Json) -> list[Json]:
        return self.send(*messages).messages

    def connect(self, **fields: object) -> Poll:
        """Send a /meta/connect and return the request, which may be held."""
        return self.send(self.message("/meta/connect", connectionType="long-polling", **fields))

    def enter(self) -> Self:
        """Handshake and connect once, as every client begins."""
        self.handshake()
        assert not self.connect().held
        return self
