"""Putting rules in force: sessions lose what the rules do not allow, and their clients are told."""

from __future__ import annotations

import logging

import pytest

from mirant.bayeux.channels import Pattern
from mirant.bus.enforcing import REVOKED
from mirant.bus.identity import Identity
from mirant.testing import World
from tests.policy.rulebooks import rulebook

OPEN = """
[[channel]]
match = "/**"
create = "anyone"
subscribe = "anyone"
publish = "anyone"
"""

MEMBERS = (
    OPEN
    + """
[[channel]]
match = "/members/*"
subscribe = "role:member"
"""
)


@pytest.fixture
def world() -> World:
    return World()


def test_what_new_rules_allow_stays_and_nothing_is_told(world: World) -> None:
    client = world.socket().enter()
    client.subscribe(["/a", "/b/*"])
    world.enforce(rulebook(OPEN))
    assert client.data == []
    assert {pattern.name for pattern in client.session.subscriptions} == {"/a", "/b/*"}


def test_what_new_rules_do_not_allow_is_taken_and_told_in_one_message(world: World) -> None:
    client, other = world.socket().enter(), world.socket().enter()
    names = [f"/members/{letter}" for letter in "hgfedcba"]
    client.subscribe([*names, "/a"])
    other.subscribe("/a")
    world.enforce(rulebook(MEMBERS))
    assert client.deliveries == [{"channel": REVOKED, "data": {"subscriptions": names[::-1]}}]
    assert other.deliveries == []
    assert client.session.subscriptions == {Pattern.parse("/a")}
    world.publish("/members/a", 1)
    world.publish("/a", 2)
    assert client.data[1:] == [2]


def test_the_same_rules_again_take_nothing_a_second_time(world: World) -> None:
    client = world.socket().enter()
    client.subscribe(["/members/a", "/a"])
    for _ in range(3):
        world.enforce(rulebook(MEMBERS))
    assert len(client.deliveries) == 1


def test_without_rules_everything_stays_and_everything_is_allowed_again(world: World) -> None:
    client = world.socket().enter()
    world.enforce(rulebook(MEMBERS))
    assert not client.subscribe("/members/a")["successful"]
    world.core.enforce(None)
    assert client.subscribe("/members/a")["successful"]
    assert client.data == []


def test_who_becomes_somebody_else_loses_what_only_the_former_had(world: World) -> None:
    client = world.socket()
    fresh = [Identity("alice", frozenset({"member"}), valid_for=600)]
    world.services.authenticate(lambda handshake: fresh[0])
    world.core.hooks.renew = lambda session, message, request: fresh[0]
    world.enforce(rulebook(MEMBERS))
    client.enter()
    assert client.subscribe("/members/a")["successful"]
    fresh[0] = Identity("alice", frozenset(), valid_for=600)
    client.connect()
    assert client.data == [{"subscriptions": ["/members/a"]}]
    assert client.session.identity == fresh[0]


def test_who_is_still_the_same_is_not_looked_at_again(world: World) -> None:
    identity = Identity("alice", frozenset({"member"}), valid_for=600)
    world.services.authenticate(lambda handshake: identity)
    world.core.hooks.renew = lambda session, message, request: identity
    world.enforce(rulebook(MEMBERS))
    client = world.socket().enter()
    client.subscribe("/members/a")
    client.connect()
    assert client.data == []


def test_the_audit_log_says_how_many_and_of_which_session(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    client = world.socket().enter()
    client.subscribe(["/members/a", "/members/b"])
    with caplog.at_level(logging.WARNING, "mirant.audit"):
        world.enforce(rulebook(MEMBERS))
    assert [record.getMessage() for record in caplog.records] == [
        f"subscriptions.revoked session={client.session.label} count=2"
    ]


def test_whom_the_rules_do_not_let_in_is_refused_at_the_handshake(world: World) -> None:
    world.enforce(rulebook('[[channel]]\nmatch = "/meta/handshake"\ncall = "user:alice"'))
    names = iter(["bob", "alice"])
    world.core.hooks.authenticate = lambda message, request: Identity(next(names))
    assert not world.polling().handshake()["successful"]
    assert world.polling().handshake()["successful"]


def test_what_was_taken_is_told_where_clients_listen_for_it() -> None:
    assert REVOKED == "/service/mirant/revoked"
