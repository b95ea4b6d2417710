"""Finding the rules that decide for a channel, and the filters that run on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from mirant.bayeux.channels import Channel, Pattern
from mirant.policy import rulebook as module
from mirant.policy.decisions import decide_subscription
from mirant.policy.filters import Filter, read_filters
from mirant.policy.rulebook import Rulebook
from mirant.policy.rules import Operation, Rule
from mirant.policy.scope import ChannelScope
from tests.policy.rulebooks import identity, rulebook


def filters(*declared: object) -> tuple[Filter, ...]:
    found, faults = read_filters(list(declared), (), Path())
    assert not faults
    return found


def book_of(jettys: Sequence[tuple[str, object]], **rules: object) -> Rulebook:
    """Return rules with one filter each, by pattern, under the filters of Jetty's file *jettys*."""
    return Rulebook(
        [Rule(scopes=(ChannelScope.parse(match),), filters=filters(each)) for match, each in rules.items()],
        [(ChannelScope.parse(match), filter_) for match, each in jettys for filter_ in filters(each)],
    )


def rewriting(text: str, replacement: str) -> object:
    return {"regex": [[text, replacement]]}


# --- Filters ---


def test_jettys_filters_run_before_those_of_a_rule() -> None:
    book = book_of([("/a/*", rewriting("one", "two"))], **{"/a/b": rewriting("two", "three")})
    chain = book.of(Channel.parse("/a/b")).chain

    assert chain is not None
    assert chain(b'"one"') == b'"three"'
    assert [each.name for each in book.filters_of(Channel.parse("/a/b"))] == ["regex one", "regex two"]


def test_jettys_filters_run_in_the_order_of_their_file_whatever_is_more_specific() -> None:
    book = book_of([("/a/b", rewriting("one", "two")), ("/**", rewriting("two", "three"))])
    chain = book.of(Channel.parse("/a/b")).chain

    assert chain is not None
    assert chain(b'"one"') == b'"three"'


def test_jettys_filters_run_though_a_rule_has_no_filters() -> None:
    rule = Rule(scopes=(ChannelScope.parse("/a"),), filters=())
    book = Rulebook([rule], [(ChannelScope.parse("/**"), each) for each in filters("no-markup")])

    assert [each.name for each in book.filters_of(Channel.parse("/a"))] == ["no-markup"]


def test_the_most_specific_rule_alone_says_which_filters_run() -> None:
    book = rulebook(
        """
        [[channel]]
        match = "/a/**"
        filters = ["no-markup"]
        [[channel]]
        match = "/a/{b}"
        filters = [{ size = 9 }]
        [[channel]]
        match = "/a/c"
        filters = []
        """
    )
    names = {
        name: [each.name for each in book.filters_of(Channel.parse(name))]
        for name in ("/a/b/c", "/a/b", "/a/c", "/b")
    }
    assert names == {"/a/b/c": ["no-markup"], "/a/b": ["size 9"], "/a/c": [], "/b": []}


# --- What decides ---


def test_each_matter_is_decided_by_the_most_specific_rule_that_says_something_about_it() -> None:
    book = rulebook(
        """
        [[channel]]
        match = "/**"
        publish = "anyone"
        rate = "9/s"
        [[channel]]
        match = "/{a}/b"
        rate = "1/s"
        echo = false
        """
    )
    rules = book.of(Channel.parse("/x/b"))

    assert {key: entry.scope.name for key, entry in rules.entries.items()} == {
        "publish": "/**",
        "rate": "/{a}/b",
        "echo": "/{a}/b",
    }
    assert str(rules.limits.rate) == "1/s"
    assert rules.limits.max_message is None
    assert rules.limited


def test_a_rule_for_everything_says_nothing_about_meta_channels() -> None:
    book = rulebook('[[channel]]\nmatch = "/**"\ncall = "anyone"\n')

    assert book.of(Channel.parse("/service/a")).call is not None
    assert book.of(Channel.parse("/meta/handshake")).call is None


def test_a_grant_knows_the_parameters_of_its_channel() -> None:
    book = rulebook('[[channel]]\nmatch = "/users/{user}/**"\npublish = "self"\n')
    grant = book.of(Channel.parse("/users/ann/a")).publish

    assert grant is not None
    assert grant.admits(identity("ann"))
    assert not grant.admits(identity("bob"))
    assert not grant.admits(None)


def test_rules_for_a_pattern_come_from_the_most_specific_to_one_for_all_of_it() -> None:
    book = rulebook(
        """
        [[channel]]
        match = ["/a/b", "/c"]
        subscribe = "anyone"
        [[channel]]
        match = "/a/**"
        subscribe = "anyone"
        [[channel]]
        match = "/**"
        subscribe = "anyone"
        """
    )

    def covering(match: str) -> list[str | None]:
        found = book.covering(ChannelScope.parse(match), Operation.SUBSCRIBE)
        return [None if entry is None else entry.scope.name for entry in found]

    assert covering("/a/**") == ["/a/b", "/a/**"]
    assert covering("/{x}") == ["/c", "/**"]
    assert covering("/service/x") == [None]


# --- What is kept ---


def test_results_are_kept_up_to_a_number_and_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_KEPT", 2)
    book = rulebook('[[channel]]\nmatch = "/**"\npublish = "anyone"\n')
    first = book.of(Channel.parse("/a"))

    assert book.of(Channel.parse("/a")) is first
    for name in ("/b", "/c"):
        book.of(Channel.parse(name))
    again = book.of(Channel.parse("/a"))
    assert again is not first
    assert again.publish == first.publish


def test_a_result_that_is_forgotten_is_found_again() -> None:
    book = rulebook('[[channel]]\nmatch = "/**"\npublish = "anyone"\n')
    first = book.of(Channel.parse("/a"))
    book.forget(Channel.parse("/a"))
    book.forget(Channel.parse("/never"))

    assert book.of(Channel.parse("/a")) is not first


# --- Wildcards ---

_ROOMS = "".join(f'[[channel]]\nmatch = "/room/{number}"\nsubscribe = "role:r"\n' for number in range(50))


def test_equal_permissions_of_many_rules_are_asked_once() -> None:
    book = rulebook(_ROOMS + '[[channel]]\nmatch = "/**"\nsubscribe = "anyone"\n')
    coverage = book.coverage(Pattern.parse("/room/*"), Operation.SUBSCRIBE)
    assert [str(grant.permission) for grant, _ in coverage.parts] == ["role:r", "anyone"]
    assert coverage.last is not None
    assert coverage.last.scope.name == "/**"


def test_what_decides_for_a_wildcard_is_kept() -> None:
    book = rulebook(_ROOMS)
    first = book.coverage(Pattern.parse("/room/**"), Operation.SUBSCRIBE)
    assert book.coverage(Pattern.parse("/room/**"), Operation.SUBSCRIBE) is first
    assert book.coverage(Pattern.parse("/room/*"), Operation.SUBSCRIBE) is not first


def test_what_is_kept_for_wildcards_is_bounded_by_the_sum_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_COVERED", 5)
    book = rulebook(_ROOMS)
    first = book.coverage(Pattern.parse("/room/**"), Operation.SUBSCRIBE)  # two parts and itself
    assert len(first.parts) == 2
    book.coverage(Pattern.parse("/other/**"), Operation.SUBSCRIBE)  # one part and itself
    assert book.coverage(Pattern.parse("/room/**"), Operation.SUBSCRIBE) is first
    book.coverage(Pattern.parse("/third/**"), Operation.SUBSCRIBE)
    again = book.coverage(Pattern.parse("/room/**"), Operation.SUBSCRIBE)
    assert again is not first
    assert again == first


def test_self_is_asked_with_the_name_in_the_wildcard() -> None:
    book = rulebook('[[channel]]\nmatch = "/users/{user}/**"\nsubscribe = "self"\n')
    own, all_of_them = (Pattern.parse(text) for text in ("/users/ann/**", "/users/**"))
    assert decide_subscription(book, own, identity("ann")).allowed
    assert not decide_subscription(book, own, identity("bob")).allowed
    assert not decide_subscription(book, all_of_them, identity("ann")).allowed
