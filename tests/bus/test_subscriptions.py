"""The index from channels to subscribers."""

import gc
import weakref
from collections.abc import Callable

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


@pytest.fixture(params=[0, 1, 63, 64, 65, 200])
def crowded(request: pytest.FixtureRequest, index: Subscriptions[str]) -> Subscriptions[str]:
    """Return an index with answers for so many other groups of siblings, none of them below /a.

    A wildcard is subscribed to: without one no answer is kept. Up to 64 groups are searched for those that a
    change concerns; with more, all are found anew.
    """
    index.add("zoe", pattern("/elsewhere/**"))
    for number in range(request.param):
        index.match(channel(f"/group{number}/x"))
    return index


@pytest.mark.parametrize("own", ["its own subscriber", "none of its own"])
@pytest.mark.parametrize("name", ["/a/b", "/a/*", "/a/**", "/**"])
def test_an_answer_is_forgotten_when_a_subscription_that_concerns_it_changes(
    crowded: Subscriptions[str], name: str, own: str
) -> None:
    """The answer is looked up before each change, so that there is one to forget."""
    index, before = crowded, [] if own.startswith("none") else ["ann"]
    if before:
        index.add("ann", pattern("/a/b"))
    for _ in range(2):
        assert sorted(index.match(channel("/a/b"))) == before
        index.add("bob", pattern(name))
        assert sorted(index.match(channel("/a/b"))) == [*before, "bob"]
        index.add("cid", pattern(name))
        assert sorted(index.match(channel("/a/b"))) == [*before, "bob", "cid"]
        index.remove("bob", pattern(name))
        assert sorted(index.match(channel("/a/b"))) == [*before, "cid"]
        index.remove("cid", pattern(name))
    assert sorted(index.match(channel("/a/b"))) == before


@pytest.mark.parametrize("others", [0, 1, 62, 63, 64, 200])
@pytest.mark.parametrize("name", ["/b/c", "/b/*", "/b/**", "/ab/**"])
def test_an_answer_is_kept_when_a_subscription_that_does_not_concern_it_changes(
    index: Subscriptions[str], name: str, others: int
) -> None:
    """Of more than 64 groups none is searched: all are found again."""
    index.add("eve", pattern("/a/*"))
    index.add("ann", pattern("/a/b"))
    for number in range(others):
        index.match(channel(f"/group{number}/x"))
    for change in (index.add, index.remove):
        kept = index.match(channel("/a/b"))
        change("bob", pattern(name))
        all_forgotten = name.endswith("/**") and others + 1 > 64
        assert (index.match(channel("/a/b")) is not kept) is all_forgotten
        for number in range(others):
            index.match(channel(f"/group{number}/x"))


@pytest.mark.parametrize("name", ["/a/*", "/a/**", "/**"])
def test_a_union_is_forgotten_when_a_wildcard_in_it_goes_and_another_stays(
    crowded: Subscriptions[str], name: str
) -> None:
    index = crowded
    index.add("ann", pattern("/a/b"))
    index.add("eve", pattern("/a/*"))
    index.add("bob", pattern(name))
    for sibling in ("b", "c"):
        index.add("own", pattern(f"/a/{sibling}"))
        index.match(channel(f"/a/{sibling}"))
    index.remove("bob", pattern(name))
    assert sorted(index.match(channel("/a/b"))) == ["ann", "eve", "own"]
    assert sorted(index.match(channel("/a/c"))) == ["eve", "own"]


def test_a_union_is_forgotten_when_a_subscription_to_the_channel_itself_changes(
    crowded: Subscriptions[str],
) -> None:
    index = crowded
    index.add("eve", pattern("/a/*"))
    index.add("ann", pattern("/a/b"))
    assert sorted(index.match(channel("/a/b"))) == ["ann", "eve"]
    index.add("bob", pattern("/a/b"))
    assert sorted(index.match(channel("/a/b"))) == ["ann", "bob", "eve"]
    index.remove("ann", pattern("/a/b"))
    assert sorted(index.match(channel("/a/b"))) == ["bob", "eve"]


def test_an_answer_two_levels_below_is_forgotten_too(crowded: Subscriptions[str]) -> None:
    index = crowded
    index.add("ann", pattern("/a/b/c"))
    assert index.match(channel("/a/b/c")) == ("ann",)
    index.add("bob", pattern("/a/**"))
    assert index.match(channel("/a/b/c")) == ("ann", "bob")
    index.remove("bob", pattern("/a/**"))
    assert index.match(channel("/a/b/c")) == ("ann",)


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


def keep_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ten answers be kept, of a few subscribers each."""
    monkeypatch.setattr(module, "_ANSWER", 100)
    monkeypatch.setattr(module, "MAX_MATCHES", 10 * 105)


def test_the_answers_that_are_kept_are_bounded(
    index: Subscriptions[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_ten(monkeypatch)
    index.add("ann", pattern("/**"))
    index.add("bob", pattern("/2/x"))
    for number in range(100):
        assert "ann" in index.match(channel(f"/{number}/x"))
        assert kept_in(index) <= 10


def test_what_is_kept_is_bounded_by_the_subscribers_in_it(
    index: Subscriptions[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_MATCHES", 1_000)
    for number in range(100):
        index.add(f"member {number}", pattern("/**"))
    for number in range(50):
        index.add("ann", pattern(f"/{number}/x"))
        assert len(index.match(channel(f"/{number}/x"))) == 101
        assert held_in(index) <= 1_000


def test_an_answer_that_is_larger_than_all_that_may_be_kept_is_given_and_not_kept(
    index: Subscriptions[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_MATCHES", 100)
    for number in range(200):
        index.add(f"member {number}", pattern("/a/*"))
    index.add("ann", pattern("/a/b"))
    for _ in range(3):
        assert len(index.match(channel("/a/b"))) == 201
    assert held_in(index) <= 200  # the list of the pattern itself


def held_in(index: Subscriptions[str]) -> int:
    """Return how many subscribers there are in the answers that *index* keeps."""
    return sum(
        len(siblings.shared) + sum(map(len, siblings.unions.values())) for siblings in index._matches.values()
    )


def kept_in(index: Subscriptions[str]) -> int:
    """Return how many answers *index* keeps."""
    return sum(1 + len(siblings.unions) for siblings in index._matches.values())


def change_wildcards(index: Subscriptions[str]) -> None:
    """Let a group of siblings be forgotten, with the union in it."""
    index.match(channel("/a/b"))
    index.add("eve", pattern("/a/*"))
    index.match(channel("/a/b"))
    index.remove("eve", pattern("/a/*"))


def change_a_channel(index: Subscriptions[str]) -> None:
    """Let a union be forgotten."""
    index.match(channel("/a/b"))
    index.add("eve", pattern("/a/b"))
    index.match(channel("/a/b"))
    index.remove("eve", pattern("/a/b"))


@pytest.mark.parametrize("change", [change_wildcards, change_a_channel])
def test_the_room_of_what_was_forgotten_is_used_again_and_no_other(
    index: Subscriptions[str], monkeypatch: pytest.MonkeyPatch, change: Callable[[Subscriptions[str]], None]
) -> None:
    keep_ten(monkeypatch)
    index.add("ann", pattern("/z/*"))
    index.add("bob", pattern("/z/y"))
    index.add("cid", pattern("/**"))
    index.add("dan", pattern("/a/b"))
    kept = index.match(channel("/z/y"))
    for _ in range(30):
        change(index)
    assert index.match(channel("/z/y")) is kept
    for number in range(30):
        index.match(channel(f"/{number}/x"))
        assert kept_in(index) <= 10


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


@pytest.mark.parametrize("count", [1, 3, 4, 5, 6, 20])
@pytest.mark.parametrize("name", ["/a", "/a/*", "/a/**"])
def test_however_many_there_are_each_is_counted_found_and_gone(
    index: Subscriptions[str], name: str, count: int
) -> None:
    names = [f"s{number}" for number in range(count)]
    for lap in range(2):
        for added, each in enumerate(names, start=1):
            index.add(each, pattern(name))
            index.add(each, pattern(name))
            assert index.count(pattern(name)) == added
        found = index.match(channel("/a" if name == "/a" else "/a/b"))
        assert found == tuple(names), lap
        for left, each in enumerate(reversed(names)):
            index.remove(each, pattern(name))
            index.remove(each, pattern(name))
            assert index.count(pattern(name)) == count - 1 - left
        assert index.match(channel("/a/b")) == ()
    assert index.count(pattern(name)) == 0


def test_nothing_is_kept_when_the_last_wildcard_is_gone(index: Subscriptions[str]) -> None:
    """Without one a look-up is enough, and a tuple that is kept would only take memory."""
    for _ in range(2):
        index.add("ann", pattern("/a/*"))
        index.add("cid", pattern("/a/*"))
        index.remove("cid", pattern("/a/*"))
        index.add("bob", pattern("/b/**"))
        index.match(channel("/a/b"))
        index.match(channel("/c/d"))
        index.remove("bob", pattern("/b/**"))
        assert kept_in(index) > 0
        index.remove("ann", pattern("/a/*"))
        assert kept_in(index) == 0
        index.add("eve", pattern("/x"))
        index.match(channel("/x"))
        assert kept_in(index) == 0


def test_a_channel_whose_name_only_begins_alike_is_not_below(index: Subscriptions[str]) -> None:
    index.add("eve", pattern("/**"))
    index.add("ann", pattern("/ab/c"))
    kept = index.match(channel("/ab/c"))
    index.add("bob", pattern("/a/**"))
    assert index.match(channel("/ab/c")) is kept


def test_answers_are_kept_again_after_there_were_too_many(
    index: Subscriptions[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_ten(monkeypatch)
    index.add("ann", pattern("/**"))
    index.add("bob", pattern("/z/y"))
    for number in range(25):
        index.match(channel(f"/{number}/x"))
    index.add("cid", pattern("/**"))  # all are forgotten
    for number in range(11):
        index.match(channel(f"/{number}/x"))  # and once more, because there are too many
    kept = index.match(channel("/z/y"))
    for number in range(3):
        index.match(channel(f"/{number}/w"))
    assert index.match(channel("/z/y")) is kept
