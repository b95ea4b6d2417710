"""What a bus answers beside Bayeux: handlers by method and path below its mount, for every host.

A path that has a route is never Bayeux. Every other path is: clients append ``/connect``, ``/handshake`` and
so on to the address of the bus, and may append anything.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from mirant.bus.hooks import HookTooSlow, Pipeline, call_hook
from mirant.bus.request import Request
from mirant.hosts.gate import Gate, over_limit
from mirant.transports.response import Response, refuse

#: Methods that change nothing (RFC 9110, section 9.2.1). A page of any origin can send them.
_SAFE: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class RoutedRequest:
    """What a handler is given."""

    method: str
    #: Below the mount of the bus, such as ``/health``.
    path: str
    #: Headers, query and where it comes from.
    request: Request
    body: bytes


#: What clients append to the address of the bus: the end of the meta channel of a message that travels alone.
_APPENDED: Final = frozenset({"/connect", "/disconnect", "/handshake", "/subscribe", "/unsubscribe"})

Handler = Callable[[RoutedRequest], Response | Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """A handler, and how many bytes of a body it takes."""

    handler: Handler
    limit: int


class Routes:
    """The handlers of one bus. Add them before it is served."""

    def __init__(self) -> None:
        self._routes: dict[str, dict[str, Route]] = {}

    def add(self, method: str, path: str, handler: Handler, *, limit: int) -> None:
        """Let *handler* answer *method* at *path*, with bodies of at most *limit* bytes.

        A handler of GET answers HEAD too; hosts omit the body then.

        Raises:
            ValueError: another handler has that, or *path* is the bus's own or one that clients append.
        """
        path = _normal(path)
        if path == "/":
            raise ValueError("the path of the bus itself is for Bayeux and its first page")
        if path in _APPENDED:
            raise ValueError(f"Bayeux clients send their messages to {path}; give the route another name")
        methods = self._routes.setdefault(path, {})
        if method in methods:
            raise ValueError(f"there is a handler for {method} {path}")
        methods[method] = Route(handler, limit)

    def has(self, path: str) -> bool:
        """Whether *path*, below the mount, is answered by a handler and is not Bayeux."""
        return _normal(path) in self._routes

    def find(self, method: str, path: str) -> Route | None:
        """Return what answers *method* at *path*, below the mount."""
        return self._routes.get(_normal(path), {}).get("GET" if method == "HEAD" else method)

    def allowed(self, path: str) -> str:
        """Return the methods that *path* takes, as the value of an Allow header."""
        methods = self._routes.get(_normal(path), {})
        return ", ".join([*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"])

    async def answer(
        self,
        method: str,
        path: str,
        request: Request,
        gate: Gate,
        read_body: Callable[[int], Awaitable[bytes | None]],
        run: Callable[[Pipeline], Awaitable[None]],
        fail: Callable[..., None],
    ) -> Response:
        """Return the response to *request*.

        *read_body* returns None if there is more than its argument. *run* awaits what a handler waits for,
        and gives it up after a time. *fail* is told what a handler raises. If this is cancelled, so is the
        handler.
        """
        allowed = self.allowed(path)
        if method == "OPTIONS":
            return gate.preflight(request, allowed)
        route = self.find(method, path)
        if route is None:
            return refuse(405, f"This address takes {allowed}.", ("allow", allowed))
        if method not in _SAFE and (refusal := gate.refusal_of_origin(request)) is not None:
            return refusal
        body = await read_body(route.limit)
        if body is None:
            return over_limit(route.limit)
        routed = RoutedRequest(method, _normal(path), request, body)
        answers: list[Response] = []
        await run(_call(route.handler, routed, fail, answers))
        return answers[0]


def _call(
    handler: Handler, routed: RoutedRequest, fail: Callable[..., None], answers: list[Response]
) -> Pipeline:
    """Append the response of *handler* to *answers*, or one that says that it failed."""
    try:
        answered = call_hook(handler, routed)
        response = (yield answered) if inspect.isawaitable(answered) else answered
        if not isinstance(response, Response):
            raise TypeError(f"the handler should return a Response, not {response!r}")
    except Exception as error:
        # A handler that fails must not cost the connection, or anybody else.
        fail("route.failed", error, method=routed.method, path=routed.path)
        if isinstance(error, HookTooSlow):
            response = refuse(503, "The server took too long to answer this request; try again later.")
        else:
            response = refuse(500, "The server could not answer this request; its log says why.")
    answers.append(response)


def _normal(path: str) -> str:
    return "/" + path.strip("/")
