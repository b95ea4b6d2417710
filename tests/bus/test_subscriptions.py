"""The index of who gets what."""

import pytest

from mirant.bayeux.channels import Channel, Pattern
from mirant.bus import subscriptions as module
from mirant.bus.subscriptions import Subscriptions


def channel(name: str) -> Channel:
    return Channel.parse(name)


def pattern(name: str) -> Pattern:
    return Pattern.parse(name)


@pytest.fixture
def index() -> Subscriptions[str]:
    return Subscriptions()


def test_nobody_is_subscribed_at_first(index: Subscriptions[str]) -> None:
    assert index.match(channel("/a")) == ()
    assert len(index) == 0


@pytest.mark.parametrize("name", ["/a/b", "/a/*", "/a/**", "/**"])
def test_a_subscriber_is_found_by_every_pattern_that_matches(index: Subscriptions[str], name: str) -> None:
    index.add("ann", pattern(name))
    assert index.match(channel("/a/b")) == ("ann",)
    assert pattern(name) in index


def test_a_subscriber_of_several_matching_patterns_is_found_once(index: Subscriptions[str]) -> None:
    for name in ("/a/b", "/a/*", "/a/**", "/**", "/a/b"):
        index.add("ann", pattern(name))
    index.add("bob", pattern("/a/*"))
    assert sorted(index.match(channel("/a/b"))) == ["ann", "bob"]


def test_while_nothing_changes_the_answer_is_the_same_object(index: Subscriptions[str]) -> None:
    index.add("ann", pattern("/a"))
    first = index.match(channel("/a"))
    index.add("bob", pattern("/b"))
    assert index.match(channel("/a")) is first


@pytest.mark.parametrize("name", ["/a/b", "/a/*", "/a/**", "/**"])
def test_an_answer_is_forgotten_when_a_subscription_that_concerns_it_changes(
    index: Subscriptions[str], name: str
) -> None:
    index.add("ann", pattern("/a/b"))
    assert index.match(channel("/a/b")) == ("ann",)
    index.add("bob", pattern(name))
    assert sorted(index.match(channel("/a/b"))) == ["ann", "bob"]
    index.remove("bob", pattern(name))
    assert index.match(channel("/a/b")) == ("ann",)


def test_what_nobody_is_subscribed_to_any_more_leaves_no_trace(index: Subscriptions[str]) -> None:
    for name in ("/a", "/b/*"):
        index.add("ann", pattern(name))
        index.match(channel("/a"))
        index.remove("ann", pattern(name))
        assert pattern(name) not in index
    assert len(index) == 0
    assert not any("ann" in found for found in index._matches.values())


def test_to_remove_what_is_not_there_changes_nothing(index: Subscriptions[str]) -> None:
    index.add("ann", pattern("/a"))
    index.remove("bob", pattern("/a"))
    index.remove("ann", pattern("/b"))
    assert index.match(channel("/a")) == ("ann",)


def test_the_answers_that_are_kept_are_bounded(
    index: Subscriptions[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_MATCHES", 10)
    index.add("ann", pattern("/**"))
    for number in range(100):
        assert index.match(channel(f"/{number}")) == ("ann",)
    assert len(index._matches) <= 10
