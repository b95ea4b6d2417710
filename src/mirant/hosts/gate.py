"""Which requests are Bayeux, by which transport, and which of them are let in. Every host asks this."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mirant.bus.request import Request
from mirant.options.settings import Settings
from mirant.policy.origin import Origins
from mirant.transports.callback_polling import callback_of
from mirant.transports.response import Headers, Response, refuse

#: The transports whose clients speak by POST.
_BY_POST: Final = frozenset({"long-polling", "cross-origin-long-polling", "eventsource"})

#: The header of a response after which the connection ends.
CLOSE: Final = ("connection", "close")

# Headers that only a WebSocket's handshake has.
_OF_A_HANDSHAKE: Final = frozenset({"sec-websocket-key", "sec-websocket-version"})

_UPGRADE_LOST: Final = (
    "This is the handshake of a WebSocket without its Upgrade. A proxy on the way has to pass on the headers "
    "Upgrade and Connection, over HTTP/1.1."
)

#: What the path of the bus takes, as the value of an Allow header.
METHODS: Final = "GET, HEAD, POST, OPTIONS"


class Gate:
    """The transports that one bus offers, and the origins whose pages may use it."""

    def __init__(self, settings: Settings, refused: Callable[[Request], None]) -> None:
        """Judge by the `transports` and the `allow_origins` of *settings*.

        *refused* is called with each request of another origin.
        """
        self._refused = refused
        self._offered = settings.transports
        self._origins = Origins(settings.allow_origins)

    def admits_websocket(self, request: Request) -> bool:
        """Whether *request* may be upgraded."""
        return "websocket" in self._offered and self._admits(request)

    def refusal(self, request: Request, transport: str) -> Response | None:
        """Return the response to *request*, which speaks *transport*, if it is not let in; else None."""
        refusal = self.refusal_of_origin(request)
        if refusal is not None:
            return refusal
        if not self._offers(transport):
            return refuse(403, f"This bus does not offer {transport}; its option `transports` says what.")
        return None

    def refusal_of_origin(self, request: Request) -> Response | None:
        """Return the response to *request* if pages of its origin may do nothing here; else None."""
        if self._admits(request):
            return None
        return refuse(403, "Pages of this origin may not use the bus; see its allow_origins.")

    def lost_upgrade(self, method: str, request: Request) -> Response | None:
        """Return the response to a GET that was a WebSocket's handshake before a proxy; None if it was not.

        The Upgrade header is for one connection (RFC 9110, section 7.8): a proxy drops it unless it is told
        to pass it on. The other headers of the handshake come through.
        """
        if method != "GET" or "websocket" not in self._offered or _OF_A_HANDSHAKE.isdisjoint(request.headers):
            return None
        # RFC 9110, section 15.5.22: the response names the protocol. HTTP/2 has no such header.
        upgrade = () if request.multiplexed else (("upgrade", "websocket"), ("connection", "Upgrade"))
        return refuse(426, _UPGRADE_LOST, *upgrade)

    def headers(self, request: Request) -> Headers:
        """Return the headers with which a page of another origin can read the response to *request*."""
        return self._origins.headers(request) if self._origins.admits(request) else ()

    def preflight(self, request: Request, methods: str = METHODS) -> Response:
        """Return the response to an OPTIONS request, at an address that takes *methods*."""
        allowed = self._origins.preflight(request) if self._origins.admits(request) else ()
        return Response(204, b"", headers=(("allow", methods), *allowed))

    def _admits(self, request: Request) -> bool:
        admitted = self._origins.admits(request)
        if not admitted:
            self._refused(request)
        return admitted

    def _offers(self, transport: str) -> bool:
        # The clients of several transports speak by POST.
        named = _BY_POST if transport == "long-polling" else {transport}
        return not named.isdisjoint(self._offered)


def transport_of(method: str, accept: str | None, query: bytes) -> str | None:
    """Return the name of the transport that an HTTP request speaks; None if it is not Bayeux."""
    if method == "POST":
        return "long-polling"
    if method == "GET" and accept == "text/event-stream":
        return "eventsource"
    if method == "GET" and query and callback_of(query) is not None:
        return "callback-polling"
    return None


def over_limit(limit: int) -> Response:
    """Return the response to a body of more than *limit* bytes. The connection ends: the rest is not read."""
    return refuse(413, f"The body is larger than {limit} bytes.", CLOSE)


def announces_more(content_length: str | None, limit: int) -> bool:
    """Whether a request announces a body of more than *limit* bytes."""
    announced = content_length or ""
    return announced.isdecimal() and announced.isascii() and int(announced[:20]) > limit
