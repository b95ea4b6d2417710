"""Which requests are Bayeux, by which transport, and which of them are let in. Every host asks this."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from mirant.bus.request import Request
from mirant.options.settings import Settings
from mirant.policy.host_names import HostFault, HostNames
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

_VERSION: Final = ("sec-websocket-version", "13")

#: What the path of the bus takes, as the value of an Allow header.
METHODS: Final = "GET, HEAD, POST, OPTIONS"


# "HTTP/2.0" as nginx spells it, "2.0" as HAProxy does, and "h3".
_HTTP_VERSION: Final = re.compile(r"(?:HTTP/|h)?([1-9])\b", re.IGNORECASE)


class Gate:
    """The transports that a bus offers, the names that are its own, the origins whose pages may use it."""

    def __init__(
        self,
        settings: Settings,
        refused: Callable[[Request], None],
        *,
        misdirected: Callable[[Request], None] | None = None,
        allow_origin: Callable[[str], bool] | None = None,
        only_local: bool = False,
    ) -> None:
        """Judge by the `transports`, `allow_hosts` and `allow_origins` of *settings*, and by *allow_origin*.

        *refused* is called with each request of another origin, *misdirected* with each to another's name.
        With *only_local* only this machine can reach the bus.
        """
        self._refused = refused
        self._misdirected = misdirected
        self._offered = settings.transports
        self._names = HostNames(settings.allow_hosts, only_local=only_local)
        self._origins = Origins(settings.allow_origins, allow_origin)
        self._version_header = settings.http_version_header

    def seen(self, request: Request) -> Request:
        """Return *request* as the bus is to see it.

        A page that is let in without credentials has no cookie here, whatever its browser sent. A proxy may
        say over which version of HTTP its client speaks.
        """
        if self._origins.is_anonymous(request):
            headers = {name: value for name, value in request.headers.items() if name != "cookie"}
            request = replace(request, headers=headers, anonymous=True)
        if self._version_header is not None and request.by_proxy:
            found = _HTTP_VERSION.match(request.headers.get(self._version_header, ""))
            if found is not None:
                request = replace(request, multiplexed=int(found[1]) >= 2)
        return request

    def admits_websocket(self, request: Request) -> bool:
        """Whether *request* may be upgraded."""
        offered = "websocket" in self._offered
        return offered and self.misdirection(request) is None and self._admits(request)

    def misdirection(self, request: Request) -> Response | None:
        """Return the response to *request* if its Host is not a name of ours, or not valid; else None."""
        fault = self._names.fault(request)
        if fault is None:
            return None
        if fault is HostFault.INVALID:
            return refuse(400, "The request needs one valid Host header.", CLOSE)
        if self._misdirected is not None:
            self._misdirected(request)
        return refuse(421, "The bus does not answer to this name; see its option `allow_hosts`.")

    def refusal(self, request: Request, transport: str) -> Response | None:
        """Return the response to *request*, which speaks *transport*, if it is not let in; else None."""
        refusal = self.misdirection(request) or self.refusal_of_origin(request)
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
        if request.headers.get("sec-websocket-version", "13") != "13":  # RFC 6455, section 4.4
            return refuse(426, "The bus speaks version 13 of WebSocket.", *upgrade, _VERSION)
        return refuse(426, _UPGRADE_LOST, *upgrade)

    def headers(self, request: Request) -> Headers:
        """Return the headers with which a page of another origin can read the response to *request*."""
        return self._origins.headers(request) if self._origins.admits(request) else ()

    def page_headers(self, request: Request) -> Headers:
        """Return the headers of a response to *request* that a cache may keep."""
        return self.headers(request) or self._origins.varying

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
