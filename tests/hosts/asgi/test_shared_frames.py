"""When frames may go past the `send` of an ASGI server, by servers and transports made for the question."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.protocol import State

from mirant import Bus, Settings
from mirant.bayeux.messages import Delivery
from mirant.bus.batch import Batch
from mirant.bus.request import Request
from mirant.engines.memory import MemoryEngine
from mirant.hosts.asgi.scope import Event
from mirant.hosts.asgi.shared_frames import HIGH_WATER, SharedFrames, shared_frames
from mirant.hosts.asgi.websocket import AsgiConnection
from mirant.hosts.loop import Loop
from mirant.hosts.rfc6455.frames import TEXT, frame


@pytest.fixture(scope="module", autouse=True)
def host() -> None:
    """No host at all."""


class Lookalike:
    """Has what uvicorn's protocols have, and is none of them."""

    def __init__(self) -> None:
        self.state = State.OPEN
        self.transport = Transport(self)

    async def send(self, event: Event) -> None:
        """Send."""


class Transport:
    """A transport that keeps what is written."""

    def __init__(self, protocol: object = None) -> None:
        self.written: list[bytes] = []
        self.closing = False
        self.room = 1_000_000  # how many writes until the buffer is full
        self._protocol = protocol

    def get_protocol(self) -> object:
        return self._protocol

    def get_write_buffer_size(self) -> int:
        return HIGH_WATER - (self.room > 0)

    def is_closing(self) -> bool:
        return self.closing

    def write(self, data: bytes) -> None:
        self.written.append(data)
        self.room -= 1


def known(**attributes: object) -> Any:
    """Return a `send` as uvicorn gives it, of an object with *attributes*."""

    class WSProtocol(Lookalike):
        __module__ = "uvicorn.protocols.websockets.wsproto_impl"
        __qualname__ = "WSProtocol"

    protocol = WSProtocol()
    for name, value in attributes.items():
        setattr(protocol, name, value)
    return protocol.send


async def test_only_what_is_known_and_complete_is_trusted() -> None:
    async def send(event: Event) -> None: ...

    assert shared_frames(known()) is not None
    assert shared_frames(send) is None
    assert shared_frames(Lookalike().send) is None
    assert shared_frames(known(transport=None)) is None
    assert shared_frames(known(transport=object())) is None
    assert shared_frames(known(transport=Transport(object()))) is None
    assert shared_frames(known(conn=object())) is None
    assert shared_frames(known(state="OPEN")) is None


def test_nothing_is_written_unless_it_is_open_and_nearly_empty() -> None:
    transport, protocol = Transport(), SimpleNamespace(state=State.CONNECTING)
    frames = SharedFrames(transport, protocol)
    assert not frames.write(b"too early")
    protocol.state = State.OPEN
    transport.room = 1
    assert frames.write(b"1")
    assert not frames.write(b"too much")
    transport.room = 10
    assert frames.write(b"2")
    transport.closing = True
    assert not frames.write(b"too late")
    transport.closing = False
    protocol.state = State.CLOSING
    assert not frames.write(b"too late")

    assert transport.written == [b"1", b"2"]


async def test_nothing_overtakes_what_waits_for_send() -> None:
    transport = Transport()
    frames = SharedFrames(transport, SimpleNamespace(state=State.OPEN))
    connection = AsgiConnection(Loop(Settings(), MemoryEngine(Settings())), Request(), frames)
    first, second, third, fourth = (Batch([Delivery.of_raw("/a", b"%d" % number)]) for number in range(4))
    transport.room = 1
    connection.push([first, second, third])
    transport.room = 10
    connection.push([fourth])
    connection.say(b"[]")

    assert transport.written == [frame(TEXT, first.payload)]
    assert not connection.writable
    assert connection.take_back() == [second, third, fourth]


async def test_a_server_that_is_not_known_is_served_by_send() -> None:
    bus = Bus()
    incoming: asyncio.Queue[Event] = asyncio.Queue()
    outgoing: asyncio.Queue[Event] = asyncio.Queue()
    scope = {"type": "websocket", "path": "/", "headers": [], "query_string": b"", "scheme": "ws"}
    running = asyncio.create_task(bus(scope, incoming.get, outgoing.put))

    async def ask(**message: str) -> Any:
        incoming.put_nowait({"type": "websocket.receive", "text": json.dumps([message])})
        return json.loads((await outgoing.get())["text"])[0]

    incoming.put_nowait({"type": "websocket.connect"})
    assert (await outgoing.get())["type"] == "websocket.accept"
    me = (await ask(channel="/meta/handshake"))["clientId"]
    assert (await ask(channel="/meta/subscribe", subscription="/news", clientId=me))["successful"]
    await bus.publish("/news", 1)

    assert json.loads((await outgoing.get())["text"]) == [{"channel": "/news", "data": 1}]
    incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})
    await running
