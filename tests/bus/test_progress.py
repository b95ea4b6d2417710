"""A client that is downloading is alive: progress on a connection counts as being heard of."""

from __future__ import annotations

import pytest

from mirant.testing import World


class Busy:
    """A client that is busy for so many seconds at each look, and then no more."""

    def __init__(self, *seconds: float) -> None:
        self.seconds = list(seconds)
        self.asked: list[float] = []

    def lasts(self, now: float) -> float:
        self.asked.append(now)
        return self.seconds.pop(0) if self.seconds else 0.0


def test_a_session_lives_while_its_client_is_busy_with_an_answer() -> None:
    world = World()
    client = world.polling().enter()
    busy = Busy(20.0, 5.0)
    world.core.watch(client.session, busy)
    world.advance(9.9)
    assert busy.asked == []  # nobody asks before the session would end

    world.advance(20)
    assert client.alive
    world.advance(5)
    assert client.alive
    world.advance(0.2)
    assert world.core.sessions == {}
    assert len(busy.asked) == 3


def test_a_session_lives_while_the_peer_of_its_connection_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    client = world.socket().enter()
    busy = Busy(7.0)
    monkeypatch.setattr(type(client.connection), "lasts", lambda _, now: busy.lasts(now), raising=False)
    world.advance(16.9)
    assert client.alive
    world.advance(0.2)
    assert world.core.sessions == {}


def test_a_client_that_speaks_is_not_asked() -> None:
    world = World()
    client = world.polling().enter()
    busy = Busy(20.0)
    world.core.watch(client.session, busy)
    for _ in range(10):
        world.advance(5)
        client.publish("/a", 1)

    assert busy.asked == []


def test_a_session_that_ended_is_not_watched() -> None:
    world = World()
    client = world.polling().enter()
    session = client.session
    client.disconnect()
    world.core.watch(session, Busy())
    world.core.watch(None, Busy())

    assert session.download is None
