"""Which web pages may use the bus: the origin of a request is checked before anything in it is processed.

A browser sends a user's cookies with every request, whichever site's page makes it. Without this check a
foreign page could open a WebSocket, or post a form, as the user (cross-site WebSocket hijacking, request
forgery). Clients other than browsers send no Origin and carry no user's cookies.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from mirant.bus.request import Request
from mirant.options.origins import (
    ANONYMOUS,
    EVERY,
    OriginPattern,
    WebOrigin,
    read_authority,
    read_origin,
)

# How long a browser may keep the answer to a preflight, in seconds. Chromium keeps it two hours at most.
_PREFLIGHT_AGE: Final = "7200"

#: The ports that a Host header without one may stand for: a proxy that ends TLS does not always say so.
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

#: Header fields for the browser's same-origin policy (CORS), with small letters.
CorsHeaders = tuple[tuple[str, str], ...]


class Origins:
    """The origins whose pages are let in: the bus's own, those in a list, those that a function admits."""

    __slots__ = ("_admit", "_every", "_patterns", "_unnamed")

    def __init__(self, allowed: Collection[str], admit: Callable[[str], bool] | None = None) -> None:
        """Let in *allowed* origins, such as ``https://example.org``, beside the bus's own.

        *admit* is asked about each other origin. It gets the origin as the browser sends it.
        """
        self._every = EVERY in allowed
        self._unnamed = not ANONYMOUS.isdisjoint(allowed)
        self._patterns = [OriginPattern(text) for text in allowed if text not in ANONYMOUS]
        self._admit = admit

    def admits(self, request: Request) -> bool:
        """Whether *request* comes from a page that may use the bus, or from no page at all."""
        origin = request.headers.get("origin")
        if origin is None:
            origin = _origin_of_referer(request)
            if origin is None:
                return True
        return _is_own(origin, request) or self._knows(origin) or self._is_anonymous(origin)

    def is_anonymous(self, request: Request) -> bool:
        """Whether *request* comes from a page that is let in without the user's cookies.

        So is every page where `*` lets all in, and every page of an origin that the browser does not name:
        any site can have one.
        """
        if not self._unnamed:
            return False
        origin = request.headers.get("origin") or _origin_of_referer(request)
        return origin is not None and not _is_own(origin, request) and not self._knows(origin)

    @property
    def varying(self) -> CorsHeaders:
        """What a response has that a cache may keep: for other origins it has other headers, or none."""
        return (("vary", "origin"),) if self._patterns or self._unnamed or self._admit is not None else ()

    def headers(self, request: Request) -> CorsHeaders:
        """Return what a response to an admitted *request* must have for a foreign page to read it."""
        origin = request.headers.get("origin")
        if origin is None or _is_own(origin, request):
            return ()
        if not self._knows(origin):
            return (("access-control-allow-origin", "*" if self._every else origin), ("vary", "origin"))
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

    def _knows(self, origin: str) -> bool:
        """Whether the list or the function admits *origin* by its name."""
        parsed = read_origin(origin)
        if parsed is None:
            return False
        return any(pattern.admits(parsed) for pattern in self._patterns) or (
            self._admit is not None and self._admit(origin)
        )

    def _is_anonymous(self, origin: str) -> bool:
        return self._every or (self._unnamed and origin == "null")


def _origin_of_referer(request: Request) -> str | None:
    """Return where the page is from that sent *request* without an Origin; None if it is ours, or none.

    A script element sends no Origin. Browsers say in Sec-Fetch-Site that it crosses sites, and often in
    Referer from where. Older ones say only the latter.
    """
    site = request.headers.get("sec-fetch-site")
    if site in ("none", "same-origin"):
        return None
    scheme, _, rest = request.headers.get("referer", "").partition("://")
    if site is None and (scheme.lower() not in _DEFAULT_PORTS or not rest):
        return None  # it is not a page that says nothing of where it is
    return f"{scheme}://{rest.partition('/')[0]}"


def _is_own(origin: str, request: Request) -> bool:
    """Whether *origin* is that of the bus's own pages."""
    headers = request.headers
    # No page can set this header (Fetch Metadata, section 2.3). A proxy may have changed Host.
    if headers.get("sec-fetch-site") == "same-origin":
        return True
    host = headers.get("host", "")
    scheme, _, rest = origin.partition("://")
    if scheme in _DEFAULT_PORTS and rest == host != "":
        return "@" not in rest  # most often, and without parsing both
    parsed = read_origin(origin)
    if parsed is None or parsed.scheme not in _DEFAULT_PORTS:
        return False
    forwarded = headers.get("x-forwarded-host") if request.by_proxy else None
    return _is_at(parsed, host) or (forwarded is not None and _is_at(parsed, first_of(forwarded)))


def _is_at(origin: WebOrigin, host: str) -> bool:
    """Whether pages of *origin* come from *host*, as in a Host header. The scheme is not compared."""
    authority = read_authority(host)
    if authority is None:
        return False
    name, port = authority
    return origin.host == name and origin.port == (
        _DEFAULT_PORTS.get(origin.scheme) if port is None else port
    )


def first_of(chain: str) -> str:
    """Return the first item of a header to which proxies append: what the client said to the first proxy."""
    return chain.partition(",")[0].strip()
