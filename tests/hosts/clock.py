"""An event loop whose time stands still until a test moves it: what falls due happens then, and at once."""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle
from typing import Any

START = 1_000.0


class FrozenLoop(asyncio.SelectorEventLoop):
    """asyncio's own event loop, but for the clock. Nothing on it waits for real time."""

    def __init__(self) -> None:
        super().__init__()
        self._now = START
        self._timers: list[TimerHandle] = []
        #: What callbacks raised; `settle` raises it again.
        self.failures: list[BaseException] = []

    def time(self) -> float:
        return self._now

    def call_at(  # type: ignore[override]  # typed with names that are not to be had at run time
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> TimerHandle:
        timer = super().call_at(when, callback, *args, context=context)
        self._timers.append(timer)
        return timer

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if isinstance(error := context.get("exception"), BaseException):
            self.failures.append(error)
        super().call_exception_handler(context)

    async def advance(self, seconds: float) -> None:
        """Let *seconds* pass, and everything happen that falls due meanwhile, in its order."""
        end = self._now + seconds
        await settle()  # what was done before happens before
        while (due := self._next_timer()) is not None and due <= end:
            self._now = max(self._now, due)
            await settle()
        self._now = end
        await settle()

    def _next_timer(self) -> float | None:
        self._timers = [timer for timer in self._timers if not timer.cancelled() and timer.when() > self._now]
        return min((timer.when() for timer in self._timers), default=None)


def clock() -> FrozenLoop:
    """Return the running event loop, whose time the test moves."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, FrozenLoop), "this test runs on a real clock"
    return loop


async def settle() -> None:
    """Let the turn end, and what was asked for meanwhile be done."""
    for _ in range(10):
        await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    if isinstance(loop, FrozenLoop) and loop.failures:
        raise loop.failures.pop()
