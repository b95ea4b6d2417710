"""Running a pipeline on an event loop: each thing that it waits for is awaited in a task of its own.

Theory: a function of the application may be cancelled, cancel the task that it runs in, raise anything, or
never end. In a task of its own all of that is an outcome, which the pipeline is told as an `Exception`. Our
own cancellation is another thing: it is the cancellation of `Driver.begin`'s future. So the two are never
taken for each other.

A pipeline that yields `PAUSE` waits for nothing but its turn. It has that in the queue of those who have much
to say (`mirant.hosts.turns`), so that a hundred long bodies hold the event loop no longer than one does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from mirant.bus.hooks import HookFailed, HookTooSlow, Pipeline, failure_of
from mirant.bus.pace import PAUSE
from mirant.hosts.turns import Turns


class Driver:
    """Runs one pipeline that has to wait."""

    __slots__ = (
        "_done",
        "_has_turn",
        "_limit",
        "_loop",
        "_paused",
        "_pipeline",
        "_stubborn",
        "_task",
        "_timer",
        "_turns",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        pipeline: Pipeline,
        limit: float,
        stubborn: set[asyncio.Future[Any]],
        turns: Turns,
    ) -> None:
        """Wait at most *limit* seconds for each thing; what was cancelled is in *stubborn* until it ends.

        In *turns* the pipeline waits where it pauses.
        """
        self._loop = loop
        self._pipeline = pipeline
        self._limit = limit
        self._stubborn = stubborn
        self._turns = turns
        self._paused = False  # whether the pipeline waits for its turn
        self._has_turn = False  # whether it has its turn now
        self._done: asyncio.Future[None] = loop.create_future()
        self._task: asyncio.Task[Any] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, awaitable: Awaitable[Any]) -> asyncio.Future[None]:
        """Go on with the pipeline when *awaitable* has its outcome; return what is done when it ends.

        If that is cancelled, so are what the pipeline waits for and the pipeline itself.
        """
        self._done.add_done_callback(self._look_for_cancellation)
        self._await(awaitable)
        return self._done

    def take_turn(self) -> bool:
        """Go on after a pause; return whether there is another."""
        if not self._paused:
            return False  # it was cancelled meanwhile
        self._paused, self._has_turn = False, True
        self._step(self._pipeline.send, None)
        self._has_turn = False
        return self._paused

    def _await(self, awaitable: Awaitable[Any]) -> None:
        if awaitable is PAUSE:
            self._paused = True
            if not self._has_turn:
                self._turns.add(self)
            return
        self._task = task = self._loop.create_task(_outcome_of(awaitable))
        self._timer = self._loop.call_later(self._limit, self._give_up)
        task.add_done_callback(self._go_on)

    def _go_on(self, task: asyncio.Task[Any]) -> None:
        """Tell the pipeline the outcome of *task*, if it still waits for it."""
        if self._task is not task:
            return  # it was given up
        self._release()
        if task.cancelled():
            self._step(self._pipeline.throw, HookFailed("it was cancelled"))
        elif (error := task.exception()) is not None:
            self._step(self._pipeline.throw, error if isinstance(error, Exception) else HookFailed())
        else:
            self._step(self._pipeline.send, task.result())

    def _give_up(self) -> None:
        """Let the pipeline go on without what takes too long."""
        self._abandon()
        self._step(self._pipeline.throw, HookTooSlow(f"it did not end within {self._limit:g} s"))

    def _look_for_cancellation(self, done: asyncio.Future[None]) -> None:
        if done.cancelled() and (self._paused or self._task is not None):
            self._paused = False
            self._abandon()
            self._step(self._pipeline.throw, asyncio.CancelledError())

    def _step(self, step: Callable[[Any], Awaitable[Any]], outcome: Any) -> None:
        """Run the pipeline to the next thing that it waits for, or to its end."""
        try:
            awaitable = step(outcome)
        except StopIteration:
            self._settle(None)
        except asyncio.CancelledError as error:
            self._settle(None if self._done.cancelled() else failure_of(error))
        except Exception as error:
            self._settle(error)
        else:
            if self._done.done():
                self._pipeline.close()  # it was cancelled, and wants to wait
            else:
                self._await(awaitable)

    def _settle(self, error: Exception | None) -> None:
        if self._done.done():
            return
        if error is None:
            self._done.set_result(None)
        else:
            self._done.set_exception(error)

    def _abandon(self) -> None:
        """Cancel what is waited for, and wait for it no more."""
        task = self._release()
        if task is not None:
            task.cancel()
            self._stubborn.add(task)
            task.add_done_callback(self._stubborn.discard)

    def _release(self) -> asyncio.Task[Any] | None:
        task, self._task = self._task, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return task


async def _outcome_of(awaitable: Awaitable[Any]) -> Any:
    """Return the result of *awaitable*; what it raises is an `Exception`, or the task's own cancellation."""
    try:
        return await awaitable
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        raise failure_of(error) from error
