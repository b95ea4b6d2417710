"""Scopes as sets of channels: their answers about each other agree with a look at every channel."""

from __future__ import annotations

import re
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirant.bayeux.channels import Channel, ChannelInvalid, Kind, Pattern
from mirant.policy.rulebook import Rulebook
from mirant.policy.rules import Operation, Rule
from mirant.policy.scope import ChannelScope
from mirant.policy.who import Permission, Who, WhoKind

# The scopes below have at most four segments of "a", "b" and parameters. "z" stands for every other segment,
# and five segments for any larger number.
CHANNELS = ["/" + "/".join(found) for size in range(1, 6) for found in product("abz", repeat=size)]

literal = st.sampled_from(["a", "b"])
parameter = st.sampled_from(["{p}", "{q}", "{r}"])
segments = st.lists(literal | parameter, max_size=3).filter(
    lambda found: len([each for each in found if each[0] == "{"]) == len({x for x in found if x[0] == "{"})
)
texts = st.builds(
    lambda found, end: "/" + "/".join([*found, *end] or ["a"]), segments, st.sampled_from([[], ["*"], ["**"]])
)


def channels_of(text: str) -> set[str]:
    """Return the channels that the scope *text* has, by its spelling alone."""
    spelt = re.sub(r"\{\w+\}", "[^/]+", text).replace("/**", "/.+")
    grammar = re.compile(spelt.replace("/*", "/[^/]+"))
    return {channel for channel in CHANNELS if grammar.fullmatch(channel)}


@pytest.mark.parametrize(
    ("one", "other", "contains", "both"),
    [
        ("/a/b", "/a/b", True, "/a/b"),
        ("/a/b", "/a/c", False, None),
        ("/a/b", "/a/b/c", False, None),
        ("/a/b/c", "/a/b", False, None),
        ("/a/*", "/a/{b}", True, "/a/{b}"),
        ("/a/{x}", "/a/b", True, "/a/b"),
        ("/a/b", "/a/{x}", False, "/a/b"),
        ("/{x}/b", "/a/{y}", False, "/a/b"),
        ("/{x}/b", "/a/{y}/c", False, None),
        ("/a/**", "/a", False, None),
        ("/a", "/a/**", False, None),
        ("/a/**", "/a/b/c", True, "/a/b/c"),
        ("/a/b/c", "/a/**", False, "/a/b/c"),
        ("/a/**", "/a/**", True, "/a/**"),
        ("/a/**", "/a/{x}/**", True, "/a/{x}/**"),
        ("/a/{x}/**", "/a/**", False, "/a/{x}/**"),
        ("/a/{x}", "/a/**", False, "/a/{x}"),
        ("/a/**", "/a/{x}", True, "/a/{x}"),
        ("/{x}/b/**", "/a/**", False, "/a/b/**"),
        ("/a/**", "/b/**", False, None),
        ("/**", "/a", True, "/a"),
        ("/**", "/{x}/**", True, "/{x}/**"),
    ],
)
def test_what_a_scope_contains_and_what_two_have_in_common(
    one: str,
    other: str,
    contains: bool,  # noqa: FBT001
    both: str | None,
) -> None:
    first, second = ChannelScope.parse(one), ChannelScope.parse(other)
    assert first.contains(second) is contains
    for found in (first.meet(second), second.meet(first)):
        assert (None if found is None else found.form) == (both and ChannelScope.parse(both).form)


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [
        ("/{x}/b", "/a/{y}", "/a/b"),
        ("/{x}/b/**", "/a/**", "/a/b/**"),
        ("/{x}/{y}", "/**", "/{x}/{y}"),
        ("/a/*", "/{x}/*", "/a/{s1}"),
    ],
)
def test_what_two_scopes_have_in_common_is_written_as_a_rule_would_be(
    one: str, other: str, name: str
) -> None:
    both = ChannelScope.parse(one).meet(ChannelScope.parse(other))
    assert both is not None
    assert both.name == name
    assert ChannelScope.parse(name).form == both.form


def test_scopes_from_the_most_specific_to_the_least() -> None:
    ordered = ["/a/b", "/a/b/**", "/a/{x}", "/a/{x}/**", "/a/**", "/{x}/b", "/{x}/{y}", "/{x}/**", "/**"]
    ranks = [ChannelScope.parse(text).rank for text in ordered]
    assert all(one < other for one, other in pairwise(ranks))


@pytest.mark.parametrize(
    ("pattern", "gets", "gets_not"),
    [("/a", ["/a"], ["/a/b", "/b"]), ("/a/*", ["/a/b"], ["/a", "/a/b/c"]), ("/**", ["/a", "/a/b"], [])],
)
def test_a_subscription_is_a_scope(pattern: str, gets: list[str], gets_not: list[str]) -> None:
    scope = ChannelScope.of(Pattern.parse(pattern))
    assert all(scope.contains(ChannelScope.parse(name)) for name in gets)
    assert not any(scope.contains(ChannelScope.parse(name)) for name in gets_not)


@given(texts, texts)
def test_a_scope_contains_another_if_it_has_all_its_channels(one: str, other: str) -> None:
    contains = ChannelScope.parse(one).contains(ChannelScope.parse(other))
    assert contains is (channels_of(one) >= channels_of(other))


@given(texts, texts)
def test_scopes_meet_in_the_channels_that_both_have(one: str, other: str) -> None:
    both = ChannelScope.parse(one).meet(ChannelScope.parse(other))
    found = set() if both is None else channels_of(both.name)
    assert found == channels_of(one) & channels_of(other)


@given(texts, texts)
def test_scopes_have_one_form_if_they_have_the_same_channels(one: str, other: str) -> None:
    same = ChannelScope.parse(one).form == ChannelScope.parse(other).form
    assert same is (channels_of(one) == channels_of(other))


@given(texts, texts)
def test_of_two_scopes_that_meet_one_is_more_specific(one: str, other: str) -> None:
    first, second = ChannelScope.parse(one), ChannelScope.parse(other)
    if first.meet(second) is None or first.form == second.form:
        return
    assert first.rank != second.rank
    if first.contains(second):
        assert second.rank < first.rank, "what is within another goes before it"


@given(st.lists(texts, min_size=1, max_size=6), st.sampled_from(CHANNELS))
def test_the_rule_that_is_found_is_the_most_specific_of_those_that_have_the_channel(
    found: list[str], channel: str
) -> None:
    people = {Operation.PUBLISH: Permission(allow=(Who(WhoKind.ANYONE),))}
    scopes = {ChannelScope.parse(text).form: ChannelScope.parse(text) for text in found}
    book = Rulebook([Rule(scopes=(scope,), permissions=people) for scope in scopes.values()])
    entry = book.of(Channel.parse(channel)).entries.get("publish")
    fitting = [scope for scope in scopes.values() if channel in channels_of(scope.name)]
    if not fitting:
        assert entry is None
    else:
        assert entry is not None
        assert entry.scope is min(fitting, key=lambda scope: scope.rank)


@given(texts.filter(lambda text: "{" not in text), st.sampled_from(CHANNELS))
def test_a_subscription_is_a_scope_with_the_channels_it_gets(text: str, channel: str) -> None:
    pattern = Pattern.parse(text)
    matches = ChannelScope.of(pattern).contains(ChannelScope.parse(channel))
    assert matches is pattern.matches(Channel.parse(channel))


@pytest.mark.parametrize(
    ("text", "name", "parameters", "kind"),
    [
        ("/a", "/a", set(), Kind.BROADCAST),
        ("/a/", "/a", set(), Kind.BROADCAST),
        ("/a ", "/a", set(), Kind.BROADCAST),
        ("/*", "/*", set(), Kind.BROADCAST),
        ("/**", "/**", set(), Kind.BROADCAST),
        ("/{a}", "/{a}", {"a"}, Kind.BROADCAST),
        ("/{a}/x/{b}/**", "/{a}/x/{b}/**", {"a", "b"}, Kind.BROADCAST),
        ("/service/{a}", "/service/{a}", {"a"}, Kind.SERVICE),
        ("/service", "/service", set(), Kind.SERVICE),
        ("/services/*", "/services/*", set(), Kind.BROADCAST),
        ("/meta/handshake", "/meta/handshake", set(), Kind.META),
        ("/Meta/handshake", "/Meta/handshake", set(), Kind.BROADCAST),
    ],
)
def test_reading(text: str, name: str, parameters: set[str], kind: Kind) -> None:
    scope = ChannelScope.parse(text)
    assert (scope.name, set(scope.parameters), scope.kind) == (name, parameters, kind)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "a",
        "//a",
        "/a//b",
        "/*/a",
        "/**/a",
        "/a*",
        "/a/***",
        "/{a",
        "/a}",
        "/{a}b",
        "/{1}",
        "/{a}/{a}",
        "/a/**/",
        "/a/* ",
        "/*/*",
        "/ä",
        "/a%20",
        "/a\n",
        "/a?",
        "/" + "a" * 300,
        "/a" * 40,
    ],
)
def test_what_is_no_scope(text: str) -> None:
    with pytest.raises(ChannelInvalid):
        ChannelScope.parse(text)


def test_parameters_have_the_values_that_are_known() -> None:
    scope = ChannelScope.parse("/users/{user}/{box}/**")
    assert scope.bind(Channel.parse("/users/alice/in/1")) == {"user": "alice", "box": "in"}
    assert scope.bind(ChannelScope.of(Pattern.parse("/users/alice/in/**"))) == {"user": "alice", "box": "in"}
    both = scope.meet(ChannelScope.of(Pattern.parse("/users/alice/**")))
    assert both is not None
    assert scope.bind(both) == {"user": "alice"}
