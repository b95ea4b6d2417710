"""A queue of what an ASGI application has to send on a connection that stays open."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from mirant.bus.batch import Batch
from mirant.hosts.asgi.exchange import take_note

# How long a peer may take to read what was put before the close of its connection, in seconds.
_CLOSING: Final = 2.0

#: Something to send: deliveries, or the bytes of a JSON array.
Item = Batch | bytes


class AsgiSendQueue:
    """A queue between the bus, which writes and goes on, and a coroutine that awaits the server's ``send``.

    While something waits here the connection is not writable, so that what comes meanwhile waits in the
    session's outbox, where it is counted, and survives a connection that breaks.
    """

    __slots__ = ("_drained", "_items", "_overdue", "_sending", "_wake", "closing", "gone", "taken")

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._sending = False
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        # A future, because a task that waits for an event takes 2 KiB of every connection.
        self._overdue: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        #: The code and reason with which the bus wants the connection closed.
        self.closing: tuple[int, str] | None = None
        #: How many bytes the server has taken.
        self.taken = 0
        #: Whether the peer is gone.
        self.gone = False

    @property
    def empty(self) -> bool:
        """Whether nothing waits, and what is put now would be sent."""
        return not self._items and not self._sending and self.closing is None and not self.gone

    def put(self, items: Iterable[Item]) -> None:
        """Have *items* sent, in order."""
        self._items.extend(items)
        self._drained.clear()
        self._wake.set()

    def close(self, code: int, reason: str) -> None:
        """Have the connection closed after what was put."""
        if self.closing is None:
            self.closing = (code, reason)
            self._wake.set()
            asyncio.get_running_loop().call_later(_CLOSING, self._be_overdue)

    def overdue(self) -> Awaitable[None]:
        """Wait until the peer has had its time to read what was put before the close."""
        return self._overdue

    def _be_overdue(self) -> None:
        if not self._overdue.done():
            self._overdue.set_result(None)

    @property
    def is_stuck(self) -> bool:
        """Whether something, the close included, was still being sent when the connection ended."""
        return self._sending or (self._overdue.done() and not self._overdue.cancelled())

    def end(self) -> None:
        """Make `run` return: the peer is gone."""
        self.gone = True
        self._drained.set()
        self._wake.set()

    def take_back(self) -> list[Batch]:
        """Remove and return the deliveries that were not sent, without one that is just being sent."""
        unsent = [item for item in self._items if isinstance(item, Batch)]
        self._items = deque(item for item in self._items if not isinstance(item, Batch))
        return unsent

    async def _send(self, item: Item, send: Callable[[Item], Awaitable[None]]) -> None:
        self._sending = True
        try:
            await send(item)
        except OSError:
            self._items.appendleft(item)  # the peer is gone, which the server has noticed first
            raise
        self.taken += len(item if isinstance(item, bytes) else item.payload)
        self._sending = False  # stays set when this is cancelled: then the peer had not taken it

    async def drained(self) -> None:
        """Wait until all was sent: a peer that reads no answers is not read from."""
        await self._drained.wait()

    async def run(self, send: Callable[[Item], Awaitable[None]], resumed: Callable[[], None]) -> None:
        """Send what is put until the peer is gone or the connection is to be closed.

        *resumed* is called each time when all was sent.
        """
        while not self.gone:
            await self._wake.wait()
            self._wake.clear()
            while self._items and not self.gone:
                await self._send(self._items.popleft(), send)
            if self.closing is not None:
                return
            self._drained.set()
            resumed()


async def until_first(*awaitables: Awaitable[None]) -> None:
    """Run all until one returns, then cancel the others; what the first to end raised is raised here.

    Cancellation: all are cancelled, and the cancellation is raised as it came. An outer scope of anyio knows
    its own cancellation by the exception, and repeats it for as long as somebody waits. So the others may
    end only after this has ended.
    """
    tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    for task in tasks:
        task.add_done_callback(take_note)
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        # Not `gather`, which raises a cancellation of its own making when it is cancelled.
        await asyncio.wait(tasks)
    for task in done:
        task.result()


def abort(send: object) -> None:
    """Drop the connection behind *send* at once, where the server lets us.

    ASGI has no event for it. uvicorn's close waits for ever until the peer has read what is in the buffer.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None and hasattr(transport, "abort"):
        transport.abort()
