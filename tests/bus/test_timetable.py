"""A session is looked at at the nearest of its times, and the host is woken for that."""

from __future__ import annotations

import pytest

from mirant.bus.deadlines import GRANULARITY
from mirant.bus.hooks import Pipeline
from mirant.bus.record import SessionRecord
from mirant.bus.session import Session
from mirant.bus.timetable import Timetable
from mirant.options.settings import Settings


class Alarm:
    """A host that keeps the times at which it is to wake the bus."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def check(self) -> None:
        raise AssertionError("a timetable is used by the bus alone")

    def flush_soon(self) -> None:
        raise AssertionError("a timetable sends nothing")

    def wake_at(self, when: float) -> None:
        self.times.append(when)

    def background(self, pipeline: Pipeline) -> None:
        raise AssertionError("a timetable runs nothing")


@pytest.fixture
def alarm() -> Alarm:
    return Alarm()


@pytest.fixture
def timetable(alarm: Alarm) -> Timetable:
    return Timetable(alarm)


@pytest.fixture
def session() -> Session:
    return make_session("one")


def make_session(name: str) -> Session:
    record = SessionRecord(
        id=name, timeout=30.0, interval=0.0, max_interval=10.0, echo=True, connect_only=False
    )
    return Session(record, Settings())


def looked_at(timetable: Timetable, session: Session) -> float:
    """Call `due` whenever the timetable says; return the time at which *session* is found."""
    while (when := timetable.next()) is not None:
        if session in timetable.due(when):
            return when
    raise AssertionError("it is never looked at")


def near(when: float) -> object:
    """Return what equals *when*, or a time that is later by less than the granularity."""
    return pytest.approx(when + GRANULARITY / 2, abs=GRANULARITY / 2 + 1e-6)


def test_a_session_is_looked_at_when_it_was_to_be(timetable: Timetable, session: Session) -> None:
    timetable.wait(session, 10.0)
    assert timetable.due(9.9) == []
    assert timetable.due(10.1) == [session]
    assert timetable.next() is None


def test_the_host_is_woken_for_the_first_of_all_and_for_an_earlier_one(
    timetable: Timetable, alarm: Alarm
) -> None:
    first, second, third = (make_session(name) for name in ("first", "second", "third"))
    timetable.wait(first, 10.0)
    timetable.wait(second, 20.0)
    timetable.wait(third, 5.0)
    timetable.wait(third, 30.0)
    assert alarm.times == [10.0, 5.0]


def test_putting_off_makes_it_later_and_never_earlier(timetable: Timetable, session: Session) -> None:
    timetable.wait(session, 10.0)
    timetable.put_off(session, 5.0)
    assert session.until == 10.0
    timetable.put_off(session, 20.0)
    assert session.until == 20.0
    assert looked_at(timetable, session) == near(20.0)


def test_a_lazy_message_makes_it_earlier_and_the_first_one_decides(
    timetable: Timetable, session: Session
) -> None:
    timetable.wait(session, 10.0)
    timetable.wait_lazily(session, 4.0)
    timetable.wait_lazily(session, 3.0)
    timetable.wait_lazily(session, 6.0)
    assert looked_at(timetable, session) == near(3.0)


def test_it_is_asked_once_whether_a_lazy_message_is_due(timetable: Timetable, session: Session) -> None:
    assert not timetable.is_lazy_due(session, 100.0)
    timetable.wait_lazily(session, 4.0)
    assert not timetable.is_lazy_due(session, 3.9)
    assert timetable.is_lazy_due(session, 4.0)
    assert not timetable.is_lazy_due(session, 100.0)


def test_a_session_that_waits_again_keeps_the_time_of_its_lazy_message(
    timetable: Timetable, session: Session
) -> None:
    timetable.wait_lazily(session, 4.0)
    timetable.wait(session, 10.0)
    assert looked_at(timetable, session) == near(4.0)


def test_after_its_lazy_message_it_is_looked_at_when_it_was_to_be(
    timetable: Timetable, session: Session
) -> None:
    timetable.wait(session, 10.0)
    timetable.wait_lazily(session, 4.0)
    assert timetable.is_lazy_due(session, looked_at(timetable, session))
    timetable.resume(session)
    assert looked_at(timetable, session) == near(10.0)


@pytest.mark.parametrize(("until", "identity_until"), [(10.0, 7.0), (7.0, 10.0)])
def test_the_end_of_an_identity_counts_if_it_comes_first(
    timetable: Timetable, session: Session, until: float, identity_until: float
) -> None:
    timetable.expire(session, identity_until)
    timetable.wait(session, until)
    assert looked_at(timetable, session) == near(7.0)


def test_a_session_that_was_removed_is_not_looked_at(timetable: Timetable, session: Session) -> None:
    timetable.wait(session, 10.0)
    timetable.wait_lazily(session, 4.0)
    timetable.remove(session)
    timetable.remove(session)
    assert timetable.next() is None
    assert timetable.due(100.0) == []
