"""What it costs to find the subscribers of a channel, however many channels there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle, islice

from bench.measuring import Benchmark, Effort, Result, timed
from mirant.bayeux.channels import Channel, Pattern
from mirant.bus.subscriptions import Subscriptions

_SIZES = (10, 1_000, 100_000, 1_000_000)
_ITEMS = 1_000


def run(effort: Effort) -> Iterator[Result]:
    """Look up channels in rotation, each with one subscriber of its own and one by wildcard."""
    for size in _SIZES:
        if size <= effort.most:
            yield from _in_rotation(size, effort)


def names_of(size: int) -> list[str]:
    """Return *size* names of channels, of three segments like those of most applications."""
    return [f"/games/{number % 1_000}/{number}" for number in range(size)]


def _in_rotation(size: int, effort: Effort) -> Iterator[Result]:
    names = names_of(size)
    subscriptions: Subscriptions[int] = Subscriptions()
    for number, name in enumerate(names):
        subscriptions.add(number, Pattern.parse(name))
    rotation = cycle(names)
    case = f"{size:,} channels in rotation"
    yield timed(
        "matching",
        f"{case}, one subscriber each",
        "look-up",
        lambda: _look_up(subscriptions, list(islice(rotation, _ITEMS))),
        _ITEMS,
        effort,
    )
    subscriptions.add(-1, Pattern.parse("/games/**"))
    yield timed(
        "matching",
        f"{case}, and one subscriber of all",
        "look-up",
        lambda: _look_up(subscriptions, list(islice(rotation, _ITEMS))),
        _ITEMS,
        effort,
    )
    yield timed(
        "matching",
        f"{case}, another wildcard (un)subscribed every 10",
        "look-up",
        lambda: _look_up_in_change(subscriptions, list(islice(rotation, _ITEMS))),
        _ITEMS,
        effort,
    )


def _look_up(subscriptions: Subscriptions[int], names: Sequence[str]) -> None:
    for name in names:
        subscriptions.match(Channel.parse(name))


def _look_up_in_change(subscriptions: Subscriptions[int], names: Sequence[str]) -> None:
    wildcard = Pattern.parse("/news/*")
    for start in range(0, len(names), 10):
        if start % 20:
            subscriptions.remove(-2, wildcard)
        else:
            subscriptions.add(-2, wildcard)
        _look_up(subscriptions, names[start : start + 10])


MATCHING = Benchmark("matching", "a channel's name to its subscribers", run)
