"""The Set-Cookie header that gives a client its browser's identity.

Clients that are not browsers keep cookies too, and some have parsers that know what RFC 6265 knew in 2011.
Ruby's cookiejar 0.3.3, which Faye's client uses, raises an exception about ``SameSite`` or ``Max-Age`` that
nobody catches. These attributes are about pages of other sites and about restarts, so a client without pages
loses nothing without them.
"""

from __future__ import annotations

from math import ceil
from typing import Final

from mirant.bus.request import Request
from mirant.options.cookies import is_prefixed
from mirant.options.origins import ANONYMOUS
from mirant.options.settings import Settings

# Headers that only browsers send, and no page can set: Fetch Metadata, sections 2.1 to 2.3.
_ONLY_BROWSERS: Final = ("sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest")

# What the User-Agent of each browser begins with, for those that send none of these headers: older ones, and
# all where a page is on plain HTTP. Libraries say their own name, and so do Node.js, Java and Ruby.
_BROWSERS: Final = ("Mozilla/", "Opera/")


def is_browser(request: Request) -> bool:
    """Whether a browser sent *request*. An Origin proves nothing: programs set one to be let in."""
    headers = request.headers
    if any(name in headers for name in _ONLY_BROWSERS):
        return True
    return headers.get("user-agent", "").startswith(_BROWSERS)


def set_cookie(settings: Settings, value: str, request: Request) -> str:
    """Return the header that gives the client of *request* the *value*, as *settings* say."""
    parts = [f"{settings.cookie_name}={value}", f"Path={settings.cookie_path}"]
    if settings.cookie_domain is not None:
        parts.append(f"Domain={settings.cookie_domain}")
    parts.append("HttpOnly")
    secure = _is_secure(settings, request)
    if is_browser(request):
        parts.append(f"SameSite={_same_site(settings, secure=secure)}")
    if secure:
        parts.append("Secure")
    if is_browser(request):
        if settings.cookie_partitioned and secure:
            parts.append("Partitioned")
        if settings.cookie_max_age:
            parts.append(f"Max-Age={ceil(settings.cookie_max_age)}")  # 0 would delete it
    return "; ".join(parts)


def _is_secure(settings: Settings, request: Request) -> bool:
    if settings.cookie_secure == "auto":
        # Browsers drop a cookie with one of these names, or with SameSite=None, if it is not secure.
        return request.secure or is_prefixed(settings.cookie_name) or settings.cookie_same_site == "none"
    return settings.cookie_secure == "always"


def _same_site(settings: Settings, *, secure: bool) -> str:
    if settings.cookie_same_site != "auto":
        return settings.cookie_same_site.capitalize()
    # Lax, as browsers assume: another site's page cannot send it along. Where other sites' pages are let in
    # it must be None, which browsers take only over TLS.
    foreign = settings.cookie_partitioned or not ANONYMOUS.issuperset(settings.allow_origins)
    return "None" if secure and foreign else "Lax"
