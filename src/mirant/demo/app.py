"""The bus behind the demo pages."""

import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Raw

from mirant import Bus, Caller, Settings
from mirant.bus.settings_values import TRANSPORTS
from mirant.demo.chat import Chat

PAGES = Path(__file__).parent / "pages"


def create_bus(*, wall_clock: Callable[[], float] = time.time) -> Bus:
    """Return a bus with the demo's pages, its chat and its remote call.

    Every channel the demo does not use stays open: any Bayeux client can be tried against it.
    *wall_clock* is the time of day in seconds since 1970, as the pages show it.
    """
    everything = Settings(transports=TRANSPORTS)  # polling by script tags is off elsewhere
    bus = Bus(settings=everything, pages=PAGES, wall_clock=wall_clock)
    bus.rpc("/echo")(echo)
    Chat(bus, wall_clock=wall_clock).attach()
    return bus


def echo(caller: Caller, data: Raw) -> Raw:
    """Answer ``/service/echo`` with the very bytes that were sent: no number is rounded on the way."""
    return data
