"""Finding the application's hooks by channel."""

import pytest

from mirant.bayeux.channels import Channel, Pattern, Template
from mirant.bus.hooks import HookTable


@pytest.fixture
def routes() -> HookTable[str]:
    routes: HookTable[str] = HookTable()
    for name in ("/chat/{room}", "/chat/blue", "/{a}/{b}", "/news"):
        routes.add(Template(name), name)
    return routes


def test_hooks_are_found_in_the_order_in_which_they_were_added_with_their_parameters(
    routes: HookTable[str],
) -> None:
    assert routes.find(Channel.parse("/chat/blue")) == [
        ("/chat/{room}", {"room": "blue"}),
        ("/chat/blue", {}),
        ("/{a}/{b}", {"a": "chat", "b": "blue"}),
    ]


@pytest.mark.parametrize("name", ["/chat", "/news/today/late", "/a/b/c"])
def test_for_other_channels_none_is_found(routes: HookTable[str], name: str) -> None:
    assert routes.find(Channel.parse(name)) == []


@pytest.mark.parametrize(
    ("pattern", "covered"), [("/chat/*", True), ("/**", True), ("/news/**", True), ("/a/b/*", False)]
)
def test_a_pattern_covers_the_hooks_of_channels_that_it_matches(
    routes: HookTable[str], pattern: str, *, covered: bool
) -> None:
    assert routes.covered_by(Pattern.parse(pattern)) is covered


def test_routes_are_true_when_there_are_any(routes: HookTable[str]) -> None:
    assert routes
    assert not HookTable()
