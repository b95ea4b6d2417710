"""Learning in time that an ASGI server is about to end.

A server tells an application of its end when all requests have ended, and held polls do not end by
themselves: uvicorn waits 30 seconds for one, or cancels it and answers 500. But a server has handlers for the
signals that end it. The bus joins them, and so learns of the end at its beginning. Hypercorn's workers get no
signal. They have a task that waits for the end, and the bus waits for that task.
"""

from __future__ import annotations

import asyncio
import functools
import signal
import threading
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any, Final

# Windows knows SIGBREAK, others SIGQUIT, with which gunicorn ends its workers.
_NAMES: Final = ("SIGINT", "SIGTERM", "SIGQUIT", "SIGBREAK")
_ENDING: Final = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]

# Where Hypercorn waits for its end: module and function.
_WAITS: Final = ("hypercorn.utils", "raise_shutdown")

# Twisted, on which daphne runs, drops its connections in the next turn of the event loop. It gets the signal
# so many seconds later, because answers may have to go through middleware. It acts on it there too.
_HASTY: Final = "twisted."
_HASTE: Final = 0.1

_Handler = Callable[[int, FrameType | None], Any]


class ServerEnding:
    """Calls a function on the event loop when the server of that loop is about to end."""

    __slots__ = ("_ending", "_has_requests", "_joined", "_loop")

    def __init__(self, ending: Callable[[], None]) -> None:
        """Call *ending* on the event loop. It may be called several times."""
        self._ending = ending
        self._loop: asyncio.AbstractEventLoop | None = None
        self._has_requests = False
        self._joined: dict[int, tuple[_Handler, _Handler]] = {}

    def watch(self, loop: asyncio.AbstractEventLoop, *, has_requests: bool) -> None:
        """Join the signal handlers of the server of *loop*, which is running.

        A server may make its tasks after the lifespan began, so they are looked at when it *has_requests*.
        """
        if loop is not self._loop:
            self.leave()
            self._loop = loop
            if threading.current_thread() is threading.main_thread():
                for number in _ENDING:
                    self._join(number)
        if has_requests and not self._has_requests:
            self._has_requests = True
            for task in asyncio.all_tasks(loop):
                if _waits_for_end(task.get_coro()):
                    task.add_done_callback(lambda _: self._ending())

    def leave(self) -> None:
        """Give the signal handlers back, as far as nobody has joined after us."""
        for number, (ours, theirs) in self._joined.items():
            if signal.getsignal(number) is ours:
                signal.signal(number, theirs)
        self._joined.clear()
        self._loop, self._has_requests = None, False

    def _join(self, number: int) -> None:
        theirs = signal.getsignal(number)
        if not callable(theirs) or not _is_a_servers(theirs):
            return  # the signal ends the process at once, or does nothing

        def ours(sig: int, frame: FrameType | None) -> None:
            if self._loop is None or self._loop.is_closed():
                theirs(sig, frame)
            elif getattr(theirs, "__module__", "").startswith(_HASTY):
                self._loop.call_soon_threadsafe(self._end_first, theirs, sig)
            else:
                self._loop.call_soon_threadsafe(self._ending)
                theirs(sig, frame)

        self._joined[number] = (ours, theirs)
        signal.signal(number, ours)

    def _end_first(self, theirs: _Handler, sig: int) -> None:
        self._ending()
        asyncio.get_running_loop().call_later(_HASTE, theirs, sig, None)


def _is_a_servers(handler: object) -> bool:
    """Whether *handler* is neither Python's own nor that of `asyncio.run`, which looks for its own again."""
    function = handler.func if isinstance(handler, functools.partial) else handler
    return handler is not signal.default_int_handler and (
        getattr(function, "__module__", None) != asyncio.runners.__name__
    )


def _waits_for_end(coroutine: object) -> bool:
    """Whether *coroutine* is the one in which Hypercorn waits for its end."""
    frame = (
        coroutine.cr_frame if isinstance(coroutine, Coroutine) and hasattr(coroutine, "cr_frame") else None
    )
    return frame is not None and (frame.f_globals.get("__name__"), frame.f_code.co_name) == _WAITS
