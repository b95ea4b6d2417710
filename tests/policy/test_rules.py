"""Reading the rules of a file: what a rule says, and each fault with its place."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from mirant.policy.limits import RuleLimits
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


def read_tables(*tables: object) -> tuple[list[Rule], list[tuple[tuple[str | int, ...], str]]]:
    """Read *tables*; a key stands in the line that its length gives."""
    rules, faults = read_rules(list(tables), Path(), lambda path: len(str(path[-1])))
    return rules, [(fault.path, fault.sentence) for fault in faults]


def fault_of(table: dict[str, Any]) -> tuple[tuple[str | int, ...], str]:
    """Return the one thing that is said about *table*, with its path below the table."""
    _, [(path, sentence)] = read_tables(table)
    assert path[:2] == ("channel", 0)
    return path[2:], sentence


def test_a_rule_knows_the_lines_of_its_keys() -> None:
    [rule], faults = read_tables({"match": "/a", "publish": "anyone", "history": 3})
    assert faults == []
    assert [rule.line(), rule.line("publish"), rule.line("history"), rule.line("subscribe")] == [5, 7, 7, 0]
    assert [rule.says(key) for key in ("publish", "history", "subscribe", "lazy")] == [
        True,
        True,
        False,
        False,
    ]
    assert rule.limits == RuleLimits(history=3)


def test_rules_are_counted_in_their_order() -> None:
    rules, _ = read_tables({"match": "/a"}, {"match": ["/b", "/c/*"]})
    assert [(rule.index, [scope.name for scope in rule.scopes]) for rule in rules] == [
        (0, ["/a"]),
        (1, ["/b", "/c/*"]),
    ]


@pytest.mark.parametrize("tables", [{"match": "/a"}, "match", None, 7])
def test_rules_are_tables_in_a_list(tables: object) -> None:
    rules, [fault] = read_rules(tables, Path(), lambda path: 1)
    assert rules == []
    assert fault.path == ("channel",)
    assert "two brackets" in fault.sentence


def test_a_list_with_something_else_is_none() -> None:
    _, faults = read_tables({"match": "/a"}, "match")
    assert [path for path, _ in faults] == [("channel",)]


WRONG: list[tuple[dict[str, Any], tuple[str | int, ...], str]] = [
    ({"publish": "anyone"}, (), 'say which channels it is for: match = "/chat/**"'),
    ({"match": 7}, ("match",), "7 should be a channel pattern such as /chat/**, or a list of them"),
    ({"match": []}, ("match",), "[] should be a channel pattern such as /chat/**, or a list of them"),
    ({"match": ["/a", 7]}, ("match", 1), "7 should be a channel pattern such as /chat/**"),
    ({"match": "/a", "publsh": "anyone"}, ("publsh",), "did you mean 'publish'?"),
    ({"match": "/a", "colour": "red"}, ("colour",), "there are: match, "),
    ({"match": "/a", "history": -1}, ("history",), "-1 should be"),
    ({"match": "/a", "rate": "often"}, ("rate",), "should be"),
    ({"match": "/a", "call": "anyone"}, ("call",), "/a is not a service channel: write publish or subscribe"),
    ({"match": "/service/a", "publish": "anyone"}, ("publish",), "'call' says who may use them"),
    ({"match": "/service/a", "subscribe": "anyone"}, ("subscribe",), "'call' says who may use them"),
    ({"match": "/service/a", "create": "anyone"}, ("create",), "'call' says who may use them"),
    (
        {"match": "/service/a", "history": 3},
        ("history",),
        "nothing is distributed on service channels; this key is about distribution",
    ),
    ({"match": "/meta/connect"}, ("match",), "only /meta/handshake can have a rule, not /meta/connect"),
    ({"match": "/meta/handshake", "publish": "anyone"}, ("publish",), "/meta/handshake is called"),
    ({"match": "/a", "subscribe": "self"}, ("subscribe",), "'self' needs a name to compare with"),
]


@pytest.mark.parametrize(("table", "path", "sentence"), WRONG)
def test_what_is_wrong_is_told_once_and_where(
    table: dict[str, Any], path: tuple[str | int, ...], sentence: str
) -> None:
    found, said = fault_of(table)
    assert found == path
    assert sentence in said


def test_a_pattern_that_cannot_be_one_is_told() -> None:
    path, sentence = fault_of({"match": "chat"})
    assert path == ("match",)
    assert "chat" in sentence


@pytest.mark.parametrize(
    "table",
    [
        {"match": "/service/a", "call": "anyone", "rate": "3/s", "max_message": 7},
        {"match": "/**", "call": "anyone", "publish": "anyone"},
        {"match": "/{any}/a", "call": "anyone"},
        {"match": "/meta/handshake", "call": "anyone"},
        {"match": "/a", "filters": ["no-markup"]},
        {"match": "/users/{user}/inbox", "subscribe": "self", "history": 2},
    ],
)
def test_what_is_right_is_not_told_of(table: dict[str, Any]) -> None:
    assert read_tables(table)[1] == []
