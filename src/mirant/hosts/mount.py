"""A bus in front of an application: its path is the bus's, everything else the application's."""

from __future__ import annotations

from typing import Protocol

from mirant.hosts.asgi_scope import AsgiApplication, Receive, Scope, Send, watched


class Closable(Protocol):
    """What can be mounted: an ASGI application that must be told of the end."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...

    def open(self) -> None: ...

    async def close(self) -> None: ...


class Mounted:
    """An ASGI application that gives requests at *path* and below to *bus*, and all others to *app*."""

    def __init__(self, bus: Closable, path: str, app: AsgiApplication) -> None:
        """Mount *bus* at *path*, such as ``/cometd``; ``/`` gives it everything."""
        self.bus = bus
        self.path = "/" + path.strip("/") if path.strip("/") else ""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "lifespan":
            watching = watched(receive, opened=self.bus.open, closed=self.bus.close)
            await self.app(scope, watching, send)
        elif self._is_ours(scope):
            await self.bus({**scope, "root_path": scope.get("root_path", "") + self.path}, receive, send)
        else:
            await self.app(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        return path == self.path or path.startswith(self.path + "/")
