"""/meta/connect with a fresh credential, its bounds, and a client whose deliveries come down a stream."""

from __future__ import annotations

from typing import Any

import pytest

from mirant.bayeux.messages import Message
from mirant.bus.connecting import MAX_CLIENT_INTERVAL
from mirant.bus.contracts import Observer
from mirant.bus.identity import CredentialRefused, Identity
from mirant.bus.party import Party
from mirant.bus.request import Request
from mirant.testing import Later, PollingClient, World
from tests.policy.rulebooks import rulebook


@pytest.fixture
def world() -> World:
    return World()


def entered(world: World, valid_for: float | None = 100.0) -> PollingClient:
    """Return a client that is alice for so many seconds."""
    world.core.hooks.authenticate = lambda message, request: Identity("alice", valid_for=valid_for)
    return world.polling().enter()


def name_of(client: PollingClient) -> str | None:
    identity = client.session.identity
    return None if identity is None else identity.name


# --- A fresh credential ---


def test_a_connect_may_make_the_identity_last_longer(world: World) -> None:
    client = entered(world, 20.0)
    world.core.hooks.renew = lambda session, message, request: Identity("alice", valid_for=1_000.0)
    poll = client.connect()
    world.advance(25)
    assert poll.held
    assert client.alive


def test_without_anything_that_renews_the_identity_runs_out(world: World) -> None:
    client = entered(world, 20.0)
    poll = client.connect()
    world.advance(20.1)
    assert not poll.held
    assert not client.alive


@pytest.mark.parametrize(("valid_for", "asked"), [(100.0, True), (None, False)])
def test_an_identity_that_never_runs_out_is_not_renewed(
    world: World, valid_for: float | None, *, asked: bool
) -> None:
    client = entered(world, valid_for)
    world.core.hooks.renew = lambda session, message, request: Identity("bob")
    client.connect()
    assert name_of(client) == ("bob" if asked else "alice")


def test_a_client_without_an_identity_may_get_one(world: World) -> None:
    client = world.polling().enter()
    world.core.hooks.renew = lambda session, message, request: Identity("bob")
    assert client.connect().held
    assert name_of(client) == "bob"


def test_a_connect_without_a_credential_changes_nothing(world: World) -> None:
    client = entered(world)
    world.core.hooks.renew = lambda session, message, request: None
    assert client.connect().held
    assert name_of(client) == "alice"


def test_a_fresh_identity_has_to_be_let_in_as_by_a_handshake(world: World) -> None:
    client = entered(world)
    world.enforce(rulebook('[[channel]]\nmatch = "/meta/handshake"\ncall = "user:alice"'))
    world.core.hooks.renew = lambda session, message, request: Identity("mallory")
    poll = client.connect()
    assert poll.reply["successful"] is False
    assert name_of(client) == "alice"


def test_a_session_that_ended_while_its_credential_was_looked_at_is_unknown(world: World) -> None:
    client, later = entered(world), Later()
    world.core.hooks.renew = lambda session, message, request: later
    poll = client.connect()
    client.disconnect()
    later.resolve(Identity("alice"))
    assert poll.reply["error"] == "402::session_unknown"
    assert poll.reply["advice"] == {"reconnect": "handshake", "interval": 0}


def test_a_session_that_was_dismissed_while_its_credential_was_looked_at_is_sent_away(world: World) -> None:
    client, later = entered(world), Later()
    world.core.hooks.renew = lambda session, message, request: later
    poll = client.connect()
    world.dismiss(client.session)
    later.resolve(Identity("alice"))
    assert poll.reply["error"] == "402::session_unknown"
    assert poll.reply["advice"] == {"reconnect": "none"}


@pytest.mark.parametrize("successor", ["another", "none"])
def test_what_renews_when_the_credential_was_looked_at_decides(world: World, successor: str) -> None:
    client, later = entered(world), Later()
    world.core.hooks.renew = lambda session, message, request: later
    poll = client.connect()

    def another(party: Party, message: Message, request: Request) -> object:
        return Identity("carol")

    world.core.hooks.renew = another if successor == "another" else None
    later.resolve(Identity("bob"))
    assert poll.held
    assert name_of(client) == ("carol" if successor == "another" else "alice")


class Ears(Observer):
    """Keeps the events that an operator may look for."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str | None, dict[str, Any]]] = []

    def noted(self, event: str, party: Any, facts: Any) -> None:
        self.events.append((event, party.address, dict(facts)))


@pytest.mark.parametrize("event", ["token.forged", None])
def test_a_credential_that_is_refused_is_told_to_observers_if_it_is_an_event(
    world: World, event: str | None
) -> None:
    client, ears = entered(world), Ears()
    world.core.observers.add(ears)

    def refuse(party: Party, message: Message, request: Request) -> object:
        raise CredentialRefused("forged", event=event, facts={"why": "signature"})

    world.core.hooks.renew = refuse
    assert client.connect().reply["error"] == "404:forged:message_deleted"
    told = [each for each in ears.events if each[0] == "token.forged"]
    assert told == ([("token.forged", "127.0.0.1", {"why": "signature"})] if event else [])


# --- What a client may ask for ---


def test_a_client_may_ask_to_be_held_for_half_a_second(world: World) -> None:
    poll = world.polling().enter().connect(advice={"timeout": 500})
    assert poll.held
    world.advance(0.51)
    assert not poll.held


@pytest.mark.parametrize(("asked", "granted"), [(20_000, 20.0), (60_000, 60.0), (10**12, 60.0), (-1, 0.0)])
def test_a_client_may_pause_for_a_minute_at_most(world: World, asked: int, granted: float) -> None:
    client = world.polling().enter()
    client.connect(advice={"timeout": 0, "interval": asked})
    assert client.session.interval == granted <= MAX_CLIENT_INTERVAL


def test_a_session_lives_for_the_pause_that_its_connect_asked_for(world: World) -> None:
    client = world.polling().enter()
    client.connect(advice={"timeout": 0, "interval": 20_000})
    world.advance(29.9)
    assert client.alive
    world.advance(0.3)
    assert not client.alive


def test_while_the_server_closes_a_connect_is_told_to_come_later(world: World) -> None:
    client = world.polling().enter()
    world.core.close(world.now)
    assert client.connect().reply["advice"] == {"reconnect": "retry", "interval": 1_000, "timeout": 30_000}


# --- Beside an event stream ---


def heartbeat(client: PollingClient) -> dict[str, Any]:
    poll = client.send(client.message("/meta/connect", connectionType="eventsource"))
    reply: dict[str, Any] = poll.reply
    return reply


def test_the_connect_beside_a_stream_is_a_sign_of_life_once_per_timeout(world: World) -> None:
    client = world.polling().enter()
    advice = {"reconnect": "retry", "interval": 30_000, "timeout": 30_000}
    assert heartbeat(client)["advice"] == advice
    assert "advice" not in heartbeat(client)
    assert client.session.record.advised == "eventsource"
    world.advance(39.9)
    assert client.alive
    world.advance(0.3)
    assert not client.alive


def test_where_deliveries_leave_with_connects_only_that_beside_a_stream_is_held(world: World) -> None:
    client = world.polling().enter()
    client.session.connect_only = True
    poll = client.send(client.message("/meta/connect", connectionType="eventsource"))
    assert poll.held
    assert client.session.interval == 0
