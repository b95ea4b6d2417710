"""The turns of the event loop, shared among connections that have more to say than fits in one.

Theory: what a connection sends is processed in the callback in which it is read, while it is little. A
connection that exceeds its *steps* there is not read from any more, and waits in one queue with all others
that did. The queue gets a slice of time, then two whole turns pass without it: in the first, everybody else
is read from; in the second, what that caused is flushed. So however many connections flood, another one
waits for one slice. The slice grows with what those two turns took, so that under load the queue keeps a
third of the time.

A connection stays in the queue until it has nothing to say when its turn comes. So one that floods is served
here alone, also when its next bytes arrive.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from mirant.bus.clock import Clock
from mirant.bus.failures import FailureLog
from mirant.bus.observer import Observers

#: Steps that a connection takes in one go: messages, control frames, fragments. A message takes 10 to 15 µs.
STEPS: Final = 32

#: Bytes of one read, or of one message, above which they wait for a turn. The worst of 64 KiB take 2 ms.
PROMPT: Final = 64 * 1024

# The shortest and the longest slice of the queue, in seconds. A step that has begun is not interrupted.
_SHORTEST: Final = 0.002
_LONGEST: Final = 0.010

# The share of a slice in what the turns since the last one took.
_SHARE: Final = 0.5


class Busy(Protocol):
    """A connection that has more to say."""

    def take_turn(self) -> bool:
        """Go on for at most `STEPS` steps; return whether there were any."""


class Turns:
    """The queue of one event loop."""

    __slots__ = ("_asked_at", "_clock", "_fail", "_is_asked", "_most", "_waiting")

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        most: int = 1_000,
        fail: Callable[..., None] | None = None,
    ) -> None:
        """Serve at most *most* connections in a slice.

        *clock* says how long a slice has taken. The time of uvloop's event loop stands still within a turn.
        *fail* is told what connections raise; without it, the log is.
        """
        self._clock = clock
        self._fail = fail or Observers(FailureLog(Clock(clock))).fail
        self._most = most
        self._waiting: deque[Busy] = deque()
        self._is_asked = False
        self._asked_at = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, connection: Busy) -> None:
        """Let *connection* take turns until it returns False."""
        self._waiting.append(connection)
        if not self._is_asked:
            self._ask()

    def clear(self) -> None:
        """Forget all: their event loop has ended."""
        self._waiting.clear()
        self._is_asked = False

    def _ask(self) -> None:
        """Have a slice after two turns of the event loop."""
        self._is_asked = True
        self._asked_at = self._clock()
        asyncio.get_running_loop().call_soon(self._pass, 1)

    def _pass(self, more: int) -> None:
        """Let this turn pass, and *more* after it."""
        loop = asyncio.get_running_loop()
        if more:
            loop.call_soon(self._pass, more - 1)
        else:
            loop.call_soon(self._run)

    def _run(self) -> None:
        self._is_asked = False
        began = self._clock()
        end = began + min(max(_SHORTEST, (began - self._asked_at) * _SHARE), _LONGEST)
        waiting = self._waiting
        for _ in range(min(len(waiting), self._most)):
            connection = waiting.popleft()
            if self._serve(connection):
                waiting.append(connection)
            if self._clock() >= end:
                break
        if waiting:
            self._ask()

    def _serve(self, connection: Busy) -> bool:
        try:
            return connection.take_turn()
        except Exception as error:  # one connection's failure must not keep the others from their turns
            self._fail("connection.failed", error)
            return False


class Waiter:
    """A coroutine that waits for its turn, because it has no transport to pause."""

    __slots__ = ("_come",)

    def __init__(self, come: asyncio.Future[None]) -> None:
        self._come = come

    def take_turn(self) -> bool:
        """Let the coroutine go on, after the slice."""
        if not self._come.done():
            self._come.set_result(None)
        return False


async def take_turn(turns: Turns) -> None:
    """Wait for a turn in *turns*. Who is cancelled meanwhile gives the turn up."""
    come: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    turns.add(Waiter(come))
    await come
