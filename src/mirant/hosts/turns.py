"""The turns of the event loop, shared among connections that have more to say than fits in one.

Theory: what a connection sends is processed in the callback in which it is read, while it is little. A
connection that exceeds its *steps* there is not read from any more, and waits in one queue with all others
that did. The queue gets a slice of time, then two whole turns pass without it: in the first, everybody else
is read from; in the second, what that caused is flushed. So however many connections flood, another one
waits for one slice. The slice grows with what those two turns took, so that under load the queue keeps a
third of the time.

Many connections could each take a little less than its steps. So what is taken in one turn by connections
that take more than a few is summed up. When the sum is a slice's worth, the turn is *crowded*: from there on
only small reads are processed at once, and only a few steps of them. The rest waits in the queue.

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

# Steps that are not summed up: a client that sends a message, or a request.
_LIGHT: Final = 9

#: Bytes that take as long as a step, at worst.
BYTES_PER_STEP: Final = 512

# Steps after which a turn is crowded (about 4 ms), and what of one read is processed at once then.
_CROWD: Final = 320
_PROMPT_IN_CROWD: Final = 256  # bytes
_STEPS_IN_CROWD: Final = 4

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

    __slots__ = (
        "_asked_at",
        "_clock",
        "_fail",
        "_is_asked",
        "_most",
        "_spent",
        "_waiting",
        "prompt",
        "steps",
    )

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
        self._spent = 0  # steps that connections took in this turn where they were read
        #: Bytes of one read above which they wait for a turn.
        self.prompt = PROMPT
        #: Steps of one read after which the rest waits for a turn.
        self.steps = STEPS

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
        self._renew()

    def spend(self, steps: int) -> None:
        """Take note of the *steps* that a connection took where it was read, if they are more than a few."""
        if steps <= _LIGHT:
            return
        if not self._spent:
            asyncio.get_running_loop().call_soon(self._renew)
        self._spent += steps
        if self._spent > _CROWD:
            self.prompt, self.steps = _PROMPT_IN_CROWD, _STEPS_IN_CROWD

    def _renew(self) -> None:
        """Begin another turn, in which nobody has taken anything."""
        self._spent = 0
        self.prompt, self.steps = PROMPT, STEPS

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
        """Have a slice. Who is added meanwhile is in the next one, which is asked for once."""
        try:
            self._have_slice()
        finally:
            self._is_asked = False
            if self._waiting:
                self._ask()

    def _have_slice(self) -> None:
        began = self._clock()
        end = began + min(max(_SHORTEST, (began - self._asked_at) * _SHARE), _LONGEST)
        waiting = self._waiting
        for _ in range(min(len(waiting), self._most)):
            connection = waiting.popleft()
            if self._serve(connection):
                waiting.append(connection)
            if self._clock() >= end:
                break

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
