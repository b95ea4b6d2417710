"""Bayeux clients that never give up: `mirant.client.protocol` over connections that break.

Both keep two records: `arrived`, every message as it came in, and `taken`, the messages of each answer to a
/meta/connect that was received whole. With the ack extension the number of the last such answer is what the
client acknowledges, so what is in `taken` must never come again, and all must come in the end.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from mirant.client.events import (
    BodyRejected,
    ClientEvent,
    Delivered,
    RequestAnswered,
    RequestFailed,
    RequestRefused,
    RetryScheduled,
    SessionOpened,
    TransportUnwanted,
    TransportWanted,
)
from mirant.client.options import ClientOptions
from mirant.client.protocol import ClientProtocol
from mirant.client.requests import CONNECT
from mirant.client.sending import Envelope

# How long a reply may take, beyond the time for which the bus holds a connect.
PATIENCE: Final = 0.5
HELD: Final = 0.2
PAUSE: Final = 0.01

BROKEN = (OSError, TimeoutError, EOFError, httpx.TransportError, WebSocketException, InvalidHandshake)


class SessionLost(AssertionError):
    """The bus does not know the session any more: no run here lasts long enough for that."""


class FaultClient(ABC):
    """One session that receives numbers on one channel."""

    connection_type: str

    def __init__(self, address: str, channel: str, *, ack: bool) -> None:
        self.address = address
        self.channel = channel
        self.arrived: list[int] = []
        self.taken: list[int] = []
        self.repeated: list[int] = []  # what came again although it had been taken
        self.failures = 0
        self._pending: list[int] = []  # what came since the last answer to a connect
        self._answers = 0  # to connects
        options = ClientOptions(
            network_delay=PATIENCE, hold=HELD, backoff_step=PAUSE, backoff_limit=PAUSE, ack=ack
        )
        self._protocol = ClientProtocol(self.connection_type, options)
        self._error: Exception | None = None
        self._wake = asyncio.Event()  # something is to be done
        self._news = asyncio.Event()  # something was done
        self._work: set[asyncio.Task[None]] = set()
        self._running: asyncio.Task[None] | None = None

    @abstractmethod
    def open(self) -> None:
        """Begin to open the transport."""

    @abstractmethod
    async def close(self) -> None:
        """Drop the connections; whatever is under way on them is cancelled already."""

    @abstractmethod
    def send(self, envelope: Envelope) -> None:
        """Begin to send."""

    # --- what a run asks for ---

    async def enter(self) -> None:
        """Handshake, connect once and subscribe, each until it succeeds."""
        self._protocol.subscribe(self.channel, self.now)
        self._protocol.handshake(self.now)
        self._running = asyncio.create_task(self._run())
        await self._until(lambda: self._answers > 0 and self.channel in self._protocol.subscriptions.granted)

    async def receive(self, count: int) -> None:
        """Go on until *count* messages were taken."""
        await self._until(lambda: len(self.taken) >= count)

    async def listen(self, publishing: "asyncio.Task[None]") -> None:
        """Go on until *publishing* is done and nothing comes any more."""
        await publishing
        before = -1
        while before != len(self.arrived):
            before = len(self.arrived)
            # The first of these connects may have been answered before the last publish.
            await self._until(partial(self._has_answers, self._answers + 2))

    async def leave(self) -> None:
        """Drop everything."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        await self._drop()

    # --- driving the protocol ---

    @property
    def now(self) -> float:
        """The time, by the event loop."""
        return asyncio.get_running_loop().time()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do *work* until it ends or the transport is not wanted any more."""
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._ended)

    async def _run(self) -> None:
        try:
            while True:
                await self._settle()
                try:
                    async with asyncio.timeout_at(self._protocol.next_deadline()):
                        await self._wake.wait()
                except TimeoutError:
                    pass
                self._wake.clear()
                self._protocol.advance(self.now)
        except Exception as error:
            self._error = error
            self._news.set()

    async def _settle(self) -> None:
        for event in self._protocol.events():
            if isinstance(event, TransportWanted):
                self.open()
            elif isinstance(event, TransportUnwanted):
                await self._drop()
            else:
                self._note(event)
        for envelope in self._protocol.to_send():
            self.send(envelope)
        self._news.set()

    def _note(self, event: ClientEvent) -> None:
        match event:
            case Delivered(message):
                number = msgspec.json.decode(message.data)["n"]
                self.repeated += [number] if number in self.taken else []
                self.arrived.append(number)
                self._pending.append(number)
            case RequestAnswered(request) if request.channel == CONNECT:
                self.taken += self._pending
                self._pending = []
                self._answers += 1
            case SessionOpened():
                self._pending = []
            case RetryScheduled():
                self.failures += 1
            case RequestFailed():
                self._pending = []
            case RequestRefused(request, error):
                raise SessionLost(f"{request.channel}: {error}")
            case BodyRejected(reason):
                raise AssertionError(reason)

    async def _drop(self) -> None:
        work, self._work = self._work, set()
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        await self.close()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._error = self._error or AssertionError(repr(error))
        self._wake.set()
        self._news.set()

    def _has_answers(self, count: int) -> bool:
        return self._answers >= count

    async def _until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            if self._error is not None:
                raise self._error
            self._news.clear()
            await self._news.wait()


class PollingClient(FaultClient):
    """Over long-polling, with connections that are kept alive as long as they work."""

    connection_type = "long-polling"

    def __init__(self, address: str, channel: str, *, ack: bool) -> None:
        super().__init__(address, channel, ack=ack)
        self._http = httpx.AsyncClient(timeout=None, verify=False)
        self._in_order = asyncio.Lock()  # of requests that are not connects

    def open(self) -> None:
        self._protocol.opened(self.now)
        self._wake.set()

    def send(self, envelope: Envelope) -> None:
        self.begin(self._poll(envelope) if envelope.is_connect else self._ask(envelope))

    async def close(self) -> None:
        cookies = self._http.cookies
        await self._http.aclose()
        self._http = httpx.AsyncClient(timeout=None, verify=False, cookies=cookies)

    async def leave(self) -> None:
        await super().leave()
        await self._http.aclose()

    async def _ask(self, envelope: Envelope) -> None:
        async with self._in_order:
            await self._poll(envelope)

    async def _poll(self, envelope: Envelope) -> None:
        try:
            async with asyncio.timeout(HELD + PATIENCE):
                response = await self._http.post(f"http://{self.address}/", content=envelope.body)
        except BROKEN as error:
            self._protocol.failed(envelope, repr(error), self.now)
        else:
            assert response.status_code == 200, response.text
            self._protocol.receive(response.content, self.now, answer_to=envelope)


class SocketClient(FaultClient):
    """Over a WebSocket; the session goes with the client from one to the next."""

    connection_type = "websocket"

    def __init__(self, address: str, channel: str, *, ack: bool) -> None:
        super().__init__(address, channel, ack=ack)
        self._socket: ClientConnection | None = None
        self._outgoing: asyncio.Queue[Envelope] = asyncio.Queue()

    def open(self) -> None:
        self.begin(self._connect())

    def send(self, envelope: Envelope) -> None:
        self._outgoing.put_nowait(envelope)

    async def close(self) -> None:
        socket, self._socket = self._socket, None
        self._outgoing = asyncio.Queue()
        if socket is not None:
            socket.transport.abort()

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                self._socket = await connect(
                    f"ws://{self.address}/",
                    compression=None,
                    ping_interval=None,
                    close_timeout=0.05,
                    proxy=None,
                )
        except BROKEN as error:
            self._protocol.lost(repr(error), self.now)
        else:
            self._outgoing = asyncio.Queue()
            self._protocol.opened(self.now)
            self.begin(self._write(self._socket, self._outgoing))
            self.begin(self._read(self._socket))

    async def _write(self, socket: ClientConnection, outgoing: "asyncio.Queue[Envelope]") -> None:
        try:
            while True:
                await socket.send((await outgoing.get()).body, text=True)
        except BROKEN:
            pass  # the reader says so

    async def _read(self, socket: ClientConnection) -> None:
        try:
            while True:
                self._protocol.receive(await socket.recv(), self.now)
                self._wake.set()
        except BROKEN as error:
            if socket is self._socket:
                self._socket = None
                socket.transport.abort()
                self._protocol.lost(repr(error), self.now)
