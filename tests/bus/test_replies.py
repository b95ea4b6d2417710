"""What leaves with an answer, and what does not."""

from __future__ import annotations

import json

import pytest

from mirant.bus.carrier import MAX_RESPONSE
from mirant.bus.request import Request
from mirant.testing import Poll, World
from mirant.transports.long_polling import Exchange
from mirant.transports.response import Response
from tests.bus.test_deliveries_counted import entered, size_of


@pytest.fixture
def world() -> World:
    return World()


def test_an_answer_that_may_not_be_read_carries_nothing(world: World) -> None:
    client = entered(world)
    world.publish("/a", 1)
    bodies: list[bytes] = []

    def answer(response: Response) -> bool:
        bodies.append(response.body)
        return True

    exchange = Exchange(world.core, Request({}), answer)
    exchange.replies_only = True
    messages = exchange.read(json.dumps([client.message("/b", data=1)]).encode())
    assert messages is not None
    world.run(world.core.receive(messages, exchange, world.now))
    assert [each["channel"] for each in json.loads(bodies[0])] == ["/b"]
    assert world.core.statistics().waiting == size_of(1)


def test_where_nothing_follows_a_handshake_no_count_is_given() -> None:
    assert "x-messages" not in World(with_handshake=True).polling().handshake()


def test_a_connection_that_is_not_the_link_of_its_session_carries_nothing(world: World) -> None:
    client = entered(world)
    world.publish("/a", 1)
    socket = world.socket(client)
    [reply] = socket.ask({"clientId": client.client_id, "id": "1"})
    assert reply["successful"] is False
    assert world.core.statistics().waiting == size_of(1)


def test_an_answer_to_a_stranger_who_is_gone_harms_nobody(world: World) -> None:
    stranger = world.polling()
    with world.tick():
        poll = stranger.send(stranger.message("/a", data=1))
        poll.is_cut = True
    assert poll.held


def test_what_waits_at_a_dismissal_arrives_though_the_client_says_something_more(world: World) -> None:
    socket = world.socket().enter()
    socket.subscribe("/a")
    socket.connect()
    socket.stall()
    world.publish("/a", 1)
    world.publish("/a", 2)
    with world.tick():
        world.dismiss(socket.session)
        socket.send(socket.message("/b", data=1))
    socket.read_on()
    assert socket.data == [1, 2]


class Eager(Poll):
    """A request whose client sends the next one in the moment of the answer."""

    def answer(self, response: Response) -> bool:
        taken = super().answer(response)
        self._client.connect()
        return taken


def test_a_client_that_polls_in_the_moment_of_an_answer_gets_the_rest(world: World) -> None:
    client = entered(world)
    for number in range(2):
        world.publish("/a", [number, "x" * (MAX_RESPONSE // 2)])
    with world.tick():
        poll = client.connect()
        assert poll.exchange is not None
        poll.exchange._answer = Eager(client).answer
    assert [number for number, _ in client.data] == [0, 1]
