"""An ASGI server of a test's own: it hands over events, and keeps what is sent."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from mirant.hosts.asgi.scope import AsgiApplication, Event


class Call:
    """One scope of an application, running in a task."""

    def __init__(self, app: AsgiApplication, scope: dict[str, Any]) -> None:
        self.sent: list[Event] = []
        #: What `send` raises, once there is something.
        self.failure: OSError | None = None
        #: Whether `send` waits for a peer that does not read.
        self.free = asyncio.Event()
        self.free.set()
        self._incoming: asyncio.Queue[Event] = asyncio.Queue()
        usual = {"method": "POST", "path": "/", "headers": [], "query_string": b"", "scheme": "http"}
        self._running = asyncio.create_task(self._run(app, {**usual, **scope}))

    async def _run(self, app: AsgiApplication, scope: dict[str, Any]) -> None:
        await app(scope, self._incoming.get, self._send)

    async def _send(self, event: Event) -> None:
        await self.free.wait()
        if self.failure is not None:
            raise self.failure
        self.sent.append(event)

    def tell(self, kind: str, **fields: object) -> None:
        """Hand over one event."""
        self._incoming.put_nowait({"type": kind, **fields})

    def cancel(self) -> None:
        """Cancel the application, as servers do that end."""
        self._running.cancel()

    async def end(self) -> None:
        """Wait until the application has returned."""
        await asyncio.wait_for(self._running, 5)

    @property
    def status(self) -> int:
        """The status of the response."""
        return int(self.sent[0]["status"])

    @property
    def body(self) -> bytes:
        """The body of the response, as far as it was sent."""
        return b"".join(event["body"] for event in self.sent if event["type"] == "http.response.body")

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The Bayeux messages that were sent, in a response or over a WebSocket."""
        texts = [event["text"] for event in self.sent if event["type"] == "websocket.send"]
        parts = texts or ([self.body] if self.body else [])
        return [message for part in parts for message in json.loads(part)]


def post(app: AsgiApplication, *messages: dict[str, Any]) -> Call:
    """Send a POST with *messages*."""
    call = Call(app, {"type": "http"})
    call.tell("http.request", body=json.dumps(messages).encode())
    return call


def socket(app: AsgiApplication) -> Call:
    """Open a WebSocket."""
    call = Call(app, {"type": "websocket", "scheme": "ws"})
    call.tell("websocket.connect")
    return call


async def turns(count: int = 10) -> None:
    """Let *count* turns of the event loop pass."""
    for _ in range(count):
        await asyncio.sleep(0)
