"""One timer for all connections, on a clock that the test turns."""

from collections.abc import Callable

import pytest

from mirant.hosts.native.deadlines import Watch


class Timer:
    """A callback and when it is due."""

    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when = when
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """An event loop's time, without an event loop."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        self.timers.append(Timer(when, callback))
        return self.timers[-1]

    @property
    def running(self) -> list[Timer]:
        return [timer for timer in self.timers if not timer.cancelled]

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass, and call what is due."""
        self.now += seconds
        due = [timer for timer in self.running if timer.when <= self.now]
        self.timers = [timer for timer in self.running if timer.when > self.now]
        for timer in due:
            timer.callback()


class Connection:
    """Notes when it was called."""

    def __init__(self, watch: Watch, *, again: float | None = None) -> None:
        self.deadline = 0.0
        self.bucket: int | None = None
        self.calls: list[float] = []
        self._watch = watch
        self._again = again

    def overdue(self, now: float) -> None:
        self.calls.append(now)
        if self._again is not None:
            self._watch.set(self, now + self._again)


def test_a_connection_is_called_at_its_deadline_and_not_before() -> None:
    clock = Clock()
    watch = Watch(clock)
    connection = Connection(watch)
    watch.set(connection, clock.now + 10)
    clock.advance(9.9)
    assert connection.calls == []
    clock.advance(0.2)
    assert len(connection.calls) == 1
    clock.advance(100)
    assert len(connection.calls) == 1


def test_thousands_have_one_timer() -> None:
    clock = Clock()
    watch = Watch(clock)
    connections = [Connection(watch) for _ in range(5000)]
    for number, connection in enumerate(connections):
        watch.set(connection, clock.now + 20 - number % 20)
    assert len(clock.running) == 1
    for _ in range(21):
        clock.advance(1)
        assert len(clock.running) <= 1
    assert all(len(connection.calls) == 1 for connection in connections)


def test_a_deadline_that_moves() -> None:
    clock = Clock()
    watch = Watch(clock)
    later, sooner, gone = (Connection(watch) for _ in range(3))
    for connection in (later, sooner, gone):
        watch.set(connection, clock.now + 10)
    watch.set(later, clock.now + 20)
    watch.set(sooner, clock.now + 1)
    watch.remove(gone)
    clock.advance(1.1)
    assert (len(later.calls), len(sooner.calls)) == (0, 1)
    clock.advance(10)
    assert (len(later.calls), len(gone.calls)) == (0, 0)
    clock.advance(10)
    assert len(later.calls) == 1


def test_a_connection_may_ask_to_be_called_again() -> None:
    clock = Clock()
    watch = Watch(clock)
    connection = Connection(watch, again=5)
    watch.set(connection, clock.now + 5)
    for _ in range(4):
        clock.advance(5.1)
    assert len(connection.calls) == 4


def test_one_that_fails_keeps_no_other_waiting(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Connection):
        def overdue(self, now: float) -> None:
            raise ValueError("on purpose")

    clock = Clock()
    watch = Watch(clock)
    sound = [Connection(watch, again=5) for _ in range(3)]
    for connection in (sound[0], Failing(watch), *sound[1:]):
        watch.set(connection, clock.now + 5)
    clock.advance(5.1)
    clock.advance(5.1)

    assert [len(connection.calls) for connection in sound] == [2, 2, 2]
    assert [record.message for record in caplog.records] == ["connection.failed"]
