"""A server for the Autobahn test suite: the native host, with a connection that sends every message back::

python -m tests.conformance.autobahn_echo --port 9001
"""

import argparse
import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from mirant import Bus, Settings
from mirant.hosts.native.server import NativeHost
from mirant.hosts.native.websocket import NativeWebSocket
from mirant.hosts.rfc6455.frames import frame
from mirant.hosts.server import Server

# Group 9 sends 16 MiB.
LARGEST = 16 * 1024 * 1024


class Echo(NativeWebSocket):
    """The native host's connection, but for what it does with a message."""

    __slots__ = ()

    def take_message(self, opcode: int, payload: bytes) -> None:
        """Send the message back."""
        self._put(frame(opcode, payload))


@asynccontextmanager
async def echoing(port: int = 0) -> AsyncIterator[str]:
    """Serve at *port* of this machine, or a free one; give the URL."""
    bus = Bus(settings=Settings(max_body=LARGEST))
    native = NativeHost(bus.loop, "/", routes=bus.routes, websocket=Echo)
    config = uvicorn.Config(bus, http=native, log_level="warning", lifespan="on")  # type: ignore[arg-type]  # a factory
    listening = asyncio.Event()
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        server = Server(config, bus, listening.set)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        await listening.wait()
        try:
            yield "ws://{}:{}".format(*listener.getsockname())
        finally:
            server.should_exit = True
            await running


async def serve(port: int) -> None:
    """Serve until interrupted."""
    async with echoing(port):
        await asyncio.Event().wait()


def main() -> None:
    """Read the port and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.autobahn_echo", description=__doc__)
    parser.add_argument("--port", type=int, default=9001)
    try:
        asyncio.run(serve(parser.parse_args().port))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
