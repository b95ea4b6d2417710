"""Rules in a tree: the same are found as by looking at each of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirant.bayeux.channels import Channel, Pattern
from mirant.policy.rule_tree import RuleTree, ScopedRule
from mirant.policy.rules import Rule
from mirant.policy.scope import ChannelScope

SEGMENTS = st.sampled_from(["a", "b", "c"])
NAMES = st.lists(SEGMENTS, min_size=1, max_size=4).map(lambda found: "/" + "/".join(found))
PATTERNS = st.builds(
    lambda found, end: "/" + "/".join([*found, end]),
    st.lists(SEGMENTS, max_size=3),
    st.sampled_from(["a", "*", "**"]),
)
SCOPES = st.builds(
    lambda found, end: "/" + "/".join([*found, end]),
    st.lists(st.sampled_from(["a", "b", "{x}", "{y}"]), max_size=3, unique=True),
    st.sampled_from(["a", "b", "{z}", "*", "**"]),
)


def tree_of(scopes: list[ChannelScope]) -> RuleTree:
    root = RuleTree()
    for scope in scopes:
        root.plant(ScopedRule(Rule(scopes=(scope,)), scope))
    return root


def unique(texts: list[str]) -> list[ChannelScope]:
    """Return the scopes of *texts*, one of each set of channels."""
    return list({scope.form: scope for scope in map(ChannelScope.parse, texts)}.values())


@given(st.lists(SCOPES, max_size=12), PATTERNS)
def test_what_meets_a_pattern_is_found(texts: list[str], pattern: str) -> None:
    scopes, wanted = unique(texts), ChannelScope.of(Pattern.parse(pattern))
    found = [entry.scope for entry in tree_of(scopes).meeting(wanted)]
    assert sorted(scope.name for scope in found) == sorted(
        scope.name for scope in scopes if scope.meet(wanted) is not None
    )


@given(st.lists(SCOPES, max_size=12), NAMES)
def test_what_a_channel_is_in_is_found_the_most_specific_first(texts: list[str], name: str) -> None:
    scopes, channel = unique(texts), Channel.parse(name)
    wanted = ChannelScope.of(Pattern.parse(name))
    containing = sorted((each for each in scopes if each.contains(wanted)), key=lambda each: each.rank)
    assert [entry.scope for entry in tree_of(scopes).find(channel.segments)] == containing


@pytest.mark.parametrize("name", ["/a/b", "/a/{x}", "/a/**"])
def test_of_two_rules_for_the_same_channels_the_first_counts(name: str) -> None:
    first, second = (ScopedRule(Rule(scopes=(), index=index), ChannelScope.parse(name)) for index in (1, 2))
    root = RuleTree()
    root.plant(first)
    root.plant(second)

    assert list(root.find(("a", "b"))) == [first]
