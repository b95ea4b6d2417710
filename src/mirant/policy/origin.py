"""Which web pages may use the bus: the origin of a request is checked before anything in it is processed.

A browser sends a user's cookies with every request, whichever site's page makes it. Without this check a
foreign page could open a WebSocket, or post a form, as the user (cross-site WebSocket hijacking, request
forgery). Clients other than browsers send no Origin and carry no user's cookies.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from mirant.bus.request import Request

# How long a browser may keep the answer to a preflight, in seconds. Chromium keeps it two hours at most.
_PREFLIGHT_AGE: Final = "7200"

#: Header fields for the browser's same-origin policy (CORS), with small letters.

CorsHeaders = tuple[tuple[str, str], ...]


class Origins:
    """The origins whose pages are let in: the bus's own, and those in a list."""

    __slots__ = ("_allowed",)

    def __init__(self, allowed: Collection[str]) -> None:
        """Let in *allowed* origins, such as ``https://example.org``, beside the bus's own."""
        self._allowed = frozenset(allowed)

    def admits(self, request: Request) -> bool:
        """Whether *request* comes from a page that may use the bus, or from no page at all."""
        origin = request.headers.get("origin")
        if origin is None:
            # A script element sends no Origin. Browsers say in Sec-Fetch-Site that it crosses sites, and
            # often in Referer from where.
            if request.headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
                return True
            scheme, _, rest = request.headers.get("referer", "").partition("://")
            origin = f"{scheme}://{rest.partition('/')[0]}"
        return self._is_own(origin, request) or origin.lower() in self._allowed

    def headers(self, request: Request) -> CorsHeaders:
        """Return what a response to an admitted *request* must have for a foreign page to read it."""
        origin = request.headers.get("origin")
        if origin is None or self._is_own(origin, request):
            return ()
        return (
            ("access-control-allow-origin", origin),
            ("access-control-allow-credentials", "true"),
            ("vary", "origin"),
        )

    def preflight(self, request: Request) -> CorsHeaders:
        """Return what allows the request that a foreign page's browser asks about."""
        asked = request.headers.get("access-control-request-headers")
        allowed = (("access-control-allow-headers", asked),) if asked else ()
        return (
            *self.headers(request),
            ("access-control-allow-methods", "GET, POST"),
            ("access-control-max-age", _PREFLIGHT_AGE),
            *allowed,
        )

    @staticmethod
    def _is_own(origin: str, request: Request) -> bool:
        # The scheme is not compared, because a proxy that ends TLS does not always say that it did.
        try:
            host = urlsplit(origin).netloc.lower()
        except ValueError:
            return False
        return host == request.headers.get("host", "").lower() != ""
