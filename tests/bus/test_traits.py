"""While something about a session or the bus is unusual, its connects take the normal path."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from mirant.bayeux.messages import Message
from mirant.bus.extension import Extension
from mirant.bus.identity import Identity
from mirant.bus.request import Request
from mirant.bus.session import Session
from mirant.bus.traits import CLOSING, RENEWING, WATCHED
from mirant.testing import PollingClient, World
from mirant.transports.long_polling import Exchange


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> PollingClient:
    return world.polling(cookies=False).enter()


def is_plain(client: PollingClient) -> bool:
    """Whether a plain connect of *client* is held on the short path. It hangs up afterwards."""
    message = client.message("/meta/connect", connectionType="long-polling")
    exchange = Exchange(client.world.core, Request(), lambda response: True)
    known = client.world.core.hold_plain(json.dumps([message]).encode(), exchange, client.world.now, None)
    client.world.core.detach(exchange, client.world.now)
    client.world.settle()
    return known is not None


class Watching(Extension):
    """Sees every message."""

    def incoming(self, message: Message, turn: object, now: float) -> None:
        return None


def test_a_session_about_which_nothing_is_unusual_is_plain(client: PollingClient) -> None:
    assert is_plain(client)
    assert client.session.traits == 0
    assert is_plain(client)


# --- The bus ---


def test_not_while_the_server_closes(world: World, client: PollingClient) -> None:
    world.core.close(world.now)
    assert not is_plain(client)
    world.core.reopen()
    assert is_plain(client)


def test_not_while_connects_may_bring_fresh_credentials(world: World, client: PollingClient) -> None:
    world.core.hooks.renew = lambda session, message, request: None
    assert not is_plain(client)
    world.core.hooks.renew = None
    assert is_plain(client)


def test_not_while_an_extension_sees_connects(world: World, client: PollingClient) -> None:
    world.use(Watching())
    assert not is_plain(client)
    world.core.extensions.set([])
    assert is_plain(client)


@pytest.mark.parametrize("first", [CLOSING, RENEWING, WATCHED])
def test_the_end_of_one_reason_does_not_end_another(world: World, client: PollingClient, first: int) -> None:
    begin: dict[int, Callable[[], object]] = {
        CLOSING: lambda: world.core.close(world.now),
        RENEWING: lambda: setattr(world.core.hooks, "renew", lambda session, message, request: None),
        WATCHED: lambda: world.use(Watching()),
    }
    end: dict[int, Callable[[], object]] = {
        CLOSING: world.core.reopen,
        RENEWING: lambda: setattr(world.core.hooks, "renew", None),
        WATCHED: lambda: world.core.extensions.set([]),
    }
    for each in begin.values():
        each()
    for trait in sorted(end, key=lambda trait: trait != first):
        assert not is_plain(client)
        end[trait]()
    assert is_plain(client)


# --- The session ---


def never_hold(session: Session) -> None:
    session.timeout = 0


def hold_again(session: Session) -> None:
    session.timeout = 30


def extend(session: Session) -> None:
    session.extensions = (Extension(),)


def extend_no_more(session: Session) -> None:
    session.extensions = ()


def deliver_with_connects_only(session: Session) -> None:
    session.connect_only = True


def deliver_with_everything(session: Session) -> None:
    session.connect_only = False


def advise_for_sockets(session: Session) -> None:
    session.advise("websocket")


def advise_for_polls(session: Session) -> None:
    session.advise("long-polling")


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (never_hold, hold_again),
        (extend, extend_no_more),
        (deliver_with_connects_only, deliver_with_everything),
        (advise_for_sockets, advise_for_polls),
    ],
)
def test_not_while_the_session_is_unusual(
    client: PollingClient, begin: Callable[[Session], None], end: Callable[[Session], None]
) -> None:
    assert is_plain(client)
    begin(client.session)
    begin(client.session)
    assert not is_plain(client)
    end(client.session)
    assert is_plain(client)


def test_not_before_the_first_connect(world: World) -> None:
    client = world.polling(cookies=False)
    client.handshake()
    assert not is_plain(client)
    client.connect()
    assert is_plain(client)


def test_not_while_it_is_linked_to_a_socket(world: World, client: PollingClient) -> None:
    socket = world.socket(client)
    socket.connect()
    assert not is_plain(client)
    socket.drop()
    assert not is_plain(client)  # its client has the advice for sockets
    client.connect().hang_up()
    assert is_plain(client)


def test_not_after_its_end(world: World, client: PollingClient) -> None:
    world.dismiss(client.session)
    assert not is_plain(client)


def test_an_identity_is_not_unusual(world: World) -> None:
    world.services.authenticate(lambda handshake: Identity("alice"))
    assert is_plain(world.polling(cookies=False).enter())
