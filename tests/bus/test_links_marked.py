"""What a session's link is to the rest of the bus: where deliveries go, and who may take it."""

from __future__ import annotations

import pytest

from mirant.bus.request import Request
from mirant.bus.session import Session
from mirant.testing import PollingClient, SocketClient, World
from mirant.transports.long_polling import Exchange


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def socket(world: World) -> SocketClient:
    client = world.socket().enter()
    client.subscribe("/a")
    return client


def is_held_in_the_short_way(world: World, client: PollingClient | SocketClient) -> bool:
    """Send a plain connect by long-polling for the session of *client*; return whether it is held at once."""
    body = b'[{"channel":"/meta/connect","clientId":"%b","connectionType":"long-polling","id":"7"}]' % (
        client.session.id.encode()
    )
    exchange = Exchange(world.core, Request({}), lambda response: True)
    return world.core.hold_plain(body, exchange, world.now, None) is not None


def test_a_poll_of_a_session_with_a_link_is_not_held_in_the_short_way(
    world: World, socket: SocketClient
) -> None:
    session: Session = socket.session
    session.advise("long-polling")
    assert world.core._windows.admits(session)
    assert not is_held_in_the_short_way(world, socket)


def test_a_session_that_lost_its_link_polls_like_any_other(world: World, socket: SocketClient) -> None:
    polling = world.polling(cookies=False)
    polling.client_id = socket.client_id
    polling.connect(advice={"timeout": 0})
    assert socket.closed is not None
    assert is_held_in_the_short_way(world, polling)


def test_a_connection_that_breaks_after_its_session_ended_concerns_nobody(
    world: World, socket: SocketClient
) -> None:
    world.publish("/a", 1)
    socket.stall()
    world.publish("/a", 2)
    world.dismiss(socket.session)
    socket.drop()
    assert world.core.next_deadline() is None
    assert world.is_empty()


def test_what_a_broken_connection_did_not_send_is_given_to_the_poll_that_is_held(world: World) -> None:
    polling = world.polling().enter()
    polling.subscribe("/a")
    poll = polling.connect()
    socket = world.socket(polling)
    socket.publish("/other", 0)
    socket.stall()
    world.publish("/a", 1)
    assert poll.held
    socket.drop()
    assert poll.messages[0] == {"channel": "/a", "data": 1}
