"""Rules that contradict each other: each such place is found when the file is read, with both lines."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirant.policy.overlaps import check_overlaps
from mirant.policy.rulebook import KEYS
from mirant.policy.rules import Rule, read_rules
from mirant.policy.scope import ChannelScope


def rules_of(text: str) -> list[Rule]:
    """Return the rules of a file with this *text*; a rule's line is its number, from 1."""
    rules, faults = read_rules(tomllib.loads(text)["channel"], Path(), lambda path: int(path[1]) + 1)
    assert not faults, [str(fault) for fault in faults]
    return rules


def rule(match: str | list[str], **keys: str) -> str:
    spelt = "".join(f"{key} = {value!r}\n" for key, value in keys.items())
    return f"[[channel]]\nmatch = {match!r}\n{spelt}"


def complaints(*rules: str) -> list[str]:
    return [fault.sentence for fault in check_overlaps(rules_of("\n".join(rules)))]


@pytest.mark.parametrize(
    ("first", "second", "where"),
    [
        ("/x/{a}", "/{a}/y", "/x/y"),
        ("/a/**", "/{x}/b", "/a/b"),
        ("/{x}/b/**", "/a/*", None),
        ("/{x}/b/**", "/a/{y}/c", "/a/b/c"),
        ("/{x}/b/**", "/a/**", "/a/b/**"),
        ("/service/{a}/x", "/service/y/{b}", "/service/y/x"),
    ],
)
def test_where_two_rules_cross_the_file_has_to_say_more(first: str, second: str, where: str | None) -> None:
    key = "call" if first.startswith("/service") else "publish"
    found = complaints(rule(first, **{key: "anyone"}), rule(second, **{key: "server"}))
    if where is None:
        assert found == []
        return
    [sentence] = found
    assert f"{second} and {first} in line 1 both decide '{key}' for {where}; " in sentence
    assert f"match = '{where}'" in sentence
    assert (
        complaints(
            rule(first, **{key: "anyone"}), rule(second, **{key: "server"}), rule(where, **{key: "anyone"})
        )
        == []
    ), "what it asks for helps"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("/a/b", "/a/*"),
        ("/a/b", "/a/{x}"),
        ("/a/*", "/a/**"),
        ("/**", "/{x}/b"),
        ("/a/{x}", "/b/{x}"),
        ("/a/{x}", "/{x}"),
        ("/a/{x}/c", "/a/{x}/d"),
        ("/a/**", "/b/**"),
    ],
)
def test_one_within_the_other_or_apart_is_no_contradiction(first: str, second: str) -> None:
    assert complaints(rule(first, publish="anyone"), rule(second, publish="server")) == []


def test_rules_about_different_matters_do_not_contradict_each_other() -> None:
    assert complaints(rule("/x/{a}", publish="anyone"), rule("/{a}/y", subscribe="anyone")) == []


def test_each_matter_is_told_and_the_rule_between_must_settle_all() -> None:
    both = {"publish": "anyone", "subscribe": "anyone", "rate": "5/s"}
    first, second = rule("/x/{a}", **both), rule("/{a}/y", **both)
    assert len(complaints(first, second)) == 3
    [left] = complaints(first, second, rule("/x/y", publish="server", subscribe="server"))
    assert "'rate'" in left


def test_a_rule_does_not_contradict_itself() -> None:
    assert complaints(rule(["/x/{a}", "/{a}/y"], publish="anyone")) == []


@pytest.mark.parametrize(("one", "other"), [("/a", "/a"), ("/a/*", "/a/{x}"), ("/a/{x}/**", "/a/{y}/**")])
def test_the_same_channels_twice(one: str, other: str) -> None:
    [sentence] = complaints(rule(one), rule(other))
    assert sentence == f"{other} is the same as {one} in the rule in line 1; put them together"
    [sentence] = complaints(rule([one, other]))
    assert sentence == f"{other} is the same as {one} in this rule; put them together"


def test_a_fault_is_at_the_later_rule_and_its_key() -> None:
    [fault] = check_overlaps(rules_of(rule("/x/{a}", publish="anyone") + rule("/{a}/y", publish="server")))
    assert fault.path == ("channel", 1, "publish")


segments = st.lists(st.sampled_from(["a", "b", "{p}", "{q}"]), max_size=3, unique=True)
texts = st.builds(
    lambda found, end: "/" + "/".join([*found, *end] or ["a"]), segments, st.sampled_from([[], ["*"], ["**"]])
)


@given(st.lists(texts, min_size=1, max_size=6))
def test_a_file_without_faults_leaves_no_choice(matches: list[str]) -> None:
    rules = rules_of("\n".join(rule(match, publish="anyone") for match in matches))
    scopes = [ChannelScope.parse(match) for match in matches]
    forms = {scope.form for scope in scopes}
    crossing = False
    for index, one in enumerate(scopes):
        for other in scopes[:index]:
            both = one.meet(other)
            within = one.contains(other) or other.contains(one)
            crossing |= both is not None and not within and both.form not in forms
    assert bool(check_overlaps(rules)) is (crossing or len(forms) < len(scopes))


def pairwise(rules: list[Rule]) -> Iterator[tuple[int, str, str]]:
    """Yield what crosses, of every two rules: the later one's index, the matter, and the channels of both.

    Of rules for the same channels only the first counts: about the others there is something else to say.
    """
    entries = [(rule, scope) for rule in rules for scope in rule.scopes]
    first_of = {scope.form: rule for rule, scope in reversed(entries)}
    first = {scope.form: scope for _, scope in reversed(entries)}
    entries = [(rule, scope) for rule, scope in entries if first[scope.form] is scope]
    for index, (rule, scope) in enumerate(entries):
        for other, before in entries[:index]:
            both = before.meet(scope)
            if other is rule or both is None or before.contains(scope) or scope.contains(before):
                continue
            between = first_of.get(both.form)
            for key in KEYS:
                if other.says(key) and rule.says(key) and not (between and between.says(key)):
                    yield rule.index, key, f" and {before.name} in line {other.line()} both decide"


matters = st.lists(st.sampled_from(["publish", "subscribe", "create"]), min_size=1, max_size=2, unique=True)


@given(st.lists(st.tuples(st.lists(texts, min_size=1, max_size=2), matters), min_size=1, max_size=8))
def test_what_is_found_is_what_comparing_every_two_finds(declared: list[tuple[list[str], list[str]]]) -> None:
    rules = rules_of("\n".join(rule(match, **dict.fromkeys(keys, "anyone")) for match, keys in declared))
    found = [fault for fault in check_overlaps(rules) if fault.path[-1] != "match"]
    expected = list(pairwise(rules))

    assert [fault.path for fault in found] == [("channel", index, key) for index, key, _ in expected]
    assert all(said in fault.sentence for fault, (_, _, said) in zip(found, expected, strict=True))


def test_thousands_of_rules_are_checked_soon() -> None:
    matches = [f"/area{n % 50}/room{n}/{{user}}" for n in range(5_000)] + ["/**", "/{a}/{b}/**"]
    rules = [Rule(scopes=(ChannelScope.parse(match),), index=n) for n, match in enumerate(matches)]
    began = time.perf_counter()

    assert check_overlaps(rules) == []
    assert time.perf_counter() - began < 1  # 0.05 s; comparing every two takes 20


@pytest.mark.parametrize("match", ["/a", "/a/{x}/b", "/**"])
def test_thousands_of_equal_rules_are_told_soon(match: str) -> None:
    rules = [Rule(scopes=(ChannelScope.parse(match),), index=n) for n in range(20_000)]
    began = time.perf_counter()

    assert len(check_overlaps(rules)) == 19_999
    assert time.perf_counter() - began < 3  # 0.1 s; comparing every two took 130


def test_the_same_channels_twice_are_told_at_the_later_rules_match() -> None:
    rules = rules_of("\n".join([rule("/a", publish="anyone"), rule("/a", subscribe="anyone")]))
    assert [fault.path for fault in check_overlaps(rules)] == [("channel", 1, "match")]


def test_what_is_wrong_after_channels_that_are_there_twice_is_told_too() -> None:
    [twice, crossing] = complaints(
        rule("/b"), rule("/b"), rule("/x/{a}", publish="anyone"), rule("/{a}/y", publish="server")
    )
    assert "is the same as" in twice
    assert "both decide 'publish' for /x/y" in crossing
