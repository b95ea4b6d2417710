"""The index from channels to subscribers."""

import gc
import weakref

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


class Somebody:
    """A subscriber that can be referred to weakly."""


def test_what_nobody_is_subscribed_to_any_more_leaves_no_trace() -> None:
    index: Subscriptions[Somebody] = Subscriptions()
    subscriber = Somebody()
    gone = weakref.ref(subscriber)
    for name in ("/a", "/a/b", "/a/*", "/a/**"):
        index.add(subscriber, pattern(name))
        index.match(channel("/a"))
        index.match(channel("/a/b"))
    for name in ("/a", "/a/b", "/a/*", "/a/**"):
        index.remove(subscriber, pattern(name))
        assert pattern(name) not in index
    assert len(index) == 0
    del subscriber
    gc.collect()
    assert gone() is None


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
        assert index.match(channel(f"/{number}/x")) == ("ann",)
    assert len(index._matches) <= 10


def test_many_subscribers_of_a_pattern_come_and_go_in_order(index: Subscriptions[str]) -> None:
    names = [f"s{number}" for number in range(10)]
    for name in names:
        index.add(name, pattern("/a"))
    index.add("s3", pattern("/a"))
    assert index.match(channel("/a")) == tuple(names)
    assert index.count(pattern("/a")) == 10
    for name in names[:-1]:
        index.remove(name, pattern("/a"))
    assert index.match(channel("/a")) == ("s9",)
    index.remove("s9", pattern("/a"))
    assert pattern("/a") not in index
