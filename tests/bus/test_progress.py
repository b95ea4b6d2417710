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


def test_an_empty_frame_is_a_sign_of_life() -> None:
    """A client whose socket is busy with a large frame cannot say /meta/connect before it has the frame."""
    world = World()
    client = world.socket().enter()
    for _ in range(6):
        world.advance(9)
        client.send_text(b"[]")
    assert client.alive
    world.advance(17.1)
    assert world.core.sessions == {}


def test_an_empty_frame_does_not_prolong_a_poll_that_is_held() -> None:
    world = World()
    client = world.socket().enter()
    client.connect()
    world.advance(20)
    client.send_text(b"[]")
    world.advance(world.core.settings.timeout - 20)
    assert client.messages[-1]["channel"] == "/meta/connect"


def test_an_empty_frame_of_a_stranger_keeps_no_session() -> None:
    world = World()
    client = world.socket().enter()
    session = client.session
    other = world.socket()
    for _ in range(4):
        world.advance(9)
        other.send_text(b"[]")
    assert session.ended
