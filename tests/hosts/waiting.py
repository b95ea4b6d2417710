"""Waiting for the bus in this process: until something holds, and no longer."""

import asyncio
from collections.abc import Callable


async def until(holds: Callable[[], bool]) -> None:
    """Let the event loop take turns until *holds* says so; pytest's timeout is the limit.

    In each turn the loop looks at its sockets and timers, so nothing is guessed of how long they take.
    """
    while not holds():
        await asyncio.sleep(0)
