"""Channel names, the patterns that match them and the templates that bind them.

Rules for this file:

* A `Channel` names one place to publish to; a `Pattern` is what a client subscribes to. They are
  different types, so that publishing to ``/a/*`` cannot be written.
* What a name *is* (meta, service, broadcast) is decided here, once, from its parsed first segment.
  Nobody compares strings elsewhere: a server that tested for ``== "/meta/subscribe"`` let
  ``/meta/subscribe/x`` slip past its authentication.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import Final

# Longest name accepted, in characters. Bayeux has no limit; Salesforce's longest observed name has about
# 100. Names are kept per subscription and per cache entry, so a client must not choose their size.
MAX_NAME: Final = 256

# Deepest name accepted. A name of n segments is looked up under n + 2 patterns on each publish.
MAX_SEGMENTS: Final = 32

# The characters the reference server accepts in a segment: wider than the grammar of Bayeux 1.0, section
# 2.1 (which has no "#", ".", "+", "{", "}" or inner space). "*" is absent: it may only stand for itself.
_SEGMENT: Final = r"[A-Za-z0-9 !#$()+\-.@_{~}]+"
_NAME: Final = re.compile(rf"(?:/{_SEGMENT})+")
_PATTERN: Final = re.compile(rf"(?:/{_SEGMENT})*/\*{{1,2}}")
_PARAMETER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")

# Parsed names are kept, because the same few are used over and over. Clients choose the names, so the cache
# is bounded: the deepest names take 3 KiB each. What is not kept takes 2 µs to parse.
_CACHED: Final = 4_096


class Kind(Enum):
    """What a channel is for (Bayeux 1.0, section 2.1)."""

    META = "meta"  # /meta/**: the protocol itself
    SERVICE = "service"  # /service/**: between one client and the server
    BROADCAST = "broadcast"  # everything else: publish and subscribe


class ChannelInvalid(ValueError):
    """A text is not a channel name, pattern or template. `text` and `reason` say which and why."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text, reason)
        self.text = text
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.text[:MAX_NAME]!r} is not a channel: {self.reason}"


class Channel:
    """The name of one channel. Make it with `Channel.parse`; equal names compare equal."""

    __slots__ = ("kind", "name", "segments", "siblings")

    name: str
    segments: tuple[str, ...]
    kind: Kind
    #: The pattern of this channel and those beside it: ``/a/b`` → ``/a/*``. They share all wildcards.
    siblings: str

    def __init__(self, name: str, segments: tuple[str, ...]) -> None:
        self.segments = segments
        self.name = name
        self.siblings = name[: -len(segments[-1])] + "*"
        self.kind = _RESERVED.get(segments[0], _BROADCAST)

    @staticmethod
    def parse(text: str) -> Channel:
        """Return the channel that *text* names.

        Blanks at the end and one trailing ``/`` are dropped, as the reference server does.

        Raises:
            ChannelInvalid: *text* is not a name, or it is a pattern.
        """
        if len(text) > MAX_NAME:
            raise _too_long(text)
        return _channel(text)

    @property
    def expansion(self) -> tuple[str, ...]:
        """The names of all patterns that match this channel, itself first.

        ``/a/b`` → ``/a/b``, ``/a/*``, ``/a/**``, ``/**``. Looking each of them up finds all subscribers.
        """
        # Made when it is asked for, because it would be half of the cost of parsing a new name.
        return _expand(self.segments)

    def __repr__(self) -> str:
        return f"Channel({self.name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Channel) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


class Pattern:
    """What can be subscribed to: a channel name, or one that ends in ``*`` (one segment) or ``**`` (any)."""

    __slots__ = ("depth", "kind", "name", "segments")

    name: str
    segments: tuple[str, ...]  # without the wildcard
    depth: int  # 0: a plain name, 1: ``*``, 2: ``**``
    kind: Kind

    def __init__(self, segments: tuple[str, ...], depth: int) -> None:
        self.segments = segments
        self.depth = depth
        self.name = "/" + "/".join((*segments, "*" * depth) if depth else segments)
        # No segments: the pattern ``/*`` or ``/**``.
        self.kind = _RESERVED.get(segments[0], _BROADCAST) if segments else _BROADCAST

    @staticmethod
    def parse(text: str) -> Pattern:
        """Return the pattern that *text* spells.

        Raises:
            ChannelInvalid: *text* is neither a channel name nor a name that ends in ``/*`` or ``/**``.
        """
        if len(text) > MAX_NAME:
            raise _too_long(text)
        return _pattern(text)

    @property
    def weight(self) -> int:
        """About how many bytes of memory a subscription to it takes, if nobody else has one."""
        return 100 + len(self.name) + 60 * len(self.segments)

    def matches(self, channel: Channel) -> bool:
        """Whether a message on *channel* is for subscribers of this pattern.

        ``/**`` matches meta and service channels too in this sense; that those are never distributed is
        the bus's rule, not the grammar's.
        """
        own, other = self.segments, channel.segments
        if self.depth == 0:
            return own == other
        if self.depth == 1:
            return len(other) == len(own) + 1 and other[:-1] == own
        return len(other) > len(own) and other[: len(own)] == own

    def __repr__(self) -> str:
        return f"Pattern({self.name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


class Template:
    """A channel name with parameters, such as ``/chat/{room}``, for the routes of an application.

    A template without parameters is a plain name and binds itself only.
    """

    __slots__ = ("name", "parameters", "segments")

    def __init__(self, text: str) -> None:
        """Parse *text*.

        Raises:
            ChannelInvalid: the text is not a name, or a parameter is misspelt or used twice.
        """
        self.segments = Channel.parse(text).segments
        self.name = "/" + "/".join(self.segments)
        parameters: list[str] = []
        for segment in self.segments:
            if "{" in segment or "}" in segment:
                parameters.append(_parameter(text, segment))
        if len(set(parameters)) != len(parameters):
            raise ChannelInvalid(text, "it uses a parameter twice")
        self.parameters = tuple(parameters)

    def bind(self, channel: Channel) -> dict[str, str] | None:
        """Return the parameters' values in *channel*, or None if the channel is not of this form."""
        if len(channel.segments) != len(self.segments):
            return None
        bound = {}
        for own, other in zip(self.segments, channel.segments, strict=True):
            if own[0] == "{":
                bound[own[1:-1]] = other
            elif own != other:
                return None
        return bound

    def overlaps(self, pattern: Pattern) -> bool:
        """Whether *pattern* matches some channel that this template binds."""
        spare = len(self.segments) - len(pattern.segments)
        if spare != pattern.depth and not (pattern.depth == 2 and spare > 0):
            return False
        pairs = zip(self.segments, pattern.segments, strict=False)
        return all(own[0] == "{" or own == other for own, other in pairs)

    def __repr__(self) -> str:
        return f"Template({self.name!r})"


def _parameter(text: str, segment: str) -> str:
    found = _PARAMETER.fullmatch(segment)
    if found is None:
        raise ChannelInvalid(
            text, f"{segment!r} should be one parameter, such as {{room}}, filling its segment"
        )
    return found[1]


_RESERVED: Final = {"meta": Kind.META, "service": Kind.SERVICE}
_BROADCAST: Final = Kind.BROADCAST  # looking up a member of an enumeration takes 0.1 µs


def _expand(segments: tuple[str, ...]) -> tuple[str, ...]:
    prefixes = [""]
    for segment in segments:
        prefixes.append(f"{prefixes[-1]}/{segment}")
    name = prefixes.pop()
    return (name, prefixes[-1] + "/*", *(prefix + "/**" for prefix in reversed(prefixes)))


def _too_long(text: str) -> ChannelInvalid:
    # Checked before the cache is asked, because the cache keeps the text, not only the name in it.
    return ChannelInvalid(text, f"it is longer than {MAX_NAME} characters")


def _split(text: str, grammar: re.Pattern[str], what: str) -> tuple[str, tuple[str, ...]]:
    """Return the name that *text* spells, and its segments."""
    name = text
    if text[-1:] in (" ", "/"):
        name = text.rstrip(" ")
        if len(name) > 1 and name[-1] == "/":
            name = name[:-1].rstrip(" ")
    if grammar.fullmatch(name) is None:
        raise ChannelInvalid(text, what)
    segments = tuple(name[1:].split("/"))
    if len(segments) > MAX_SEGMENTS:
        raise ChannelInvalid(text, f"it has more than {MAX_SEGMENTS} segments")
    return name, segments


@lru_cache(maxsize=_CACHED)
def _channel(text: str) -> Channel:
    return Channel(*_split(text, _NAME, "a name is made of segments such as /a/b, without wildcards"))


@lru_cache(maxsize=_CACHED)
def _pattern(text: str) -> Pattern:
    if not text.rstrip(" /").endswith("*"):
        _, segments = _split(text, _NAME, "a name is made of segments such as /a/b")
        return Pattern(segments, 0)
    _, segments = _split(text, _PATTERN, "a wildcard is the whole last segment: /a/* or /a/**")
    return Pattern(segments[:-1], len(segments[-1]))


#: The channels of the protocol itself (Bayeux 1.0, section 4).
HANDSHAKE: Final = Channel.parse("/meta/handshake")
CONNECT: Final = Channel.parse("/meta/connect")
SUBSCRIBE: Final = Channel.parse("/meta/subscribe")
UNSUBSCRIBE: Final = Channel.parse("/meta/unsubscribe")
DISCONNECT: Final = Channel.parse("/meta/disconnect")
