"""Who may do what: a table of rule sets, identities, operations and channels, and what the rules say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirant.bayeux.channels import Channel, Pattern
from mirant.policy.decisions import decide, decide_subscription
from mirant.policy.rulebook import Rulebook
from mirant.policy.rules import Operation, read_rules
from tests.policy.rulebooks import identity, rulebook

# Each block is a rule set, then lines of: who, operation, the channels on which it is allowed, and after a
# bar those on which it is denied. `-` is a client without identity.
TABLE = [
    (
        "nothing is said",
        """
        [[channel]]
        match = "/only"
        subscribe = "anyone"
        """,
        """
        -      subscribe  /only                       | /other /only/x /on /onlyx /* /** /only/* /only/**
        -      publish                                | /only /other
        -      call                                   | /service/x /service/only
        alice  subscribe  /only                       | /other /only/x
        alice  publish                                | /only
        root+admin publish                            | /only /other
        -      create     /only /other
        """,
    ),
    (
        "everything",
        """
        [[channel]]
        match = "/**"
        subscribe = "anyone"
        publish = "anyone"
        call = "anyone"
        """,
        """
        -      subscribe  /a /a/b /a/* /a/** /* /** /a/b/c/d/e
        -      publish    /a /a/b/c
        -      call       /service/echo /service/a/b
        alice  subscribe  /** /a
        """,
    ),
    (
        "a wildcard does not get round a rule",
        """
        [[channel]]
        match = "/**"
        subscribe = "anyone"
        publish = "anyone"
        [[channel]]
        match = "/secret/x"
        subscribe = "role:spy"
        publish = "server"
        """,
        """
        -          subscribe /secret/y /secret/x/z /a/* /a/** /secret/x/* /secret/x/** /secret/y/**
        -          subscribe | /secret/x /secret/* /secret/** /**
        -          subscribe  /*
        bond+spy   subscribe  /secret/x /secret/* /secret/** /** /*
        bond+clerk subscribe  /secret/y | /secret/x /secret/* /secret/** /**
        bond+spy   publish    /secret/y /a | /secret/x
        -          publish    /secret/x/z | /secret/x
        """,
    ),
    (
        "the first most specific rule decides",
        """
        [[channel]]
        match = "/shop/**"
        subscribe = "authenticated"
        publish = "role:staff"
        [[channel]]
        match = "/shop/*"
        subscribe = "anyone"
        [[channel]]
        match = "/shop/offers/today"
        subscribe = "user:dora"
        publish = "user:dora"
        [[channel]]
        match = "/shop/{area}/today"
        subscribe = "role:vip"
        """,
        """
        -          subscribe /shop/a /shop/offers /shop/*
        -          subscribe | /shop /shop/a/b /shop/a/today /shop/offers/today /shop/**
        alice      subscribe /shop/a/b /shop/a/b/c /shop/x/y/*
        alice      subscribe | /shop /shop/a/today /shop/offers/today /shop/** /shop/x/* /shop/offers/*
        alice      subscribe | /shop/x/**
        alice+vip  subscribe /shop/a/today /shop/x/* /shop/x/**
        alice+vip  subscribe | /shop/offers/today /shop/offers/* /shop/**
        dora       subscribe  /shop/offers/today                   | /shop/a/today /shop/offers/*
        dora+vip   subscribe  /shop/offers/* /shop/** /shop/offers/**
        dora       publish    /shop/offers/today                   | /shop/a /shop/a/today
        sam+staff  publish    /shop/a /shop/a/b /shop/a/today      | /shop/offers/today /shop
        """,
    ),
    (
        "a rule for everything is not for the protocol",
        """
        [[channel]]
        match = "/**"
        call = "authenticated"
        """,
        """
        -      call  /meta/handshake | /service/x
        alice  call  /meta/handshake /service/x
        """,
    ),
    (
        "self",
        """
        [[channel]]
        match = "/users/{user}/**"
        subscribe = "self"
        publish = ["server", "role:postman"]
        [[channel]]
        match = "/users/{user}/public"
        subscribe = "anyone"
        publish = "self"
        """,
        """
        alice      subscribe /users/alice/inbox /users/alice/a/b /users/alice/** /users/alice/*
        alice      subscribe /users/bob/public /users/alice/a/*
        alice      subscribe | /users/bob/inbox /users/bob/** /users/bob/* /users/** /users/* /users
        alice      subscribe | /users/alice
        -     subscribe /users/alice/public | /users/alice/inbox /users/-/inbox /users/** /users/alice/*
        bob        subscribe /users/bob/inbox
        bob        subscribe | /users/alice/inbox /users/Bob/inbox /users/bobby/inbox /users/bo/inbox
        alice publish   /users/alice/public | /users/bob/public /users/alice/inbox
        pat+postman publish /users/alice/inbox /users/bob/x/y | /users/alice/public
        """,
    ),
    (
        "deny",
        """
        [[channel]]
        match = "/chat/{room}"
        subscribe = { allow = "authenticated", deny = ["role:banned", "user:mallory"] }
        publish = { allow = ["role:member", "role:admin"], deny = "role:muted" }
        [[channel]]
        match = "/home/{user}"
        subscribe = { allow = "authenticated", deny = "self" }
        """,
        """
        alice               subscribe /chat/a /chat/* | /chat /chat/a/b /chat/**
        alice+banned        subscribe | /chat/a /chat/*
        mallory             subscribe | /chat/a /chat/*
        mallory+admin       subscribe | /chat/a
        -                   subscribe | /chat/a
        alice+member        publish   /chat/a
        alice+admin         publish   /chat/b
        alice+member+muted  publish   | /chat/a
        alice+admin+muted   publish   | /chat/a
        alice               publish   | /chat/a
        alice               subscribe /home/bob | /home/alice /home/*
        """,
    ),
    (
        "claims",
        """
        [[channel]]
        match = "/org/acme"
        subscribe = "claim:org=acme"
        publish = ["claim:level=3", "claim:org=umbrella"]
        """,
        """
        a{org=acme}          subscribe /org/acme
        a{org=Acme}          subscribe | /org/acme
        a{org=acme2}         subscribe | /org/acme
        a{other=acme}        subscribe | /org/acme
        a+acme               subscribe | /org/acme
        a                    subscribe | /org/acme
        -                    subscribe | /org/acme
        a{level=3}           publish   /org/acme
        a{level=33}          publish   | /org/acme
        a{org=umbrella}      publish   /org/acme
        """,
    ),
    (
        "service channels and the handshake",
        """
        [[channel]]
        match = "/meta/handshake"
        call = { allow = "anyone", deny = "user:mallory" }
        [[channel]]
        match = "/service/**"
        call = "authenticated"
        [[channel]]
        match = ["/service/echo", "/service/time/*"]
        call = "anyone"
        [[channel]]
        match = "/service/admin/**"
        call = "role:admin"
        """,
        """
        -          call      /service/echo /service/time/now /meta/handshake
        -          call      | /service/x /service/admin/x /service/time /service/time/a/b
        alice      call      /service/x /service/a/b /service/echo /meta/handshake
        alice      call      | /service/admin/x /service/admin/a/b
        root+admin  call /service/admin/x
        mallory     call /service/x | /meta/handshake
        alice       subscribe | /** /service2 /x
        alice       publish | /servicex
        """,
    ),
    (
        "creation",
        """
        [[channel]]
        match = "/rooms/**"
        create = "role:admin"
        subscribe = "anyone"
        publish = "anyone"
        [[channel]]
        match = "/rooms/free/*"
        create = "anyone"
        """,
        """
        -          create  /rooms/free/x /elsewhere | /rooms/a /rooms/a/b /rooms/free
        root+admin create  /rooms/a /rooms/a/b
        -          subscribe /rooms/a /rooms/** /rooms/free/x | /elsewhere /**
        """,
    ),
    (
        "gaps between rules",
        """
        [[channel]]
        match = ["/a/*", "/a/{x}/**", "/b/{x}/{y}"]
        subscribe = "anyone"
        [[channel]]
        match = "/c/**"
        publish = "anyone"
        [[channel]]
        match = "/{any}/log"
        publish = "server"
        """,
        """
        -          subscribe /a/b /a/b/c /a/* /a/b/* /a/b/** /b/x/y /b/x/*
        -          subscribe | /a /a/** /b/x /b/** /b/x/** /b/* /c/x /c/** /x/log /**
        - publish    /c/x /c/x/log | /x/log /a/b /c
        """,
    ),
    (
        "names that look alike",
        """
        [[channel]]
        match = "/Case"
        subscribe = "anyone"
        [[channel]]
        match = "/a-b/c_d/e.f"
        subscribe = "anyone"
        [[channel]]
        match = "/metadata"
        subscribe = "anyone"
        [[channel]]
        match = "/services/x"
        subscribe = "anyone"
        publish = "anyone"
        """,
        """
        -          subscribe /Case /a-b/c_d/e.f /metadata /services/x
        -          subscribe | /case /CASE /a-b/c_d /a-b /a_b/c_d/e.f /services /services/*
        - publish    /services/x
        """,
    ),
    (
        "lists, and nobody",
        """
        [[channel]]
        match = "/x"
        subscribe = []
        publish = { allow = [] }
        [[channel]]
        match = "/y"
        subscribe = ["user:a", "user:b", "role:r"]
        publish = "server"
        """,
        """
        -    subscribe | /x /y
        a+r  subscribe /y | /x
        a    subscribe /y | /x
        b    subscribe /y
        c    subscribe | /y
        c+r  subscribe /y
        a    publish | /x /y
        server publish | /y
        """,
    ),
]


def _cases() -> Iterator[object]:
    for name, rules, lines in TABLE:
        for line in filter(str.strip, lines.splitlines()):
            allowed, _, denied = line.partition("|")
            who, operation, *channels = allowed.split()
            for channel, verdict in [(each, True) for each in channels] + [
                (each, False) for each in denied.split()
            ]:
                spelt = f"{name}: {who} {'may' if verdict else 'may not'} {operation} {channel}"
                yield pytest.param(rules, who, Operation(operation), channel, verdict, id=spelt)


CASES = list(_cases())


def test_the_table_has_the_cases_it_promises() -> None:
    assert len(CASES) >= 200


@pytest.mark.parametrize(("rules", "who", "operation", "channel", "verdict"), CASES)
def test_the_rules_decide(rules: str, who: str, operation: Operation, channel: str, verdict: bool) -> None:  # noqa: FBT001
    book = rulebook(rules)
    if operation is Operation.SUBSCRIBE:
        decision = decide_subscription(book, Pattern.parse(channel), identity(who))
    else:
        decision = decide(book, operation, Channel.parse(channel), identity(who))
    assert decision.allowed is verdict


def test_a_decision_names_its_rule() -> None:
    book = rulebook(
        '[[channel]]\nmatch="/**"\nsubscribe="anyone"\n[[channel]]\nmatch="/a/{b}"\nsubscribe="role:x"'
    )
    assert decide_subscription(book, Pattern.parse("/**"), None).rule == "/a/{b}@2"
    assert decide_subscription(book, Pattern.parse("/c"), None).rule == "/**@1"
    assert decide(book, Operation.PUBLISH, Channel.parse("/c"), None).rule == "none"


# --- Whatever the rules: nobody gets what they may not subscribe to ---

segments = st.sampled_from(["a", "b", "alice", "bob"])
names = st.lists(segments, min_size=1, max_size=4).map(lambda found: "/" + "/".join(found))
patterns = st.builds(
    lambda found, end: "/" + "/".join([*found, end] if end else found or ["a"]),
    st.lists(segments, max_size=3),
    st.sampled_from(["", "*", "**"]),
)
people = st.sampled_from(["anyone", "authenticated", "server", "user:alice", "role:r", "self"])
permissions = st.builds(
    lambda allow, deny: {"allow": allow, "deny": [who for who in deny if who != "server"]},
    st.lists(people, max_size=2),
    st.lists(people, max_size=1),
)
matches = st.builds(
    lambda found, end: "/" + "/".join([*found, end] if end else found or ["{user}"]),
    st.lists(st.sampled_from(["a", "b", "alice", "{user}", "{x}"]), max_size=3, unique=True),
    st.sampled_from(["", "*", "**"]),
)
tables = st.builds(lambda match, subscribe: {"match": match, "subscribe": subscribe}, matches, permissions)


def _rules_of(found: list[dict[str, object]]) -> Rulebook:
    """Return the rules that make sense; overlaps that a file may not have are decided by rank."""
    from pathlib import Path

    kept = []
    for table in found:
        rules, faults = read_rules([table], Path(), lambda path: 1)
        if not faults:
            kept += rules
    return Rulebook(kept)


@given(st.lists(tables, max_size=6), patterns, names, st.sampled_from(["-", "alice", "bob+r", "alice+r"]))
def test_no_subscription_gets_a_message_whose_channel_it_may_not_subscribe_to(
    found: list[dict[str, object]], pattern: str, name: str, who: str
) -> None:
    book = _rules_of(found)
    subscription, channel = Pattern.parse(pattern), Channel.parse(name)
    if (
        not subscription.matches(channel)
        or not decide_subscription(book, subscription, identity(who)).allowed
    ):
        return
    assert decide_subscription(book, Pattern.parse(name), identity(who)).allowed
