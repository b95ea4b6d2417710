"""Which browser a request comes from, and how many of its windows may hold a poll.

The BAYEUX_BROWSER cookie tells. The reference server takes any value that a client presents. Here a value
counts only if this server gave it out (it is signed), so that nobody can plant one or try others'.
"""

from __future__ import annotations

import hmac
import secrets
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mirant.bus.carrier import Request
    from mirant.bus.session import Session

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


class Windows:
    """Multi-window detection: which sessions of a browser may hold a poll.

    A browser opens few connections to one host (six, over HTTP/1.1). Windows that each hold a poll use them
    up, and then nothing loads any more. So the oldest windows that poll keep their long poll, and the others
    are told to poll at an interval.
    """

    __slots__ = ("_polling", "limit")

    def __init__(self, limit: int) -> None:
        """Let *limit* windows of each browser hold a poll."""
        self.limit = limit
        self._polling: dict[str, dict[Session, None]] = {}  # in the order of their first poll

    def admits(self, session: Session) -> bool:
        """Whether *session*, which polls, may be held; it takes its place among its browser's windows."""
        # A place once taken is kept, and known to the session: no table has to be looked at.
        if session.browser is None or session.place == self.limit:
            return True
        polling = self._polling.setdefault(session.browser, {})
        polling[session] = None
        session.place = self.limit if session in islice(polling, self.limit) else None
        return session.place is not None

    def leave(self, session: Session) -> None:
        """Let *session* give up its place: it ended, or needs no poll any more."""
        session.place = None
        polling = self._polling.get(session.browser or "")
        if polling is not None:
            polling.pop(session, None)
            if not polling:
                del self._polling[session.browser or ""]
