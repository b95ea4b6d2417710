"""Running a core on an asyncio event loop: the clock, the end of the tick, the timer and what is awaited."""

from __future__ import annotations

import asyncio
import logging
import os
import random
from collections.abc import Callable
from typing import Any, Final

from mirant.bus.carrier import Link
from mirant.bus.clock import Clock
from mirant.bus.contracts import Engine
from mirant.bus.core import Core
from mirant.bus.hooks import Pipeline
from mirant.bus.party import Visitor
from mirant.bus.request import Request
from mirant.bus.session import Session
from mirant.hosts.driver import Driver
from mirant.hosts.gate import Gate
from mirant.hosts.turns import Turns
from mirant.hosts.workers import Family, warn_of_workers
from mirant.options.settings import Settings

# How long calls of the application may take to end when they are cancelled, in seconds.
_CANCELLING: Final = 1.0

_ELSEWHERE: Final = (
    "A bus may only be used on the event loop that serves it. From another thread, use "
    "loop.call_soon_threadsafe(bus.publish_nowait, channel, data)."
)
_NOT_SERVED: Final = (
    "The bus is not served yet. Serve it (`mirant serve`, or as an ASGI application), or call `bus.open()` "
    "on the event loop that is to serve it."
)

# After that many seconds other workers that were started with this one are there.
_SIBLINGS_BEGIN: Final = 3.0

log = logging.getLogger("mirant")


class Loop:
    """The `Host` of one core, on the event loop that is running."""

    def __init__(
        self, settings: Settings, engine: Engine, *, secret: bytes | None = None, stands_alone: bool = True
    ) -> None:
        """Run a core with *engine*. If it *stands alone*, other processes know nothing of its sessions."""
        self._clock = Clock()
        self._stands_alone = stands_alone
        self.core = Core(settings, self, engine, self._clock, secret=secret, chance=random.random)
        #: What is let in. There is a new one when the settings change.
        self.gate: Gate
        self._only_local = False
        self.set_gate(settings)
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Future[None]] = set()
        #: Functions of the application that took too long and have not ended yet, though cancelled.
        self._stubborn: set[asyncio.Future[Any]] = set()
        #: Where coroutines of connections with much to say wait for their turns. What they do then takes its
        #: time after the slice that lets them go on, so there are few in each.
        self.turns = Turns(most=2)
        #: Where bodies that take long, and native connections with much to say, wait for theirs. It is one
        #: queue, because all of them share its slice.
        self.slices = Turns(fail=self.core.observers.fail)
        #: Every connection that is open, whether or not it has a session yet.
        self.links: set[Link[Session]] = set()

    def bind(self) -> asyncio.AbstractEventLoop:
        """Serve on the event loop that is running, from now on.

        Raises:
            RuntimeError: no event loop is running in this thread, or another one serves the bus already.
        """
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            if self._loop is not None and self._loop.is_running():
                raise RuntimeError(_ELSEWHERE)
            self._loop, self._timer = loop, None  # a test suite may use one loop per test
            self._tasks.clear()  # they ended with their loop, and so did the connections
            self._stubborn.clear()
            self.links.clear()
            self.turns.clear()
            self.slices.clear()
            self._clock.time = loop.time
            self.core.lose_carriers()
            self.core.reopen()
            if self._stands_alone:
                self._look_for_siblings(loop)
        return loop

    def _look_for_siblings(self, loop: asyncio.AbstractEventLoop) -> None:
        """Say it if other workers serve too. Only now: a server may make the bus before its workers."""
        family = Family(os.getpid(), os.getppid(), clock=loop.time)
        if family.name is not None:
            self.core.join(family.name, family.has_siblings)
        if not warn_of_workers(family) and family.name is not None:
            loop.call_later(_SIBLINGS_BEGIN, warn_of_workers, family)

    def now(self) -> float:
        """The time that the core is told: monotonic seconds.

        Raises:
            RuntimeError: the bus is not served on this thread's event loop.
        """
        return self._running().time()

    def _running(self) -> asyncio.AbstractEventLoop:
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError(_ELSEWHERE) from None
        if running is not self._loop:
            raise RuntimeError(_NOT_SERVED if self._loop is None else _ELSEWHERE)
        return running

    def set_gate(self, settings: Settings, allow_origin: Callable[[str], bool] | None = None) -> None:
        """Let in what *settings* say, from now on, and pages of the origins that *allow_origin* admits."""
        self._admitting = settings, allow_origin
        self.gate = self._make_gate()

    def keep_local(self) -> None:
        """Take note that only this machine can reach the server: other names than its own are not ours."""
        self._only_local = True
        self.gate = self._make_gate()

    def _make_gate(self) -> Gate:
        settings, allow_origin = self._admitting

        def allows(origin: str) -> bool:
            try:
                return allow_origin is not None and bool(allow_origin(origin))
            except Exception as error:  # a function that fails admits nobody
                self.core.observers.fail("hook.failed", error, hook="allow_origin")
                return False

        return Gate(
            settings,
            self._note_refusal,
            misdirected=self._note_misdirection,
            allow_origin=None if allow_origin is None else allows,
            only_local=self._only_local,
        )

    def _note_misdirection(self, request: Request) -> None:
        host = request.headers.get("host")
        self.core.observers.note("host.refused", Visitor(address=request.address), host=host)

    def _note_refusal(self, request: Request) -> None:
        origin = request.headers.get("origin")
        self.core.observers.note("origin.refused", Visitor(address=request.address), origin=origin)

    async def run(self, pipeline: Pipeline) -> None:
        """Run *pipeline* to its end, awaiting what it yields. Without anything to await this never waits.

        If this is cancelled, so is what the pipeline waits for.
        """
        awaitable = next(pipeline, None)
        if awaitable is not None:
            await self._drive(pipeline, awaitable, self.core.settings.max_hook_time)

    def check(self) -> None:
        self._running()

    def check_reading(self) -> None:
        """Return if the bus may be read here: on the event loop that serves it, or while none does.

        Raises:
            RuntimeError: another thread's event loop serves it, and may change it meanwhile.
        """
        if self._loop is not None and self._loop.is_running():
            self._running()

    def flush_soon(self) -> None:
        self._running().call_soon(self._flush)

    def wake_at(self, when: float) -> None:
        loop = self._running()
        if self._timer is not None:
            if self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = loop.call_at(when, self._wake)

    def background(self, pipeline: Pipeline) -> None:
        self._start(pipeline, self._tasks, self.core.settings.max_call_time)

    def start(self, pipeline: Pipeline, tasks: set[Any]) -> asyncio.Future[None] | None:
        """Run *pipeline*. If it has to wait, return what is done when it ends, which is kept in *tasks*."""
        return self._start(pipeline, tasks, self.core.settings.max_hook_time)

    def _start(self, pipeline: Pipeline, tasks: set[Any], limit: float) -> asyncio.Future[None] | None:
        awaitable = next(pipeline, None)
        if awaitable is None:
            return None
        done = self._drive(pipeline, awaitable, limit)
        tasks.add(done)
        done.add_done_callback(tasks.discard)
        done.add_done_callback(self._report)
        return done

    def _drive(self, pipeline: Pipeline, awaitable: Any, limit: float) -> asyncio.Future[None]:
        return Driver(self._running(), pipeline, limit, self._stubborn, self.slices).begin(awaitable)

    def open(self) -> None:
        """Serve again after `close`: an application may be started twice in one process."""
        self.bind()
        self.core.reopen()

    def depart(self) -> None:
        """Answer the polls and close the connections: the server is going away. What runs may end."""
        if self._loop is None:
            return  # it was never served
        self.core.close(self.now())
        for link in list(self.links):
            link.close(1001, "the server is going away")

    async def close(self) -> None:
        """Answer the polls, close the connections, cancel what runs in the background and stop the timer."""
        if self._loop is None:
            return  # it was never served
        self.bind()  # a fixture may close what another loop served that has ended
        self.depart()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for task in list(self._tasks):
            task.cancel()
        await asyncio.sleep(0)  # what they waited for is cancelled now
        if self._stubborn:
            _, stubborn = await asyncio.wait(self._stubborn, timeout=_CANCELLING)
            if stubborn:
                log.warning("calls.stubborn count=%d: they did not end when cancelled", len(stubborn))
        await asyncio.sleep(0)  # what was answered is written by others, before we return

    def _flush(self) -> None:
        self.core.flush(self.now())

    def _wake(self) -> None:
        self._timer = None
        try:
            self.core.advance(self.now())
        finally:  # whatever happens on the way: without its timer the bus stands still
            upcoming = self.core.next_deadline()
            if upcoming is not None:
                self.wake_at(upcoming)

    def _report(self, done: asyncio.Future[None]) -> None:
        if not done.cancelled() and (error := done.exception()) is not None:
            self.core.observers.fail("hook.failed", error)
