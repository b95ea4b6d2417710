"""The clock, and an alarm that rings on time."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from typing import Final

# How early the timer of an event loop may fire. To wake before a batch is due would be to spin.
_SHORTEST: Final = 50  # microseconds


def now_us() -> int:
    """Return the monotonic time in microseconds, the same in all processes of this machine."""
    return time.monotonic_ns() // 1_000


class Alarm:
    """Calls *ring* at a given time, within about 0.2 ms.

    Event loops count whole milliseconds, which is longer than many latencies that are measured here. The
    interval timer of the process is finer. A process has one such timer, so it can have one alarm, in its
    main thread. On Windows, which has none, the loop's timer is used, and the lateness is reported.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._precise = hasattr(signal, "setitimer")
        self._timer: asyncio.TimerHandle | None = None
        if self._precise:
            loop.add_signal_handler(signal.SIGALRM, ring)

    def set(self, when: int) -> None:
        """Ring once at *when*, or at once if that has passed. The setting before is forgotten."""
        delay = max(when - now_us(), _SHORTEST) / 1_000_000
        if self._precise:
            signal.setitimer(signal.ITIMER_REAL, delay)
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(delay, self._ring)

    def stop(self) -> None:
        """Do not ring any more."""
        if self._precise:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._loop.remove_signal_handler(signal.SIGALRM)
        elif self._timer is not None:
            self._timer.cancel()
