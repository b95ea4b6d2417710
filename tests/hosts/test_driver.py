"""Waiting for functions of the application: each outcome is the pipeline's, and none is anybody else's."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import pytest

from mirant import Bus, Caller, Identity, Settings
from mirant.bus.hooks import HookFailed, Pipeline
from mirant.bus.pace import PAUSE
from mirant.hosts.driver import Driver
from mirant.hosts.turns import Turns
from tests.hosts.clients import Poller

LIMIT = 0.05


@pytest.fixture(scope="module", autouse=True)
def host() -> str:
    """These tests serve no sockets, so once is enough."""
    return "none"


class Watched:
    """A pipeline that waits for some awaitables, one after the other, and notes the outcomes."""

    def __init__(self, *awaitables: Awaitable[Any]) -> None:
        self.outcomes: list[Any] = []
        self.closed = False
        self.pipeline = self._run(awaitables)

    def _run(self, awaitables: tuple[Awaitable[Any], ...]) -> Pipeline:
        try:
            for awaitable in awaitables:
                try:
                    self.outcomes.append((yield awaitable))
                except Exception as error:
                    self.outcomes.append(error)
        finally:
            self.closed = True


def drive(
    watched: Watched, stubborn: set[asyncio.Future[Any]] | None = None, turns: Turns | None = None
) -> asyncio.Future[None]:
    first = next(watched.pipeline)
    loop = asyncio.get_running_loop()
    kept = set() if stubborn is None else stubborn
    return Driver(loop, watched.pipeline, LIMIT, kept, Turns() if turns is None else turns).begin(first)


async def gives(result: object) -> object:
    await asyncio.sleep(0)
    return result


async def raises(error: BaseException) -> None:
    await asyncio.sleep(0)
    raise error


async def cancels_an_inner_task() -> None:
    inner = asyncio.ensure_future(asyncio.Event().wait())
    asyncio.get_running_loop().call_soon(inner.cancel)
    await inner


async def cancels_itself() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.Event().wait()


async def never_ends() -> None:
    await asyncio.Event().wait()


class NoIterator:
    """An awaitable that is none."""

    def __await__(self) -> Any:
        return 5


class YieldsSomethingElse:
    """An awaitable that no event loop can wait for."""

    def __await__(self) -> Generator[Any, None, None]:
        yield 5


BROKEN: dict[str, Callable[[], Awaitable[Any]]] = {
    "raises an Exception": lambda: raises(ValueError()),
    "raises CancelledError": lambda: raises(asyncio.CancelledError()),
    "raises GeneratorExit": lambda: raises(GeneratorExit()),
    "raises SystemExit": lambda: raises(SystemExit()),
    "raises a BaseException": lambda: raises(BaseException()),
    "raises StopIteration": lambda: raises(StopIteration()),
    "raises TimeoutError": lambda: raises(TimeoutError()),
    "cancels an inner task": cancels_an_inner_task,
    "cancels itself": cancels_itself,
    "never ends": never_ends,
    "is no awaitable": NoIterator,
    "yields something else": YieldsSomethingElse,
    "is no awaitable at all": lambda: 5,  # type: ignore[dict-item, return-value]  # that is the mistake
}


@pytest.mark.parametrize("broken", BROKEN)
async def test_what_fails_is_an_exception_of_the_pipeline_which_goes_on(broken: str) -> None:
    watched = Watched(gives(1), BROKEN[broken](), gives(3))
    await asyncio.wait_for(drive(watched), 5)
    first, failure, last = watched.outcomes
    assert (first, last) == (1, 3)
    assert isinstance(failure, Exception)


async def test_our_own_cancellation_ends_pipeline_and_function() -> None:
    ended: list[bool] = []

    async def cleans_up() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    watched, stubborn = Watched(cleans_up()), set[asyncio.Future[Any]]()
    waiting = asyncio.ensure_future(_wait_for(drive(watched, stubborn)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.sleep(0)
    assert watched.closed
    assert watched.outcomes == []
    await asyncio.sleep(0)
    assert ended == [True]
    assert not stubborn


async def _wait_for(done: asyncio.Future[None]) -> None:
    await done


async def test_a_function_that_does_not_end_when_it_is_cancelled_keeps_nobody() -> None:
    free = asyncio.Event()

    async def stubborn() -> str:
        while not free.is_set():
            try:
                await free.wait()
            except asyncio.CancelledError:
                continue
        return "too late"

    left: set[asyncio.Future[Any]] = set()
    watched = Watched(stubborn(), gives(2))
    await asyncio.wait_for(drive(watched, left), 5)
    failure, second = watched.outcomes
    assert isinstance(failure, HookFailed)
    assert str(failure) == "it did not end within 0.05 s"
    assert second == 2
    [task] = left
    free.set()
    await task
    await asyncio.sleep(0)
    assert not left


async def test_pipelines_that_pause_wait_in_one_queue() -> None:
    turns, long = Turns(most=1), [Watched(PAUSE, PAUSE) for _ in range(3)]
    dones = [drive(each, turns=turns) for each in long]
    assert len(turns) == 3
    await asyncio.wait_for(dones[2], 5)
    assert [each.outcomes for each in long] == [[None, None]] * 3


async def test_a_pipeline_that_is_cancelled_while_it_pauses_gives_its_turn_up() -> None:
    turns, long, other = Turns(), Watched(PAUSE, PAUSE), Watched(PAUSE)
    done, other_done = drive(long, turns=turns), drive(other, turns=turns)
    done.cancel()
    await asyncio.wait_for(other_done, 5)
    assert long.closed
    assert long.outcomes == []


async def test_a_pipeline_pauses_after_it_waited_and_waits_after_it_paused() -> None:
    watched = Watched(gives(1), PAUSE, gives(2), PAUSE)
    await asyncio.wait_for(drive(watched), 5)
    assert watched.outcomes == [1, None, 2, None]


async def test_a_pipeline_that_fails_says_so() -> None:
    def fails() -> Pipeline:
        yield gives(1)
        raise RuntimeError("a fault of ours")

    pipeline = fails()
    done = Driver(asyncio.get_running_loop(), pipeline, LIMIT, set(), Turns()).begin(next(pipeline))
    with pytest.raises(RuntimeError, match="a fault of ours"):
        await asyncio.wait_for(done, 5)


async def test_the_pipeline_is_told_what_a_function_raised() -> None:
    error = ValueError("of the application")
    watched = Watched(raises(error))
    await asyncio.wait_for(drive(watched), 5)
    assert watched.outcomes == [error]


async def test_a_pipeline_that_raises_a_cancellation_of_its_own_has_failed() -> None:
    def cancels() -> Pipeline:
        yield gives(1)
        raise asyncio.CancelledError

    pipeline = cancels()
    done = Driver(asyncio.get_running_loop(), pipeline, LIMIT, set(), Turns()).begin(next(pipeline))
    with pytest.raises(HookFailed):
        await asyncio.wait_for(done, 5)


async def test_a_pipeline_that_is_cancelled_and_wants_to_wait_is_closed() -> None:
    loop, closed = asyncio.get_running_loop(), list[bool]()

    def clings() -> Pipeline:
        try:
            try:
                yield loop.create_future()
            except asyncio.CancelledError:
                yield loop.create_future()
        finally:
            closed.append(True)

    pipeline = clings()
    done = Driver(loop, pipeline, LIMIT, set(), Turns()).begin(next(pipeline))
    done.cancel()
    await asyncio.sleep(0)
    assert closed == [True]


async def test_what_ended_in_time_leaves_no_timer() -> None:
    loop, timers = asyncio.get_running_loop(), list[asyncio.TimerHandle]()

    class Noting:
        create_future, create_task = loop.create_future, loop.create_task

        def call_later(self, delay: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
            timers.append(loop.call_later(delay, callback))
            return timers[-1]

    watched = Watched(gives(1), gives(2))
    noting: Any = Noting()
    await asyncio.wait_for(
        Driver(noting, watched.pipeline, 60.0, set(), Turns()).begin(next(watched.pipeline)), 5
    )
    assert watched.outcomes == [1, 2]
    assert [timer.cancelled() for timer in timers] == [True, True]


# --- Through a whole bus ---


def bus_of(place: str, broken: Callable[[], Awaitable[Any]]) -> Bus:
    """Return a bus with a function that waits for *broken* at *place*."""
    bus = Bus(settings=Settings(max_hook_time=LIMIT, max_call_time=LIMIT, timeout=0.1))

    async def publish(caller: Caller, data: object) -> None:
        await broken()

    async def subscribe(caller: Caller) -> None:
        await broken()

    async def session(session: object) -> None:
        await broken()

    async def identify(handshake: object) -> Identity:
        await broken()
        return Identity("me")

    {
        "on_publish": bus.on_publish("/a"),
        "on_subscribe": bus.on_subscribe("/a"),
        "rpc": bus.rpc("/call"),
        "service": bus.service("/call"),
        "on_join": bus.on_join,
        "on_leave": bus.on_leave,
        "authenticate": bus.authenticate,
    }[place](
        {"on_subscribe": subscribe, "on_join": session, "on_leave": session, "authenticate": identify}.get(
            place, publish
        )
    )
    return bus


@pytest.mark.parametrize("broken", ["cancels an inner task", "cancels itself", "never ends"])
@pytest.mark.parametrize(
    "place", ["on_publish", "on_subscribe", "rpc", "service", "on_join", "on_leave", "authenticate"]
)
async def test_a_client_is_answered_whatever_an_async_function_does(place: str, broken: str) -> None:
    bus = bus_of(place, BROKEN[broken])
    async with Poller.inside(bus) as client, Poller.inside(bus) as other:
        reply = await asyncio.wait_for(client.handshake(), 5)
        assert reply["successful"] is (place != "authenticate")
        if place == "authenticate":
            assert reply["error"] == "403::handshake_denied"
            return
        await client.connect()
        subscribed = await asyncio.wait_for(client.subscribe("/a"), 5)
        assert subscribed["successful"] is (place != "on_subscribe")
        published = await asyncio.wait_for(client.publish("/a", 1), 5)
        assert published["successful"] is (place != "on_publish")
        if place == "rpc":
            answer = await asyncio.wait_for(client.call("/call"), 5)
            assert answer["data"] == {"code": 500, "message": "The call failed on the server."}
        if place == "service":
            [accepted] = await asyncio.wait_for(client.send({"channel": "/service/call", "data": 1}), 5)
            assert accepted["successful"]
        await client.send({"channel": "/meta/disconnect"})

        await other.begin()
        polled = await asyncio.wait_for(other.connect(), 5)  # the timer lives
        assert polled[-1]["successful"]
    await bus.close()


async def test_the_timer_survives_what_ends_the_process_in_a_plain_function() -> None:
    """A `KeyboardInterrupt` is not the function's own, so it goes through; the bus can go on after it."""
    bus = Bus(settings=Settings(max_interval=0.05))
    loop, reported = asyncio.get_running_loop(), list[str]()
    loop.set_exception_handler(lambda loop, context: reported.append(context["message"]))
    bus.open()

    @bus.on_leave
    def interrupted(session: object) -> None:
        raise KeyboardInterrupt

    async with Poller.inside(bus) as client:
        await client.begin()
        core = bus.loop.core
        deadline = core.next_deadline()
        assert deadline is not None
        with pytest.raises(KeyboardInterrupt):
            core.advance(deadline + 1)
        assert not core.sessions
        await client.begin()
        assert core.next_deadline() is not None
    await bus.close()
