"""``GET <path>/health``: whether the bus takes sessions, for load balancers and supervisors."""

from __future__ import annotations

from typing import Final

import msgspec

from mirant.hosts.loop import Loop
from mirant.hosts.routes import Handler, RoutedRequest, Routes
from mirant.transports.response import Response

_UNCACHED: Final = (("cache-control", "no-store"),)


def add_health(routes: Routes, loop: Loop) -> None:
    """Let *routes* answer ``/health`` for the bus of *loop*: 200, or 503 with the reason."""
    routes.add("GET", "/health", _health_of(loop), limit=0)


def _health_of(loop: Loop) -> Handler:
    def health(_: RoutedRequest) -> Response:
        if loop.core.closing:
            return _response(503, {"status": "closing", "reason": "The bus is closing: it takes no polls."})
        return _response(200, {"status": "ok"})

    return health


def _response(status: int, said: dict[str, str]) -> Response:
    return Response(status, msgspec.json.encode(said), "application/json", _UNCACHED)
