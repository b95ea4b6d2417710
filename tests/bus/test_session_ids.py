"""Ids of sessions: nobody guesses one, and a process recognises those of its siblings."""

from __future__ import annotations

import pytest

from mirant.bus.session_ids import SessionIds
from mirant.testing import World

FAMILY = b"of one server"


def worker(family: bytes = FAMILY, *, siblings: bool = True) -> SessionIds:
    """Return what makes ids in a worker of *family*."""
    ids = SessionIds()
    ids.join(family, lambda: siblings)
    return ids


def test_an_id_has_128_bits_that_nobody_can_guess() -> None:
    for ids, length in ((SessionIds(), 32), (worker(), 40)):
        made = {ids.make() for _ in range(1_000)}
        assert len({each[:32] for each in made}) == 1_000
        assert {len(each) for each in made} == {length}
        assert all(int(each, 16) >= 0 for each in made)


def test_a_worker_recognises_the_ids_of_a_sibling_and_not_its_own() -> None:
    one, other = worker(), worker()
    made = [one.make() for _ in range(50)]

    assert sum(map(other.is_siblings, made)) >= 49  # a tag of 16 bits may be equal by chance
    assert not any(map(one.is_siblings, made))


def test_ids_of_another_server_or_of_a_process_that_is_no_worker_are_nobodys() -> None:
    ours = worker()
    others = [worker(b"of another server").make() for _ in range(50)]

    assert sum(map(ours.is_siblings, others)) <= 1
    assert not ours.is_siblings(SessionIds().make())
    assert not SessionIds().is_siblings(ours.make())


@pytest.mark.parametrize("text", ["", "x", "0" * 39, "é" * 40, "0" * 41, "0" * 1_000_000])
def test_what_is_no_id_is_nobodys(text: str) -> None:
    assert not worker().is_siblings(text)


def test_after_a_restart_ids_of_the_process_before_are_not_of_a_sibling() -> None:
    assert not worker(siblings=False).is_siblings(worker().make())


def test_the_client_of_a_sibling_is_logged_without_its_id(caplog: pytest.LogCaptureFixture) -> None:
    one, other = World(), World()
    for world in (one, other):
        world.core.join(FAMILY, lambda: True)
    lost = one.polling(cookies=False).enter()
    lost.world = other
    answer = lost.connect()

    assert answer.messages[0]["error"].startswith("402:")
    assert lost.client_id is not None
    assert caplog.messages == [f"session.elsewhere address=127.0.0.1 session={lost.client_id[:8]}"]
    assert lost.client_id not in caplog.text
