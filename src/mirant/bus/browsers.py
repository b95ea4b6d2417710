"""Which browser a request comes from.

The BAYEUX_BROWSER cookie tells. The reference server takes any value that a client presents. Here a value
counts only if this server gave it out (it is signed), so that nobody can plant one or try others'.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Final

from mirant.bus.request import Request

#: The name that CometD servers use; clients and proxies know it.
COOKIE: Final = "BAYEUX_BROWSER"

_ID_BYTES: Final = 12
_SIGNATURE_HEX: Final = 32  # 128 of SHA-256's bits


class Browsers:
    """Gives out browser identities and recognises them again."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes | None = None) -> None:
        """Use *secret* to sign; by default a new one, so that a restarted server gives out new cookies."""
        self._secret = secret or secrets.token_bytes(32)

    def issue(self) -> str:
        """Return the cookie value for a browser seen for the first time."""
        browser = secrets.token_hex(_ID_BYTES)
        return f"{browser}{self._sign(browser)}"

    def of(self, request: Request) -> str | None:
        """Return the identity of the browser that sent *request*, if it presents one of ours."""
        # Not http.cookies: it gives up on the whole header when another cookie is malformed.
        for part in request.headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == COOKIE:
                return self.recognise(value.strip('"'))
        return None

    def recognise(self, value: str | None) -> str | None:
        """Return the browser's identity if this server gave out *value*, else None."""
        if value is None or len(value) != 2 * _ID_BYTES + _SIGNATURE_HEX or not value.isascii():
            return None
        browser, signature = value[: 2 * _ID_BYTES], value[2 * _ID_BYTES :]
        return browser if hmac.compare_digest(signature, self._sign(browser)) else None

    def _sign(self, browser: str) -> str:
        return hmac.new(self._secret, browser.encode(), "sha256").hexdigest()[:_SIGNATURE_HEX]
