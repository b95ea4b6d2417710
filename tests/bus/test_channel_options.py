"""How single channels behave: patterns first, then the rules of a policy."""

import pytest

from mirant.bayeux.channels import Channel, Pattern
from mirant.bus import channel_options as module
from mirant.bus.channel_options import ChannelOptions, ChannelTable

A_B = Channel.parse("/a/b")


@pytest.fixture
def table() -> ChannelTable:
    return ChannelTable()


def give(table: ChannelTable, pattern: str, **options: float | bool | None) -> None:
    table.set(Pattern.parse(pattern), ChannelOptions(**options))  # type: ignore[arg-type]  # any of them


def test_without_patterns_nothing_is_said(table: ChannelTable) -> None:
    assert table.of(A_B) == ChannelOptions()


def test_the_narrowest_pattern_that_says_something_decides_each_option(table: ChannelTable) -> None:
    give(table, "/**", lazy=3.0, echo=True, history=7)
    give(table, "/a/**", lazy=2.0, echo=False)
    give(table, "/a/b", lazy=0.0)
    assert table.of(A_B) == ChannelOptions(lazy=0.0, echo=False, history=7)


def test_what_was_asked_before_a_pattern_came_is_asked_again(table: ChannelTable) -> None:
    give(table, "/**", lazy=3.0)
    assert table.of(A_B).lazy == 3.0
    give(table, "/a/*", lazy=1.0)
    assert table.of(A_B).lazy == 1.0


def test_rules_decide_what_no_pattern_does(table: ChannelTable) -> None:
    asked = []

    def rules(channel: Channel) -> ChannelOptions:
        asked.append(channel)
        return ChannelOptions(lazy=9.0, echo=True)

    table.follow(rules)
    assert table.of(A_B) == ChannelOptions(lazy=9.0, echo=True)
    give(table, "/a/b", lazy=1.0)
    assert table.of(A_B) == ChannelOptions(lazy=1.0, echo=True)
    assert asked == [A_B, A_B]


def test_other_rules_are_asked_anew(table: ChannelTable) -> None:
    table.follow(lambda channel: ChannelOptions(lazy=1.0))
    assert table.of(A_B).lazy == 1.0
    table.follow(lambda channel: ChannelOptions(lazy=2.0))
    assert table.of(A_B).lazy == 2.0
    table.follow(None)
    assert table.of(A_B).lazy is None


@pytest.mark.parametrize("name", ["/a/b", "/a/*", "/**"])
def test_a_channel_exists_if_it_is_persistent_and_a_pattern_does_not(table: ChannelTable, name: str) -> None:
    assert table.exists(Pattern.parse(name)) is False
    give(table, "/**", persistent=True)
    assert table.exists(Pattern.parse(name)) is (name == "/a/b")
    give(table, "/**", persistent=False)
    assert table.exists(Pattern.parse(name)) is False


def test_the_options_that_are_kept_are_bounded(table: ChannelTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_KEPT", 10)
    give(table, "/**", lazy=1.0)
    for number in range(100):
        assert table.of(Channel.parse(f"/{number}")).lazy == 1.0
        assert len(table._kept) <= 10
