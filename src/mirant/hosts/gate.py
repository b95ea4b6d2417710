"""Which requests to a bus are Bayeux, by which transport, and which of them are let in: for every host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mirant.bus.carrier import Request
from mirant.options.settings import Settings
from mirant.policy.origin import Origins
from mirant.transports.callback_polling import callback_of
from mirant.transports.response import Headers, Response, refuse

#: The transports whose clients speak by POST.
_BY_POST: Final = frozenset({"long-polling", "cross-origin-long-polling", "eventsource"})

#: The header of a response with which the connection ends.
CLOSE: Final = ("connection", "close")

METHODS: Final = ("allow", "GET, HEAD, POST, OPTIONS")


class Gate:
    """What one bus offers, and to pages of which origins."""

    def __init__(self, settings: Settings, refused: Callable[[Request], None]) -> None:
        """Judge by the `transports` and the `allow_origins` of *settings*; *refused* is told of others."""
        self._refused = refused
        self._offered = settings.transports
        self._origins = Origins(settings.allow_origins)

    def admits_websocket(self, request: Request) -> bool:
        """Whether *request* may be upgraded."""
        return "websocket" in self._offered and self._admits(request)

    def refusal(self, request: Request, transport: str) -> Response | None:
        """Return why *request*, which speaks *transport*, is not let in; None if it is."""
        if not self._admits(request):
            return refuse(403, "Pages of this origin may not use the bus; see its allow_origins.")
        if not self._offers(transport):
            return refuse(403, f"This bus does not offer {transport}; its option `transports` says what.")
        return None

    def headers(self, request: Request) -> Headers:
        """Return what the response to *request* must have for a foreign page to read it."""
        return self._origins.headers(request) if self._origins.admits(request) else ()

    def preflight(self, request: Request) -> Response:
        """Return the response to an OPTIONS request."""
        allowed = self._origins.preflight(request) if self._origins.admits(request) else ()
        return Response(204, b"", headers=(METHODS, *allowed))

    def _admits(self, request: Request) -> bool:
        admitted = self._origins.admits(request)
        if not admitted:
            self._refused(request)
        return admitted

    def _offers(self, transport: str) -> bool:
        # With several transports the client speaks by POST.
        named = _BY_POST if transport == "long-polling" else {transport}
        return not named.isdisjoint(self._offered)


def transport_of(method: str, accept: str | None, query: bytes) -> str | None:
    """Return the name of the transport that an HTTP request belongs to, None if it is not Bayeux."""
    if method == "POST":
        return "long-polling"
    if method == "GET" and accept == "text/event-stream":
        return "eventsource"
    if method == "GET" and query and callback_of(text_of(query)) is not None:
        return "callback-polling"
    return None


def text_of(query: bytes) -> str:
    """Return *query* as text; what is not UTF-8 is refused when it is read."""
    return query.decode("utf-8", "surrogateescape")


def over_limit(limit: int) -> Response:
    """Return the response to a body of more than *limit* bytes, the rest of which is not read."""
    return refuse(413, f"The body is larger than {limit} bytes.", CLOSE)


def announces_more(content_length: str | None, limit: int) -> bool:
    """Whether a request announces a body of more than *limit* bytes."""
    announced = content_length or ""
    return announced.isdecimal() and announced.isascii() and int(announced[:20]) > limit
