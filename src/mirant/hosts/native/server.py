"""The native host: a protocol for uvicorn's server that answers Bayeux in place.

Give a `NativeHost` to uvicorn as ``http=``. A request that is Bayeux is answered here, without a task and
without ASGI. Every other request is passed on to uvicorn's own protocol and the application behind it, on the
same connection, in its order.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

from uvicorn import Config
from uvicorn.server import ServerState

from mirant.hosts.loop import Loop
from mirant.hosts.native.connection import HttpConnection
from mirant.hosts.native.deadlines import ConnectionLimits
from mirant.hosts.native.lane import Lane
from mirant.hosts.native.tls import TlsDoor
from mirant.hosts.native.websocket import NativeWebSocket
from mirant.hosts.routes import Routes


class NativeHost:
    """Makes a protocol for each connection of a server. uvicorn takes it as ``http=``."""

    def __init__(
        self,
        loop: Loop,
        path: str,
        *,
        routes: Routes,
        limits: ConnectionLimits | None = None,
        websocket: type[NativeWebSocket] = NativeWebSocket,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Answer for the bus of *loop* at *path*, such as ``/cometd``; ``/`` gives it everything.

        With *tls* the connections speak it; then uvicorn must not have a certificate. It would let a client
        that is silent before the handshake stay for a minute, and not count it.

        The application that uvicorn serves must have the bus there too: for pages, event streams and what
        has one of its *routes*.
        """
        self._loop = loop
        self._path = "/" + path.strip("/") if path.strip("/") else ""
        self._routes = routes
        self._limits = limits or ConnectionLimits()
        self._websocket = websocket
        self._tls = tls
        self._lane: Lane | None = None

    def __call__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: Mapping[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> HttpConnection | TlsDoor:
        """Return the protocol for a new connection."""
        lane = self._lane
        if lane is None or lane.state is not server_state:  # the same host may be served again
            lane = Lane(self._loop, self._path, self._routes, self._limits, config, server_state, app_state)
            self._lane = lane
        connection = HttpConnection(lane, self._websocket)
        return connection if self._tls is None else TlsDoor(lane, self._tls, connection)
