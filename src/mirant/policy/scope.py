"""The channels that a rule is about, written ``/chat/{room}``, ``/chat/*`` or ``/users/{user}/**``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mirant.bayeux.channels import Channel, ChannelInvalid, Kind, Pattern, Template

#: In a scope's segments: one segment of any text.
ANY: Final = None


class ChannelScope:
    """A set of channels. Each segment is a text or a parameter (or ``*``); ``**`` may be at the end.

    As a set, ``/a/*`` and ``/a/{b}`` are the same; the parameter only gives the segment a name.
    """

    __slots__ = ("kind", "name", "names", "open", "rank", "segments")

    name: str
    segments: tuple[str | None, ...]
    names: tuple[str | None, ...]  # of the parameters, by position
    open: bool  # one or more segments of any text follow
    kind: Kind
    #: How specific it is; of two scopes with a channel in common the smaller rank is the more specific.
    #: Read from the left: text before a parameter, a parameter or ``*`` before ``**``.
    rank: tuple[int, ...]

    def __init__(
        self, segments: tuple[str | None, ...], names: tuple[str | None, ...], name: str, *, is_open: bool
    ) -> None:
        self.segments = segments
        self.names = names
        self.name = name
        self.open = is_open
        own = tuple(1 if segment is ANY else 0 for segment in segments)
        self.rank = (*own, 2) if is_open else own
        first = segments[0] if segments else ANY
        self.kind = {"meta": Kind.META, "service": Kind.SERVICE}.get(first or "", Kind.BROADCAST)

    @staticmethod
    def parse(text: str) -> ChannelScope:
        """Return the scope that *text* spells.

        Raises:
            ChannelInvalid: it is neither a channel nor a pattern, or a parameter is misspelt or used twice.
        """
        wildcard = next((end for end in ("/**", "/*") if text.endswith(end)), "")
        prefix = text.removesuffix(wildcard)
        if "*" in prefix:
            raise ChannelInvalid(text, "a wildcard is the whole last segment: /a/* or /a/**")
        segments = Template(prefix).segments if prefix or not wildcard else ()
        names = tuple(segment[1:-1] if segment[0] == "{" else None for segment in segments)
        fixed = tuple(ANY if name else segment for segment, name in zip(segments, names, strict=True))
        if wildcard == "/*":
            fixed, names = (*fixed, ANY), (*names, None)
        return ChannelScope(
            fixed,
            names,
            "/" + "/".join(segments) + wildcard if segments else wildcard,
            is_open=wildcard == "/**",
        )

    @staticmethod
    def of(pattern: Pattern) -> ChannelScope:
        """Return the channels whose messages a subscription to *pattern* gets."""
        segments = (*pattern.segments, ANY) if pattern.depth == 1 else pattern.segments
        return ChannelScope(segments, (None,) * len(segments), pattern.name, is_open=pattern.depth == 2)

    @property
    def parameters(self) -> frozenset[str]:
        """The names of the parameters."""
        return frozenset(name for name in self.names if name)

    @property
    def form(self) -> tuple[tuple[str | None, ...], bool]:
        """The set itself: equal for scopes that contain the same channels."""
        return self.segments, self.open

    def bind(self, channels: Channel | ChannelScope) -> Mapping[str, str]:
        """Return the values of the parameters in *channels*, which must be in this scope.

        A parameter that has no single value in *channels* is left out.
        """
        others = channels.segments
        return {
            name: other
            for name, other in zip(self.names, others, strict=False)
            if name is not None and other is not ANY
        }

    def contains(self, other: ChannelScope) -> bool:
        """Whether every channel of *other* is in this scope."""
        own, others = self.segments, other.segments
        if other.open and not self.open:
            return False
        if len(others) < len(own) or (len(others) == len(own) and other.open is not self.open):
            return False
        if len(others) > len(own) and not self.open:
            return False
        return all(mine is ANY or mine == theirs for mine, theirs in zip(own, others, strict=False))

    def meet(self, other: ChannelScope) -> ChannelScope | None:
        """Return the channels that are in both, or None if there are none."""
        longer, shorter = (self, other) if len(self.segments) >= len(other.segments) else (other, self)
        size = len(longer.segments)
        if not shorter.open and (size > len(shorter.segments) or longer.open):
            return None
        if size == len(shorter.segments) and shorter.open is not longer.open:
            return None
        merged = list(longer.segments)
        for index, segment in enumerate(shorter.segments):
            if merged[index] is ANY:
                merged[index] = segment
            elif segment is not ANY and segment != merged[index]:
                return None
        text = "".join(
            f"/{{{longer.names[index] or f's{index}'}}}" if segment is ANY else f"/{segment}"
            for index, segment in enumerate(merged)
        )
        text += "/**" if longer.open else ""
        return ChannelScope(tuple(merged), (None,) * size, text, is_open=longer.open)

    def __repr__(self) -> str:
        return f"ChannelScope({self.name!r})"
