"""The one door out: in which order things leave, and what becomes of what could not leave."""

from __future__ import annotations

import pytest

from mirant.testing import SocketClient, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> SocketClient:
    client = world.socket().enter()
    client.subscribe("/a")
    return client


def test_answers_to_many_messages_come_in_frames_of_at_most_32_kib(
    world: World, client: SocketClient
) -> None:
    before = len(client.frames)
    client.send(*[client.message("/" + "x" * 200, data=1) for _ in range(500)])
    replies = client.frames[before:]
    assert sum(map(len, replies)) == 500
    assert len(replies) > 1
