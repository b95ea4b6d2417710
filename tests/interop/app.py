"""The bus that the interop tests run as a process of its own: ``mirant serve tests.interop.app:bus``."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

from mirant import Bus, Caller, RemoteError, Session, Settings
from mirant.options.values import TRANSPORTS
from tests.hosts.waiting import until

PAGES = Path(__file__).parent / "pages"


class Later(TypedDict):
    """A call that takes its time."""

    number: int
    seconds: float


class Announcement(TypedDict):
    """How many messages to publish, and where."""

    channel: str
    count: int


def create_bus(settings: Settings, clock: Callable[[], float] = time.time, pages: Path | None = None) -> Bus:
    """Return a bus with the services that the scenarios call."""
    bus = Bus(settings=settings, wall_clock=clock, pages=pages)

    @bus.rpc("/echo")
    def echo(caller: Caller, data: object) -> object:
        return data

    @bus.rpc("/fail")
    def fail(caller: Caller, data: object) -> object:
        raise RemoteError("failed on purpose")

    @bus.rpc("/later")
    async def later(caller: Caller, data: Later) -> object:
        await asyncio.sleep(data["seconds"])  # the subject: an answer that takes time
        return data

    @bus.rpc("/announce")
    async def announce(caller: Caller, data: Announcement) -> None:
        for number in range(data["count"]):
            await bus.publish(data["channel"], {"number": number})

    @bus.rpc("/whence")
    def whence(caller: Caller, data: object) -> object:
        return caller.session.address

    @bus.rpc("/leave")
    async def leave(caller: Caller, data: object) -> None:
        # Only a client that waits can be told; without a held connect it learns by a 402 and comes back.
        session = bus.loop.core.sessions[caller.session.id]
        await until(lambda: session.held is not None)
        bus.dismiss(caller.session)

    @bus.on_leave
    def note(session: Session) -> None:
        # The test that waits for this reads the log of the process.
        print(f"left: {session.id}", flush=True)  # noqa: T201 - the log of a test

    return bus


bus = create_bus(Settings())

#: Forgets its sessions quickly: a test can wait for that.
forgetful = create_bus(Settings(timeout=0.5, max_interval=0.5))

#: Knows no WebSocket.
polling = create_bus(Settings(transports=("long-polling",)))

#: Lives an hour ahead of its clients.
ahead = create_bus(Settings(), clock=lambda: time.time() + 3600)

#: The name of the site, which proxies pass on.
SITE = ("bus.example.org",)

#: Has every transport, and pages. A page with an event stream learns of a lost session after `timeout`.
proxied = create_bus(Settings(transports=TRANSPORTS, timeout=2, allow_hosts=SITE), pages=PAGES)

#: Holds polls for longer than any test waits, and forgets clients that went away at once.
patient = create_bus(Settings(timeout=600, max_interval=2, allow_hosts=SITE))
