"""Sessions that are opened, adopted and identified, and what their links are told at the end."""

from __future__ import annotations

import pytest

from mirant.bus.extension import Extension
from mirant.bus.identity import Identity
from mirant.bus.record import SessionRecord
from mirant.bus.request import Request
from mirant.extensions.ack import Ack, AckRecord
from mirant.testing import World
from mirant.testing.sockets import FakeConnection
from mirant.transports.long_polling import Exchange
from tests.policy.rulebooks import rulebook


@pytest.fixture
def world() -> World:
    return World().use(Ack())


def record(advised: str | None = None, extensions: dict[str, object] | None = None) -> SessionRecord:
    return SessionRecord(
        id="one",
        timeout=30.0,
        interval=0.0,
        max_interval=10.0,
        echo=True,
        connect_only=False,
        advised=advised,
        extensions=extensions,
    )


@pytest.mark.parametrize("advised", ["long-polling", None])
def test_the_client_of_an_adopted_session_gets_our_advice_if_it_does_not_have_it(
    world: World, advised: str | None
) -> None:
    world.core.adopt(record(advised))
    client = world.polling()
    client.client_id = "one"
    poll = client.connect()
    world.advance(30.1)
    assert ("advice" in poll.reply) is (advised is None)


@pytest.mark.parametrize(("advised", "short"), [("long-polling", True), ("websocket", False)])
def test_an_adopted_session_polls_in_the_short_way_if_it_has_our_advice_for_that(
    advised: str, *, short: bool
) -> None:
    world = World()
    world.core.adopt(record(advised))
    body = b'[{"channel":"/meta/connect","clientId":"one","connectionType":"long-polling","id":"7"}]'
    exchange = Exchange(world.core, Request(), lambda response: True)
    assert (world.core.hold_plain(body, exchange, world.now, None) is not None) is short


def test_what_extensions_negotiated_for_an_adopted_session_is_theirs_again(world: World) -> None:
    session = world.core.adopt(record(extensions={"ack": {"answer": 7}}))
    assert session.negotiated("ack") == AckRecord(answer=7)


def test_a_client_has_our_advice_with_its_handshake(world: World) -> None:
    client = world.polling()
    client.handshake()
    assert client.session.record.advised == "long-polling"
    assert "advice" not in client.connect().reply


def test_an_identity_runs_out_and_one_without_an_end_does_not(world: World) -> None:
    session = world.polling().enter().session
    sessions = world.core._sessions
    assert sessions.identify(session, Identity("alice", valid_for=5.0), world.now)
    assert session.identity_until == world.now + 5.0
    assert not sessions.identify(session, Identity("alice", valid_for=5.0), world.now + 1)
    assert session.identity_until == world.now + 6.0
    assert sessions.identify(session, None, world.now)
    assert session.identity_until == float("inf")


def test_somebody_else_keeps_only_what_the_rules_allow_him(world: World) -> None:
    world.enforce(rulebook('[[channel]]\nmatch = "/a"\ncreate = "anyone"\nsubscribe = "user:alice"'))
    world.core.hooks.authenticate = lambda message, request: Identity("alice")
    client = world.socket().enter()
    assert client.subscribe("/a")["successful"]
    world.core._enforcing.identify(client.session, Identity("alice"), world.now)
    assert client.session.subscriptions
    world.core._enforcing.identify(client.session, Identity("bob"), world.now)
    assert not client.session.subscriptions


class LastingConnection(FakeConnection):
    """A connection that is of no use without its session."""

    ends_with_session = True


def test_a_link_that_is_of_no_use_without_its_session_is_closed_with_it(world: World) -> None:
    client = world.socket().enter()
    link = LastingConnection(world.core, client.connection.request, lambda payload: None)
    world.core.attach(client.session, link)
    world.core.dismiss(client.session)
    assert link.closed is not None
    assert link.closed[0] == 1000


def test_a_full_outbox_is_told_to_the_link(world: World) -> None:
    client = world.socket().enter()
    client.subscribe("/a")
    client.stall()
    client.session.outbox.limit = 60
    for number in range(5):
        world.publish("/a", number)
    assert client.closed is not None
    assert client.closed[0] == 1008
    assert world.is_empty()


def test_what_an_extension_keeps_without_a_type_stays_as_it_was_read(world: World) -> None:
    class Plain(Extension):
        key = "plain"

    world.core.extensions.add(Plain())
    session = world.core.adopt(record(extensions={"plain": {"answer": 7}}))
    assert session.negotiated("plain") == {"answer": 7}
