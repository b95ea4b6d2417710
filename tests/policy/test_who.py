"""The people that a rule means: how they are written, and the fault of a word that names nobody."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirant.bus.identity import Identity
from mirant.options.declaring import Fault
from mirant.policy.who import Permission, Who, WhoKind, read_permission
from tests.policy.rulebooks import identity


def read(value: object) -> Permission:
    faults: list[Fault] = []
    permission = read_permission(value, ("channel", 0, "publish"), faults)
    assert not faults, [str(fault) for fault in faults]
    return permission


def complaints(value: object) -> list[tuple[tuple[str | int, ...], str]]:
    faults: list[Fault] = []
    read_permission(value, ("publish",), faults)
    return [(fault.path, fault.sentence) for fault in faults]


@pytest.mark.parametrize(
    ("value", "included", "others"),
    [
        ("anyone", ["-", "alice", "alice+member"], []),
        ("authenticated", ["alice", "alice+member"], ["-"]),
        ("server", [], ["-", "alice", "server", "alice+server"]),
        ("user:alice", ["alice", "alice+x"], ["-", "Alice", "alice ", "alic", "bob+alice"]),
        ("user:a:b", ["a:b"], ["a", "b"]),
        ("role:member", ["x+member", "x+a+member"], ["-", "member", "x+Member", "x+members"]),
        ("claim:org=acme", ["x{org=acme}"], ["-", "x", "x{org=acme2}", "x{organisation=acme}", "x+acme"]),
        ("claim:url=a=b", [], ["x{url=a}"]),
        ("self", ["ann"], ["-", "bob", "Ann", "ann2"]),
        ([], [], ["-", "alice"]),
        (["user:a", "role:b"], ["a", "x+b"], ["-", "b"]),
        ({"allow": "anyone", "deny": "role:banned"}, ["-", "alice"], ["alice+banned"]),
        ({"allow": ["user:a"], "deny": ["user:a"]}, [], ["a"]),
        ({"allow": "authenticated", "deny": "self"}, ["bob"], ["ann", "-"]),
    ],
)
def test_whom_it_means(value: object, included: list[str], others: list[str]) -> None:
    permission = read(value)
    for word in included + others:
        assert permission.admits(identity(word), {"user": "ann"}) is (word in included), word


@pytest.mark.parametrize(
    ("claimed", "value", "included"),
    [
        ("acme", "acme", True),
        (3, "3", True),
        (1.5, "1.5", True),
        (True, "true", True),
        (False, "false", True),
        (True, "True", False),
        (1, "true", False),
        (["a", "acme"], "acme", True),
        (["a", 3], "3", True),
        ([["acme"]], "acme", False),
        ({"acme": 1}, "acme", False),
        (None, "None", False),
        (None, "null", False),
        ("", "acme", False),
        ("", "", True),
    ],
)
def test_claims(claimed: Any, value: str, included: bool) -> None:  # noqa: FBT001
    who = Who(WhoKind.CLAIM, value, "c")
    assert who.includes(Identity("x", frozenset(), {"c": claimed}), {}) is included


def test_a_claim_that_is_not_there_is_nobodys() -> None:
    assert Who(WhoKind.CLAIM, "None", "c").includes(Identity("x"), {}) is False


def test_self_depends_on_whose_channel_it_is() -> None:
    permission = read("self")
    assert permission.admits(Identity("ann"), {"user": "ann"})
    assert not permission.admits(Identity("ann"), {}), "of all users' channels only some are hers"
    assert not read({"allow": "anyone", "deny": "self"}).admits(Identity("ann"), {})
    assert read({"allow": "anyone", "deny": "self"}).admits(None, {})


people = st.sampled_from(["anyone", "authenticated", "server", "self", "user:ann", "role:r", "claim:c=1"])
names = st.sampled_from(["-", "ann", "bob", "ann+r", "bob{c=1}"])


@given(st.lists(people, max_size=3), st.lists(people, max_size=2), names, st.sampled_from(["ann", "bob"]))
def test_what_is_allowed_for_all_users_channels_is_allowed_for_each(
    allow: list[str], deny: list[str], word: str, user: str
) -> None:
    permission = read({"allow": allow, "deny": [who for who in deny if who != "server"]})
    if permission.admits(identity(word), {}):
        assert permission.admits(identity(word), {"user": user})


@given(st.lists(people, max_size=3), st.lists(people, max_size=2), people, names)
def test_to_deny_more_never_allows_more(allow: list[str], deny: list[str], more: str, word: str) -> None:
    denied = [who for who in deny if who != "server"]
    if more == "server" or read({"allow": allow, "deny": denied}).admits(identity(word), {"user": "ann"}):
        return
    permission = read({"allow": allow, "deny": [*denied, more]})
    assert not permission.admits(identity(word), {"user": "ann"})


@pytest.mark.parametrize(
    ("value", "path", "said"),
    [
        ("everyone", ("publish",), "'everyone' names nobody"),
        ("rol:member", ("publish",), "did you mean 'role:member'?"),
        ("Anyone", ("publish",), "did you mean 'anyone'?"),
        ("user:", ("publish",), "'user:' names nobody"),
        ("claim:org", ("publish",), "'claim:org' names nobody"),
        ("claim:=x", ("publish",), "'claim:=x' names nobody"),
        ("", ("publish",), "'' names nobody"),
        (["anyone", "memmber"], ("publish", 1), "'memmber' names nobody"),
        ([3], ("publish", 0), "3 names nobody"),
        (3, ("publish",), "3 should be one of, or a list of: "),
        (True, ("publish",), "True should be one of, or a list of: "),
        ({"deny": "role:x"}, ("publish",), "say whom it allows"),
        ({"allow": "anyone", "denny": []}, ("publish", "denny"), "'denny' is unknown here"),
        ({"allow": "anyone", "deny": "server"}, ("publish", "deny"), "the server cannot be denied"),
        ({"allow": "nobody"}, ("publish", "allow"), "'nobody' names nobody"),
        ({"allow": [], "deny": ["user"]}, ("publish", "deny", 0), "'user' names nobody"),
    ],
)
def test_what_is_nobody(value: object, path: tuple[str | int, ...], said: str) -> None:
    [(where, sentence)] = complaints(value)
    assert where == path
    assert sentence.startswith(said) or said in sentence


@pytest.mark.parametrize(
    ("value", "spelt"),
    [
        ("anyone", "anyone"),
        (["role:a", "user:b"], "role:a, user:b"),
        ("claim:org=acme", "claim:org=acme"),
        ([], "nobody"),
        ({"allow": "anyone", "deny": ["role:a", "self"]}, "anyone but not role:a, self"),
    ],
)
def test_people_are_spelt_as_in_the_file(value: object, spelt: str) -> None:
    assert str(read(value)) == spelt
