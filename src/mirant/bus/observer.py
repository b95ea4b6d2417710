"""Telling all observers, and those only that want to know."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final

from mirant.bus.contracts import Observer
from mirant.bus.hooks import failure_of

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
        """Tell *observer* too, from now on.

        Raises:
            TypeError: one of its functions is a coroutine function. Nobody waits for those.
        """
        heard = [each for each in _EVENTS if getattr(type(observer), each) is not getattr(Observer, each)]
        for event in heard:
            if inspect.iscoroutinefunction(getattr(observer, event)):
                raise TypeError(f"{type(observer).__name__}.{event} is not awaited: it may not be async")
        self._all.append(observer)
        for event in heard:
            tell = _contained(self, event, getattr(observer, event))
            setattr(self, event, (*getattr(self, event), tell))

    def note(self, event: str, party: Any = None, **facts: object) -> None:
        """Tell of an *event* that an operator may look for."""
        for tell in self.noted:
            tell(event, party, facts)

    def fail(self, event: str, error: BaseException, **facts: object) -> None:
        """Tell of *error*, which somebody's code raised while *event* says what was done."""
        for tell in self.failed:
            tell(event, error, facts)


def _contained(observers: Observers, event: str, tell: Callable[..., Any]) -> Callable[..., None]:
    """Return what calls *tell* and raises nothing: what it is told of has happened, and goes on."""

    def told(*facts: object) -> None:
        try:
            tell(*facts)
        except BaseException as error:
            failed = failure_of(error)
            if event != "failed":  # else there is nobody left to tell
                observers.fail("observer.failed", failed, of=event)

    return told
