"""Laws of names and patterns."""

from hypothesis import given
from hypothesis import strategies as st

from mirant.bayeux.channels import Channel, ChannelInvalid, Pattern, Template
from tests.properties.names import CHANNEL, CLOSE_NAMES, CLOSE_PATTERNS, NAMES, PATTERN, matches

ALMOST_NAMES = st.text(st.sampled_from('/*ab é{}\x00\n"\\'), max_size=12)


@given(NAMES)
def test_a_valid_name_parses_to_itself(name: str) -> None:
    assert Channel.parse(name).name == name
    assert Pattern.parse(name).name == name


@given(st.text() | ALMOST_NAMES | ALMOST_NAMES.map("/".__add__))
def test_a_text_is_refused_or_its_name_conforms_to_the_grammar_and_parses_to_itself(text: str) -> None:
    try:
        name = Channel.parse(text).name
    except ChannelInvalid:
        assert not CHANNEL.match(text)
    else:
        assert CHANNEL.match(name)
        assert text.startswith(name)
        assert Channel.parse(name).name == name


@given(st.text() | ALMOST_NAMES | ALMOST_NAMES.map("/".__add__))
def test_so_do_patterns(text: str) -> None:
    try:
        name = Pattern.parse(text).name
    except ChannelInvalid:
        assert not PATTERN.match(text)
    else:
        assert PATTERN.match(name)
        assert Pattern.parse(name).name == name


@given(CLOSE_NAMES, CLOSE_PATTERNS)
def test_the_expansion_of_a_channel_is_the_patterns_that_match_it(name: str, pattern: str) -> None:
    channel, parsed = Channel.parse(name), Pattern.parse(pattern)
    expected = matches(pattern, name)
    assert parsed.matches(channel) is expected
    assert (parsed.name in channel.expansion) is expected


@given(NAMES)
def test_an_expansion_names_each_pattern_once_and_all_of_them_match(name: str) -> None:
    channel = Channel.parse(name)
    assert len(set(channel.expansion)) == len(channel.expansion) == len(channel.segments) + 2
    assert all(Pattern.parse(pattern).matches(channel) for pattern in channel.expansion)


@given(CLOSE_NAMES, CLOSE_NAMES, st.sets(st.integers(0, 3)))
def test_a_template_binds_what_spells_it_when_filled_in(name: str, other: str, places: set[int]) -> None:
    segments = Channel.parse(name).segments
    spelt = [f"{{p{index}}}" if index in places else each for index, each in enumerate(segments)]
    template = Template("/" + "/".join(spelt))
    bound = template.bind(Channel.parse(other))
    if bound is not None:
        assert "/" + "/".join(bound.get(each[1:-1], each) for each in spelt) == other
    assert template.bind(Channel.parse(name)) is not None


@given(CLOSE_NAMES, CLOSE_PATTERNS, st.sets(st.integers(0, 3)))
def test_a_template_that_binds_a_channel_overlaps_every_pattern_of_it(
    name: str, pattern: str, places: set[int]
) -> None:
    segments = Channel.parse(name).segments
    spelt = [f"{{p{index}}}" if index in places else each for index, each in enumerate(segments)]
    if matches(pattern, name):
        assert Template("/" + "/".join(spelt)).overlaps(Pattern.parse(pattern))
