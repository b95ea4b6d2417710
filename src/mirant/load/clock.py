"""The clock, and an alarm that rings on time."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from typing import Final

# As far as timers of event loops may be off. Waking earlier than a batch is due would spin.
_SHORTEST: Final = 50  # microseconds


def now_us() -> int:
    """Return the monotonic time in microseconds, the same in all processes of this machine."""
    return time.monotonic_ns() // 1_000


class Alarm:
    """Calls *ring* at a given time, within about 0.2 ms.

    The timers of event loops count whole milliseconds, which is longer than many a latency that is to be
    measured. The interval timer of the process does not; so there can be one alarm in a process, in its
    main thread. Where there is no such timer (Windows) it is the loop's, and the lateness shows.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._precise = hasattr(signal, "setitimer")
        self._timer: asyncio.TimerHandle | None = None
        if self._precise:
            loop.add_signal_handler(signal.SIGALRM, ring)

    def set(self, when: int) -> None:
        """Ring once at *when*, or at once if that has passed; an earlier setting is forgotten."""
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
