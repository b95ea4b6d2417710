"""Names, patterns and templates (Bayeux 1.0, section 2)."""

import pytest

from mirant.bayeux.channels import (
    MAX_NAME,
    MAX_SEGMENTS,
    Channel,
    ChannelInvalid,
    Kind,
    Pattern,
    Template,
)

PLAIN = ["/a", "/a/b", "/chat/room 1", "/a#b", "/a.b+c", "/{x}", "/~a/@b/$c", "/a!b(c)_d-e", "/a{b}c", "/0"]
NOT_PLAIN = ["", "/", "//", "a", "a/b", "/a//b", "//a", "/a//", " /a", "/ä", '/a"b', "/a\\b", "/a\tb", "/a?b"]
WILDCARDS = ["/*", "/**", "/a/*", "/a/**", "/a/b/**"]
NOT_PATTERNS = ["*", "**", "/a*", "/*a", "/a/***", "/a/*/b", "/**/a", "/a/**/*", "/*/*", "/a/* b"]


@pytest.mark.parametrize("name", PLAIN)
def test_a_name_is_kept_as_it_is_spelt(name: str) -> None:
    assert Channel.parse(name).name == name


@pytest.mark.parametrize("text", [*NOT_PLAIN, *WILDCARDS, *NOT_PATTERNS])
def test_a_text_that_is_no_name_is_no_channel(text: str) -> None:
    with pytest.raises(ChannelInvalid):
        Channel.parse(text)


@pytest.mark.parametrize("name", [*PLAIN, *WILDCARDS])
def test_names_and_trailing_wildcards_are_patterns(name: str) -> None:
    assert Pattern.parse(name).name == name


@pytest.mark.parametrize("text", [*NOT_PLAIN, *NOT_PATTERNS])
def test_a_wildcard_is_the_whole_last_segment_or_the_text_is_no_pattern(text: str) -> None:
    with pytest.raises(ChannelInvalid):
        Pattern.parse(text)


@pytest.mark.parametrize(
    ("text", "name"), [("/a/", "/a"), ("/a  ", "/a"), ("/a/  ", "/a"), ("/a b/", "/a b")]
)
def test_trailing_blanks_and_one_trailing_slash_are_dropped(text: str, name: str) -> None:
    assert Channel.parse(text).name == Pattern.parse(text).name == name


@pytest.mark.parametrize("text", ["/a /", "/a / ", "/ /", "/a/b /"])
def test_a_name_that_was_trimmed_parses_to_itself_or_is_refused(text: str) -> None:
    try:
        name = Channel.parse(text).name
    except ChannelInvalid:
        return
    assert Channel.parse(name).name == name


def test_a_refusal_says_which_text_and_why() -> None:
    with pytest.raises(ChannelInvalid, match=r"'/a/\*' is not a channel: .* without wildcards") as refusal:
        Channel.parse("/a/*")
    assert refusal.value.text == "/a/*"


def test_a_refusal_of_a_long_text_is_short() -> None:
    with pytest.raises(ChannelInvalid) as refusal:
        Channel.parse("/" + "a" * 100_000)
    assert len(str(refusal.value)) < 2 * MAX_NAME


def test_a_name_has_a_longest_length() -> None:
    longest = "/" + "a" * (MAX_NAME - 1)
    assert Channel.parse(longest).name == longest
    with pytest.raises(ChannelInvalid, match=f"longer than {MAX_NAME}"):
        Channel.parse(longest + "a")
    widest = "/" + "a" * (MAX_NAME - 3) + "/*"
    assert Pattern.parse(widest).name == widest
    with pytest.raises(ChannelInvalid, match=f"longer than {MAX_NAME}"):
        Pattern.parse("/a" + widest[1:])


def test_blanks_count_towards_the_length_though_they_are_dropped() -> None:
    """Parsed texts are kept for the next time: nobody may have a megabyte of blanks kept."""
    with pytest.raises(ChannelInvalid):
        Channel.parse("/a" + " " * 1_000_000)
    with pytest.raises(ChannelInvalid):
        Pattern.parse("/a/*" + " " * 1_000_000)


def test_a_name_has_a_most_number_of_segments() -> None:
    deepest = "/a" * MAX_SEGMENTS
    assert len(Channel.parse(deepest).segments) == MAX_SEGMENTS
    with pytest.raises(ChannelInvalid, match=f"more than {MAX_SEGMENTS}"):
        Channel.parse(deepest + "/a")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("/meta/connect", Kind.META),
        ("/meta", Kind.META),
        ("/meta/subscribe/x", Kind.META),
        ("/meta/handshake/", Kind.META),
        ("/service/x", Kind.SERVICE),
        ("/service", Kind.SERVICE),
        ("/metaphor", Kind.BROADCAST),
        ("/services/x", Kind.BROADCAST),
        ("/Meta/connect", Kind.BROADCAST),
        ("/a/meta", Kind.BROADCAST),
        ("/a/service/b", Kind.BROADCAST),
    ],
)
def test_the_first_segment_decides_what_a_channel_is(name: str, kind: Kind) -> None:
    assert Channel.parse(name).kind is kind
    assert Pattern.parse(name).kind is kind


@pytest.mark.parametrize(
    ("pattern", "kind"),
    [
        ("/*", Kind.BROADCAST),
        ("/**", Kind.BROADCAST),
        ("/meta/*", Kind.META),
        ("/meta/**", Kind.META),
        ("/service/*", Kind.SERVICE),
    ],
)
def test_a_wildcard_below_meta_is_meta_and_the_root_wildcards_are_not(pattern: str, kind: Kind) -> None:
    assert Pattern.parse(pattern).kind is kind


@pytest.mark.parametrize(
    ("name", "expansion"),
    [
        ("/a", ["/a", "/*", "/**"]),
        ("/a/b", ["/a/b", "/a/*", "/a/**", "/**"]),
        ("/a/b/c", ["/a/b/c", "/a/b/*", "/a/b/**", "/a/**", "/**"]),
    ],
)
def test_a_channel_knows_every_pattern_that_matches_it(name: str, expansion: list[str]) -> None:
    assert list(Channel.parse(name).expansion) == expansion


@pytest.mark.parametrize(
    ("pattern", "channel", "matches"),
    [
        ("/a", "/a", True),
        ("/a", "/a/b", False),
        ("/a/*", "/a/b", True),
        ("/a/*", "/a", False),
        ("/a/*", "/a/b/c", False),
        ("/a/*", "/b/c", False),
        ("/a/**", "/a/b", True),
        ("/a/**", "/a/b/c", True),
        ("/a/**", "/a", False),
        ("/a/**", "/ab/c", False),
        ("/*", "/a", True),
        ("/*", "/a/b", False),
        ("/**", "/a", True),
        ("/**", "/a/b/c", True),
    ],
)
def test_a_star_is_one_segment_and_two_stars_are_one_or_more(
    pattern: str, channel: str, *, matches: bool
) -> None:
    assert Pattern.parse(pattern).matches(Channel.parse(channel)) is matches


def test_equal_names_are_equal_channels_and_never_equal_patterns() -> None:
    assert len({Channel.parse("/a"), Channel.parse("/a/"), Channel.parse("/a ")}) == 1
    assert len({Pattern.parse("/a/*"), Pattern.parse("/a/* "), Pattern.parse("/a/*/")}) == 1
    assert Channel.parse("/a") != Pattern.parse("/a")
    assert Pattern.parse("/a") != Channel.parse("/a")
    assert Channel.parse("/a") != Channel.parse("/b")
    assert Pattern.parse("/a") != Pattern.parse("/b")
    assert Pattern.parse("/a") != "/a"


def test_a_template_binds_the_values_of_its_parameters() -> None:
    template = Template("/chat/{room}/by/{user}")
    assert template.parameters == ("room", "user")
    assert template.bind(Channel.parse("/chat/blue room/by/ann")) == {"room": "blue room", "user": "ann"}


@pytest.mark.parametrize("channel", ["/chat", "/chat/a/b", "/chit/a"])
def test_a_template_does_not_bind_channels_of_another_form(channel: str) -> None:
    assert Template("/chat/{room}").bind(Channel.parse(channel)) is None


def test_a_template_without_parameters_binds_its_own_name_to_nothing() -> None:
    template = Template("/a/b")
    assert template.bind(Channel.parse("/a/b")) == {}
    assert template.bind(Channel.parse("/a/c")) is None


@pytest.mark.parametrize(
    "text", ["/a/{}", "/a/{b", "/a/b}", "/a/x{b}", "/a/{b}c", "/a/{1}", "/{a-b}", "/a/*", "a"]
)
def test_a_parameter_is_a_name_that_fills_its_segment(text: str) -> None:
    with pytest.raises(ChannelInvalid):
        Template(text)


def test_a_template_uses_a_parameter_once() -> None:
    with pytest.raises(ChannelInvalid, match="twice"):
        Template("/{a}/{a}")


@pytest.mark.parametrize(
    ("template", "pattern", "overlaps"),
    [
        ("/chat/{room}", "/chat/*", True),
        ("/chat/{room}", "/chat/**", True),
        ("/chat/{room}", "/**", True),
        ("/chat/{room}", "/*", False),
        ("/chat/{room}", "/chat/blue", True),
        ("/chat/{room}", "/chat/blue/*", False),
        ("/chat/{room}", "/chat/blue/**", False),
        ("/chat/{room}", "/news/*", False),
        ("/{any}/x", "/news/*", True),
        ("/{any}/x", "/news/y", False),
        ("/a", "/*", True),
        ("/a/b/c", "/a/*", False),
        ("/a/b/c", "/a/**", True),
    ],
)
def test_a_template_overlaps_the_patterns_that_match_something_it_binds(
    template: str, pattern: str, *, overlaps: bool
) -> None:
    assert Template(template).overlaps(Pattern.parse(pattern)) is overlaps


def test_values_show_themselves_in_a_traceback() -> None:
    shown = [repr(Channel.parse("/a")), repr(Pattern.parse("/a/*")), repr(Template("/{a}"))]
    assert shown == ["Channel('/a')", "Pattern('/a/*')", "Template('/{a}')"]
