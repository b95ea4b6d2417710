"""What an ASGI application has to send on a connection that stays open."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

from mirant.bus.outbox import Batch

#: Something to send: deliveries, or the bytes of a JSON array.
Item = Batch | bytes


class Outgoing:
    """A queue between the bus, which writes and goes on, and a coroutine that awaits the server's ``send``.

    While something waits here the connection is not writable, so that what comes meanwhile waits in the
    session's outbox, where it is counted, and survives a connection that breaks.
    """

    __slots__ = ("_drained", "_items", "_sending", "_wake", "closing", "gone")

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._sending = False
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        #: The code and reason with which the bus wants the connection closed.
        self.closing: tuple[int, str] | None = None
        #: Whether the peer is gone.
        self.gone = False

    @property
    def empty(self) -> bool:
        """Whether there is nothing to send, and more would be."""
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

    def end(self) -> None:
        """Take note that the peer is gone; `run` returns."""
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
            self._items.appendleft(item)  # the server had noticed before us that the peer is gone
            raise
        finally:
            self._sending = False

    async def drained(self) -> None:
        """Wait until all was sent: who sends requests and reads no answers is not read from."""
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


async def until_either(first: Awaitable[None], second: Awaitable[None]) -> None:
    """Run both until one returns, then cancel the other; what the first to end raised is raised here."""
    tasks = [asyncio.ensure_future(first), asyncio.ensure_future(second)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
