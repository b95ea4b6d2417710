"""A bus in front of an application: the bus has one path, and the application has all others."""

from __future__ import annotations

from typing import Protocol

from mirant.hosts.asgi.mounts import mounted, split_path
from mirant.hosts.asgi.scope import (
    AsgiApplication,
    Event,
    Receive,
    Scope,
    Send,
    answer_lifespan,
    is_below,
    watched,
)


class Closable(Protocol):
    """What can be mounted: an ASGI application that is told of the beginning and the end of serving."""

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
            await self._lifespan(scope, receive, send)
        elif self._is_ours(scope):
            await self.bus(mounted(scope, self.path), receive, send)
        else:
            await self.app(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        watching = watched(receive, opened=self.bus.open, closed=self.bus.close)
        answers: list[Event] = []

        async def noting(event: Event) -> None:
            answers.append(event)
            await send(event)

        try:
            await self.app(scope, watching, noting)
        except Exception:
            # An application may refuse the lifespan, as Django's does. The bus needs its end all the same.
            if answers:
                raise
            await answer_lifespan(watching, send)

    def _is_ours(self, scope: Scope) -> bool:
        return is_below(split_path(scope)[1], self.path)
