"""Servers for tests: a bus on a free port, in this process or in one of its own."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Literal, Self
from unittest.mock import patch

import uvicorn
import uvicorn.server

from mirant import Bus
from mirant.hosts.asgi.scope import AsgiApplication
from mirant.hosts.mount import Mounted
from mirant.hosts.native.deadlines import ConnectionLimits
from mirant.hosts.native.server import NativeHost
from mirant.hosts.native.websocket import NativeWebSocket
from mirant.hosts.server import Server

ROOT = Path(__file__).parents[2]

Host = Literal["asgi", "native"]
HOSTS: Final[tuple[Host, ...]] = ("asgi", "native")

#: By which host `serving` serves; conftest.py lets every test run by each.
HOST: Host = "native"


class _Prompt:
    """asyncio as uvicorn's server sees it in tests: it looks at things more often than ten times a second."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        # The subject: how often uvicorn looks at its flags.
        await asyncio.sleep(min(seconds, 0.005))


def listen() -> socket.socket:
    """Return a socket that is bound to a free port."""
    # With its protocol named: asyncio turns Nagle's algorithm off for no other.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    return listener


@asynccontextmanager
async def serving(
    bus: Bus,
    app: AsgiApplication | None = None,
    *,
    root_path: str = "",
    grace: float = 5,
    limits: ConnectionLimits | None = None,
    websocket: type[NativeWebSocket] = NativeWebSocket,
    listener: socket.socket | None = None,
    **options: Any,
) -> AsyncIterator[str]:
    """Serve *app* (the bus itself, if not given) as ``mirant serve`` does; give its origin as a URL.

    *limits* and *websocket* are the native host's, *options* are uvicorn's.
    """
    config = uvicorn.Config(
        app or bus,
        http=_protocol(bus, app, limits, websocket) or "httptools",
        log_level="warning",
        lifespan="on",
        ws_max_size=bus.settings.max_body,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=int(grace),
        root_path=root_path,
        **options,
    )
    listening = asyncio.Event()
    with listener or listen() as bound, patch.object(uvicorn.server, "asyncio", _Prompt()):
        server = Server(config, bus, listening.set)
        running = asyncio.create_task(server.serve(sockets=[bound]))
        await listening.wait()
        scheme = "https" if config.is_ssl else "http"
        try:
            yield "{}://{}:{}".format(scheme, *bound.getsockname()) if bound.family != socket.AF_UNIX else ""
        finally:
            server.should_exit = True
            await running


def _protocol(
    bus: Bus, app: AsgiApplication | None, limits: ConnectionLimits | None, websocket: type[NativeWebSocket]
) -> Any:
    """Return what uvicorn is to take as ``http=``; None for its own."""
    if HOST == "asgi" or not (app is None or isinstance(app, Mounted)):
        return None  # where a framework has mounted the bus only the framework knows
    path = app.path if app else "/"
    return NativeHost(bus.loop, path, routes=bus.routes, limits=limits, websocket=websocket)


class Process:
    """``mirant ARGUMENTS`` as a process of its own; leaving the context ends it."""

    def __init__(self, *arguments: str, folder: Path) -> None:
        paths = filter(None, [os.environ.get("PYTHONPATH")])
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-W", "error", "-m", "mirant", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *paths])},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.first_line = ""

    def start(self) -> Self:
        """Return once the process has printed its first line."""
        self.first_line = self._out.readline()
        assert self.first_line, self.finish()
        return self

    @property
    def url(self) -> str:
        """Where the bus is, by what the process printed."""
        [url] = [word for word in self.first_line.split() if word.startswith("http")]
        return url.replace("localhost", "127.0.0.1")

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended yet."""
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def complaint(self) -> str:
        """Return the next line that the process writes to stderr, when it has."""
        assert self._process.stderr is not None
        return self._process.stderr.readline()

    def finish(self, *, limit: float = 8) -> tuple[int, str, str]:
        """Wait until the process has ended; return its exit code, what it printed since, and its stderr.

        A process that has not ended after *limit* seconds is killed.
        """
        try:
            out, err = self._process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            self._process.kill()
            out, err = self._process.communicate()
        return self._process.returncode, out, err

    @property
    def _out(self) -> IO[str]:
        assert self._process.stdout is not None
        return self._process.stdout

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
