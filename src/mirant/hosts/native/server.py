"""The fast lane: a protocol for uvicorn's server that answers the bus's requests in place.

Give a `NativeHost` to uvicorn as ``http=``. Requests at the bus's path that are Bayeux are answered here,
without a task and without ASGI; all others are passed on to uvicorn's own protocol and the application
behind it, on the same connection, in their order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from uvicorn import Config
from uvicorn.server import ServerState

from mirant.hosts.loop import Loop
from mirant.hosts.native.connection import NativeProtocol
from mirant.hosts.native.deadlines import Limits
from mirant.hosts.native.lane import Lane
from mirant.hosts.native.websocket import NativeConnection
from mirant.hosts.routes import Routes


class NativeHost:
    """Makes the protocols for the connections of a server: what uvicorn takes as ``http=``."""

    def __init__(
        self,
        loop: Loop,
        path: str,
        *,
        routes: Routes,
        limits: Limits | None = None,
        connection: type[NativeConnection] = NativeConnection,
    ) -> None:
        """Answer for the bus of *loop* at *path*, such as ``/cometd``; ``/`` gives it everything.

        The application that uvicorn serves must have the bus there too: for pages, event streams and what
        has one of its *routes*.
        """
        self._loop = loop
        self._path = "/" + path.strip("/") if path.strip("/") else ""
        self._routes = routes
        self._limits = limits or Limits()
        self._connection = connection
        self._lane: Lane | None = None

    def __call__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: Mapping[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> NativeProtocol:
        """Return the protocol for a new connection."""
        lane = self._lane
        if lane is None or lane.state is not server_state:  # the same host may be served again
            lane = Lane(self._loop, self._path, self._routes, self._limits, config, server_state, app_state)
            self._lane = lane
        return NativeProtocol(lane, self._connection)
