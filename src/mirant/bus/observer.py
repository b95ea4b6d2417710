"""Telling all observers, and those only that want to know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from mirant.bus.contracts import Observer

_EVENTS: Final = ("opened", "ended", "refused", "published", "flushed", "dropped", "failed", "noted")


class Observers:
    """The observers of a bus. For each event there is a tuple of the functions to call with it.

    The tuples are public because most events have one or two listeners, and a publish should not pay for a
    call that only distributes.
    """

    __slots__ = ("_all", *_EVENTS)

    opened: tuple[Callable[..., Any], ...]
    ended: tuple[Callable[..., Any], ...]
    refused: tuple[Callable[..., Any], ...]
    published: tuple[Callable[..., Any], ...]
    flushed: tuple[Callable[..., Any], ...]
    dropped: tuple[Callable[..., Any], ...]
    failed: tuple[Callable[..., Any], ...]
    noted: tuple[Callable[..., Any], ...]

    def __init__(self, *observers: Observer) -> None:
        self._all: list[Observer] = []
        for event in _EVENTS:
            setattr(self, event, ())
        for observer in observers:
            self.add(observer)

    def add(self, observer: Observer) -> None:
        """Tell *observer* too, from now on."""
        self._all.append(observer)
        for event in _EVENTS:
            if getattr(type(observer), event) is not getattr(Observer, event):
                setattr(self, event, (*getattr(self, event), getattr(observer, event)))

    def note(self, event: str, party: Any = None, **facts: object) -> None:
        """Tell of an *event* that an operator may look for."""
        for tell in self.noted:
            tell(event, party, facts)

    def fail(self, event: str, error: BaseException, **facts: object) -> None:
        """Tell of *error*, which somebody's code raised while *event* says what was done."""
        for tell in self.failed:
            tell(event, error, facts)
