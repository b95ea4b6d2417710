"""Reading the rules of a file: what a rule says, and each fault with its place."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from mirant.policy.rules import Operation, Rule, read_rules


def read(text: str) -> tuple[list[Rule], list[str]]:
    """Return the rules of a file with this *text*, and what is said about it."""
    rules, faults = read_rules(tomllib.loads(text)["channel"], Path(), lambda path: 10 + len(path))
    return rules, [str(fault) for fault in faults]


def test_a_rule_says_what_its_table_says_and_nothing_else() -> None:
    [rule], faults = read(
        """
        [[channel]]
        match   = ["/a/*", "/b"]
        publish = "role:member"
        filters = ["no-markup"]
        lazy    = "2s"
        """
    )

    assert not faults
    assert [scope.name for scope in rule.scopes] == ["/a/*", "/b"]
    assert [key for key in ("publish", "subscribe", "filters", "lazy", "rate") if rule.says(key)] == [
        "publish",
        "filters",
        "lazy",
    ]
    assert str(rule.permissions[Operation.PUBLISH]) == "role:member"
    assert rule.limits.lazy == 2
    assert (rule.line("lazy"), rule.line(), rule.line("rate")) == (13, 13, 0)


def test_a_list_without_filters_says_that_there_are_none() -> None:
    [rule], _ = read('[[channel]]\nmatch = "/a"\nfilters = []\n')

    assert rule.says("filters")
    assert rule.filters == ()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            'match = "/a"\npublsh = []',
            "channel[0].publsh: 'publsh' is unknown in a [[channel]]; did you",
        ),
        ('match = "/a"\nzzz = 1', "channel[0].zzz: 'zzz' is unknown in a [[channel]]; there are: match, "),
        ("publish = []", "channel[0]: say which channels it is for"),
        ("match = []", "channel[0].match: [] should be a channel pattern"),
        ("match = 7", "channel[0].match: 7 should be a channel pattern"),
        ('match = ["/a", 7]', "channel[0].match[1]: 7 should be a channel pattern"),
        ('match = ["/a", "b"]', "channel[0].match[1]: 'b' is not a channel"),
        ('match = "/a"\nrate = "fast"', "channel[0].rate: 'fast' should be a rate such as"),
        ('match = "/a"\npublish = "self"', "channel[0].publish: 'self' needs a name to compare with: match"),
        ('match = "/meta/connect"\ncall = []', "of the meta channels only /meta/handshake can have a rule"),
        ('match = "/meta/handshake"\npublish = []', "/meta/handshake is called: write call ="),
        ('match = "/a"\ncall = []', "channel[0].call: /a is not a service channel"),
        ('match = "/service/a"\npublish = []', "nothing is distributed on service channels; 'call' says who"),
        ('match = "/service/a"\necho = true', "service channels; this key is about distribution"),
    ],
)
def test_faults_have_their_place(table: str, said: str) -> None:
    _, faults = read(f"[[channel]]\n{table}\n")
    assert any(said in fault for fault in faults), faults


@pytest.mark.parametrize("match", ["/{area}/x", "/**", "/service/x"])
def test_channels_that_may_be_called(match: str) -> None:
    assert read(f'[[channel]]\nmatch = "{match}"\ncall = "anyone"\n')[1] == []


@pytest.mark.parametrize("tables", [{"match": "/a"}, "/a", [{"match": "/a"}, 7]])
def test_rules_are_tables_with_two_brackets(tables: object) -> None:
    rules, [fault] = read_rules(tables, Path(), lambda path: 1)

    assert rules == []
    assert "two brackets" in str(fault)
