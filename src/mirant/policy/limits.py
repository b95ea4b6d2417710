"""Limits and options that a rule may set for its channels, and how each is read from the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from mirant.bus.channel_options import ChannelOptions
from mirant.options.values import (
    Overflow,
    SettingsError,
    read_count,
    read_duration,
    read_overflow,
    read_size,
    read_switch,
)


@dataclass(frozen=True, slots=True)
class Rate:
    """A mean rate of `count` messages in `seconds` seconds. `count` messages may come at once."""

    count: int
    seconds: float

    def admits(self, expected: float, now: float) -> float | None:
        """Return when the message after one at *now* is expected; None if the one at *now* comes too early.

        This is the generic cell rate algorithm, whose whole state is one number per sender. *expected* is
        this number: the result for the message before, and 0 for the first message. Times are in seconds.
        """
        step = self.seconds / self.count
        if expected - now > self.seconds + step / 2:
            expected = now  # too late for this rate: a stricter one was in force until now
        following = max(expected, now) + step
        return following if following - now <= self.seconds + step / 2 else None

    def __str__(self) -> str:
        return f"{self.count}/{_UNITS.get(self.seconds, f'{self.seconds:g}s')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLimits:
    """The limits and options of one rule. None: the rule does not set it."""

    max_message: int | None = None  # bytes
    rate: Rate | None = None
    max_members: int | None = None
    history: int | None = None
    overflow: Overflow | Literal["latest"] | None = None
    lazy: float | None = None  # seconds
    echo: bool | None = None
    persistent: bool | None = None

    def options(self) -> ChannelOptions:
        """Return the options that the bus itself applies."""
        latest = self.overflow == "latest" or None
        return ChannelOptions(
            lazy=self.lazy,
            echo=self.echo,
            persistent=self.persistent,
            history=self.history,
            latest=latest,
            overflow=None if self.overflow == "latest" else self.overflow,
        )


def read_rate(value: object) -> Rate:
    """Return the rate that a text such as "20/s" spells."""
    found = _RATE.fullmatch(value) if isinstance(value, str) else None
    if found is None or int(found[1]) == 0:
        raise SettingsError('a rate such as "20/s", "100/m" or "1000/h"')
    return Rate(int(found[1]), _SECONDS[found[2]])


def read_channel_overflow(value: object) -> object:
    """Return the name of a policy for full outboxes, ``latest`` among them."""
    if value == "latest":
        return value
    try:
        return read_overflow(value)
    except SettingsError as error:
        raise SettingsError(f"{error}, latest") from None


_SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}
_UNITS: Final = {seconds: unit for unit, seconds in _SECONDS.items()}
_RATE: Final = re.compile(r"([0-9]{1,9})\s*/\s*(s|m|h)")

#: How the value of each of `RuleLimits` is read.
LIMITS: Final[Mapping[str, Callable[[object], object]]] = {
    "max_message": read_size,
    "rate": read_rate,
    "max_members": read_count,
    "history": read_count,
    "overflow": read_channel_overflow,
    "lazy": read_duration,
    "echo": read_switch,
    "persistent": read_switch,
}

#: The limits that hold for calls. The others are about distribution, and service channels distribute nothing.
CALL_LIMITS: Final = frozenset({"max_message", "rate"})
