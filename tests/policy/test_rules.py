"""The [[channel]] tables of a policy file as rules, and what is said about those that are wrong."""

from pathlib import Path
from typing import Any

import pytest

from mirant.policy.limits import Limits
from mirant.policy.rules import Rule, read_rules


def read(*tables: object) -> tuple[list[Rule], list[tuple[tuple[str | int, ...], str]]]:
    """Read *tables*; a key stands in the line that its length gives."""
    rules, faults = read_rules(list(tables), Path(), lambda path: len(str(path[-1])))
    return rules, [(fault.path, fault.sentence) for fault in faults]


def fault_of(table: dict[str, Any]) -> tuple[tuple[str | int, ...], str]:
    """Return the one thing that is said about *table*, with its path below the table."""
    _, [(path, sentence)] = read(table)
    assert path[:2] == ("channel", 0)
    return path[2:], sentence


def test_a_rule_knows_the_lines_of_its_keys() -> None:
    [rule], faults = read({"match": "/a", "publish": "anyone", "history": 3})
    assert faults == []
    assert [rule.line(), rule.line("publish"), rule.line("history"), rule.line("subscribe")] == [5, 7, 7, 0]
    assert [rule.says(key) for key in ("publish", "history", "subscribe", "lazy")] == [
        True,
        True,
        False,
        False,
    ]
    assert rule.limits == Limits(history=3)


def test_rules_are_counted_in_their_order() -> None:
    rules, _ = read({"match": "/a"}, {"match": ["/b", "/c/*"]})
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
    _, faults = read({"match": "/a"}, "match")
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
    ({"match": "/a", "call": "anyone"}, ("call",), "/a is no service channel: write publish or subscribe"),
    ({"match": "/service/a", "publish": "anyone"}, ("publish",), "'call' says who may use them"),
    ({"match": "/service/a", "subscribe": "anyone"}, ("subscribe",), "'call' says who may use them"),
    ({"match": "/service/a", "create": "anyone"}, ("create",), "'call' says who may use them"),
    ({"match": "/service/a", "history": 3}, ("history",), "it is for what is distributed"),
    ({"match": "/meta/connect"}, ("match",), "only /meta/handshake can have a rule, not /meta/connect"),
    ({"match": "/meta/handshake", "publish": "anyone"}, ("publish",), "/meta/handshake is called"),
    ({"match": "/a", "subscribe": "self"}, ("subscribe",), "'self' needs to know who"),
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
    assert read(table)[1] == []
