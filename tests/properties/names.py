"""Strategies for channel names, and the grammar written a second time, as an oracle."""

import re

from hypothesis import strategies as st

#: A segment, from the characters that the reference server accepts, without "*".
SEGMENTS = st.text(st.sampled_from("abz019AZ !#$()+-.@_{~}"), min_size=1, max_size=4).filter(
    lambda s: s.strip()
)
NAMES = st.lists(SEGMENTS, min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts).rstrip())

#: Few segments, so that names and patterns often meet.
CLOSE_SEGMENTS = st.lists(st.sampled_from("abc"), max_size=4)
CLOSE_NAMES = CLOSE_SEGMENTS.filter(bool).map(lambda parts: "/" + "/".join(parts))
CLOSE_PATTERNS = CLOSE_NAMES | st.builds(
    lambda parts, star: "/" + "/".join([*parts, star]), CLOSE_SEGMENTS, st.sampled_from(["*", "**"])
)

_SEGMENT = r"[A-Za-z0-9 !#$()+.@_{~}-]+"
# Blanks at the end are no part of a name: what ends in one is another spelling of it, or nothing.
CHANNEL = re.compile(rf"(/{_SEGMENT})+(?<! )\Z")
PATTERN = re.compile(rf"(/{_SEGMENT})*(/{_SEGMENT}|/\*|/\*\*)(?<! )\Z")


def matches(pattern: str, channel: str) -> bool:
    """Say whether *pattern* matches *channel*, by turning it into a regular expression."""
    if pattern.endswith("/**"):
        return re.match(re.escape(pattern[:-2]) + r"[^/]+(/[^/]+)*\Z", channel) is not None
    if pattern.endswith("/*"):
        return re.match(re.escape(pattern[:-1]) + r"[^/]+\Z", channel) is not None
    return pattern == channel
