"""Serving a bus by itself, on uvicorn's server: its sockets, its signals, its lifespan.

Tests: `tests/hosts/test_shutdown.py`, `tests/hosts/test_server.py`, `tests/cli/test_serve.py`.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final, Protocol

import uvicorn

from mirant.hosts.asgi.mounts import split_path
from mirant.hosts.asgi.scope import Receive, Scope, Send, answer_lifespan, send_response
from mirant.hosts.loop import Loop
from mirant.hosts.mount import Closable, Mounted
from mirant.hosts.native.server import NativeHost
from mirant.hosts.routes import Routes
from mirant.transports.response import Response, refuse

# How long requests may take when the server ends, in seconds. Held polls are answered at once, so this is for
# requests to the application.
_GRACE: Final = 5


class ServerLimits(Protocol):
    """The settings of a bus that its server needs."""

    @property
    def max_body(self) -> int: ...


class Servable(Closable, Protocol):
    """What a server needs of a bus."""

    @property
    def settings(self) -> ServerLimits: ...

    @property
    def loop(self) -> Loop: ...

    @property
    def routes(self) -> Routes: ...


class Server(uvicorn.Server):
    """uvicorn's server, but it closes the bus before it waits for connections to end.

    uvicorn waits for open requests before it ends the lifespan: 30 seconds for a held /meta/connect. And it
    closes WebSockets with 1012 instead of 1001.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        bus: Closable,
        on_listening: Callable[[], None],
        fail: Callable[..., None] | None = None,
    ) -> None:
        """Serve *bus*. *fail* is told what nobody caught on the event loop; without it, asyncio's log is."""
        super().__init__(config)
        self._bus = bus
        self._on_listening = on_listening
        self._fail = fail

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        if self._fail is not None:
            asyncio.get_running_loop().set_exception_handler(self._report)
        await super().startup(sockets)
        if self.started:
            self._on_listening()

    def _report(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Tell of an exception that nobody has caught. asyncio's own way quotes its text, at any rate."""
        error = context.get("exception")
        if self._fail is not None and isinstance(error, BaseException):
            self._fail("loop.failed", error, what=context.get("message"))
        else:
            loop.default_exception_handler(context)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End gently on the first signal, and at once on the second."""
        if self.should_exit:
            signal.signal(sig, signal.SIG_DFL)
            signal.raise_signal(sig)
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await self._bus.close()
        await super().shutdown(sockets)


@dataclass(frozen=True, slots=True)
class Certificate:
    """The server's certificate for TLS: PEM files. The key is in the same file unless another is given."""

    chain: Path
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Return what speaks TLS with it.

        Raises:
            OSError: a file cannot be read, or is not PEM, or the key is not the certificate's.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.chain, self.key)
        return context


def serve_bus(
    bus: Servable,
    listeners: list[socket.socket],
    *,
    path: str,
    on_listening: Callable[[], None],
    certificate: Certificate | None = None,
    root_path: str = "",
) -> None:
    """Serve *bus* at *path* on *listeners* until SIGINT or SIGTERM; *on_listening* is called once.

    With a *certificate* it is served over TLS. *root_path* is what a proxy strips from the addresses that
    clients use, such as ``/api``. Bayeux never passes through ASGI, but for event streams; pages
    and routes do.
    """
    tls = None if certificate is None else certificate.context()
    native: Any = NativeHost(bus.loop, path, routes=bus.routes, tls=tls)
    config = uvicorn.Config(
        Mounted(bus, path, Elsewhere(path)),
        root_path=root_path,
        loop="auto",  # uvloop, where there is one
        http=native,  # uvicorn calls it for each connection, so an object will do
        log_config=None,  # its own handler would wait until the log is read
        log_level="warning",
        access_log=False,
        lifespan="on",
        backlog=4_096,  # as many as Linux allows by default: many clients may come back at once
        ws_max_size=bus.settings.max_body,
        ws_per_message_deflate=False,  # 50 KiB a connection; a proxy compresses better
        timeout_graceful_shutdown=_GRACE,
    )
    signal.signal(signal.SIGINT, _interrupt)
    _collect_less()
    try:
        Server(config, bus, on_listening, bus.loop.core.observers.fail).run(sockets=listeners)
    except KeyboardInterrupt:
        pass  # uvicorn raises the signal again after it has shut down


def _collect_less() -> None:
    """Let the garbage collector look at what may be garbage, and less often.

    Modules live until the end. A bus leaves next to no circles behind, but it allocates for each message.
    With the default threshold of 700 objects the collector took 7 % of a busy server's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _interrupt(sig: int, frame: FrameType | None) -> None:
    signal.signal(sig, signal.SIG_DFL)  # the next signal ends the process at once
    raise KeyboardInterrupt


class Elsewhere:
    """The application beside a bus that is served alone: ``/`` redirects to the bus, other paths are 404."""

    def __init__(self, path: str) -> None:
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await answer_lifespan(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})  # refuses the upgrade with 403
        else:
            await send_response(self._respond(*split_path(scope)), send, omit_body=scope["method"] == "HEAD")

    def _respond(self, base: str, path: str) -> Response:
        bus = base + self._path
        if path in ("", "/"):
            return refuse(307, f"The bus is at {bus}.", ("location", bus))
        return refuse(404, f"There is nothing here. The bus is at {bus}.")
