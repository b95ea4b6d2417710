"""A bus with every transport in front of a web application that has the pages of the tests.

``python -m tests.interop.site PORT OTHER_PORT POLICY`` serves the same on two ports. A page from the second
one is a page of another origin for the bus at the first, which lets it in. The bus serves the pages
too, under the content security POLICY.
"""

import mimetypes
import socket
import sys
import time
from pathlib import Path
from typing import TypedDict

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from mirant import Ack, BinaryData, Bus, Caller, RemoteError, Settings, TimeStamp, TimeSync
from mirant.hosts.mount import Mounted
from mirant.hosts.pages import CONTENT_SECURITY_POLICY
from mirant.options.values import TRANSPORTS
from tests.interop.server import ROOT, Server, free_port


class Announcement(TypedDict):
    """How many messages to publish, and where."""

    channel: str
    count: int


def create_bus(origin: str, policy: str = CONTENT_SECURITY_POLICY) -> Bus:
    """Return a bus with every transport and extension, which pages of *origin* may use, and its own may."""
    bus = Bus(
        # A page with an event stream learns of a lost session after `timeout`, and a test waits for that.
        settings=Settings(transports=TRANSPORTS, allow_origins=(origin,), timeout=2),
        extensions=[Ack(), BinaryData(), TimeSync(time.time), TimeStamp(time.time)],
        pages=Path(__file__).parent / "pages",
        content_security_policy=policy,
    )

    @bus.rpc("/echo")
    def echo(caller: Caller, data: object) -> object:
        return data

    @bus.rpc("/fail")
    def fail(caller: Caller, data: object) -> object:
        raise RemoteError("failed on purpose")

    @bus.rpc("/announce")
    async def announce(caller: Caller, data: Announcement) -> None:
        for number in range(data["count"]):
            await bus.publish(data["channel"], {"number": number})

    return bus


def create_app(origin: str, policy: str) -> Mounted:
    """Return the application: the bus at /cometd, beside it npm's packages and the scripts of the tests."""
    mimetypes.add_type("text/javascript", ".mjs")
    folders = {"/node_modules": ROOT / "node_modules", "/interop": Path(__file__).parent}
    routes = [Mount(path, StaticFiles(directory=folder)) for path, folder in folders.items()]
    return create_bus(origin, policy).mount(Starlette(routes=routes))


class Site(Server):
    """The process; leaving the context ends it."""

    def __init__(self, log: Path, policy: str = CONTENT_SECURITY_POLICY) -> None:
        super().__init__(log)
        self._other = free_port()
        ports = (str(self._port), str(self._other))
        self._command = [sys.executable, "-u", "-m", "tests.interop.site", *ports, policy]

    def page(self, name: str) -> str:
        """Return the address of a page that the bus serves."""
        return f"{self.url}/{name}"

    def foreign_page(self, name: str) -> str:
        """Return the address of the same page of another origin, where no policy is set."""
        return f"http://127.0.0.1:{self._other}/interop/pages/{name}.html"


def main(port: int, other_port: int, policy: str) -> None:
    """Serve until the process is killed."""
    listeners = [socket.create_server(("127.0.0.1", number)) for number in (port, other_port)]
    # They listen already: who comes before uvicorn is ready waits for it.
    print(f"http://127.0.0.1:{port}/cometd")  # noqa: T201 - what Server waits for
    app = create_app(f"http://127.0.0.1:{other_port}", policy)
    config = uvicorn.Config(app, log_level="warning", lifespan="on")
    uvicorn.Server(config).run(sockets=listeners)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
