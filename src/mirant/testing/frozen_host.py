"""Running a core by hand: the clock is a number, and a turn of the event loop is a ``with`` block.

A host of the network waits for sockets and timers. This one does nothing until a test calls it, so every run
of a test is the same, and an hour takes no longer than the work that is due in it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import repeat
from typing import Any, Final

from mirant.bus.clock import Clock
from mirant.bus.core import Core
from mirant.bus.hooks import Pipeline, failure_of
from mirant.engines.memory import MemoryEngine
from mirant.options.settings import Settings
from mirant.testing.later import Later

#: What `FrozenHost.now` is at first, in seconds.
START: Final = 1_000.0


#: For how many seconds a poll is held, unless a test says something else.
HELD_FOR: Final = 30.0


class FrozenHost:
    """A core, and the `mirant.bus.contracts.Host` that it runs on."""

    def __init__(self, settings: Settings | None = None, **options: Any) -> None:
        """Make a core with *settings*, or with the *options* of `Settings` that are given.

        Unless it is said, polls are held for 30 seconds: tests count on that, whatever a bus does by default.
        """
        #: The time, in seconds. The core has no other clock. `advance` moves it.
        self.now = START
        settings = settings or Settings(**{"timeout": HELD_FOR, **options})
        engine = MemoryEngine(settings)
        #: The numbers from 0 to 1 that the core gets where chance decides.
        self.luck: Iterator[float] = repeat(0.0)
        self.core = Core(
            settings,
            self,
            engine,
            Clock(self.time),
            secret=b"a secret that tests share",
            chance=self.draw,
        )
        #: How many times the core was flushed.
        self.flushes = 0
        #: What code in the background raised after it had waited. A real host logs it.
        self.failures: list[Exception] = []
        self._flush_wanted = False
        self._in_tick = False
        self._paused: list[Callable[[], None]] = []

    def time(self) -> float:
        """Return the time, as the core asks for it. A subclass may let it pass meanwhile."""
        return self.now

    def draw(self) -> float:
        """Return the next number where chance decides."""
        return next(self.luck)

    # --- What the core calls ---

    def check(self) -> None:
        """Nothing to do: tests have one thread."""

    def flush_soon(self) -> None:
        assert not self._flush_wanted, "the core asks once per flush"
        self._flush_wanted = True

    def wake_at(self, when: float) -> None:
        """Nothing to do: `advance` asks the core for the next deadline."""

    def background(self, pipeline: Pipeline) -> None:
        self._begin(pipeline, lambda: None)

    # --- Time ---

    @contextmanager
    def tick(self) -> Iterator[None]:
        """Let everything inside happen in one turn of the event loop, with one flush at its end."""
        self._in_tick = True
        try:
            yield
        finally:
            self._in_tick = False
        self.settle()

    def settle(self) -> None:
        """End the turn: flush until nothing is left to send. What has paused goes on in turns that follow."""
        while (self._flush_wanted or self._paused) and not self._in_tick:
            if self._flush_wanted:
                self._flush_wanted = False
                self.flushes += 1
                self.core.flush(self.now)
            else:
                self._paused.pop(0)()

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass, and let everything happen that falls due in them."""
        end = self.now + seconds
        while (deadline := self.core.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.core.advance(self.now)
            self.settle()
        self.now = end

    # --- Pipelines ---

    def run(self, pipeline: Pipeline, ended: Callable[[], None] = lambda: None) -> None:
        """Run *pipeline* until it ends or waits for a `Later`, then end the turn.

        *ended* is called when the pipeline has ended.
        """
        self._begin(pipeline, ended)
        self.settle()

    def take_failures(self) -> list[Exception]:
        """Return the failures that the test expected, and forget them."""
        failures, self.failures[:] = [*self.failures], []
        return failures

    def _begin(self, pipeline: Pipeline, ended: Callable[[], None]) -> None:
        awaited = next(pipeline, None)
        if awaited is None:
            ended()
        else:
            self._await(pipeline, awaited, ended)

    def _await(self, pipeline: Pipeline, awaited: Awaitable[Any], ended: Callable[[], None]) -> None:
        """Wait for *awaited* on behalf of *pipeline*. What is no awaitable is the pipeline's failure."""
        try:
            steps = awaited.__await__()
        except Exception as error:
            raised = error
            self._continue(lambda: pipeline.throw(raised), pipeline, ended)
        else:
            self._wait(pipeline, steps, ended)

    def _wait(self, pipeline: Pipeline, steps: Generator[Any, Any, Any], ended: Callable[[], None]) -> None:
        """Take *steps*, those of an awaitable, as far as they go; then go on with the *pipeline*."""
        try:
            later = next(steps)
        except StopIteration as stop:
            outcome = stop.value
            self._continue(lambda: pipeline.send(outcome), pipeline, ended)
        except BaseException as error:
            raised = failure_of(error)
            self._continue(lambda: pipeline.throw(raised), pipeline, ended)
        else:
            if later is None:  # a pause: others have their turn first
                self._paused.append(lambda: self._wait(pipeline, steps, ended))
                return
            assert isinstance(later, Later), f"without an event loop await a Later, not {later!r}"
            later.then(lambda: self._resume(pipeline, steps, ended))

    def _continue(
        self, go_on: Callable[[], Awaitable[Any]], pipeline: Pipeline, ended: Callable[[], None]
    ) -> None:
        try:
            awaited = go_on()
        except StopIteration:
            ended()
        except Exception as error:
            self.failures.append(error)
            ended()
        else:
            self._await(pipeline, awaited, ended)

    def _resume(self, pipeline: Pipeline, steps: Generator[Any, Any, Any], ended: Callable[[], None]) -> None:
        self._wait(pipeline, steps, ended)
        self.settle()
