"""Which browser a request comes from.

A cookie tells, by default BAYEUX_BROWSER. The reference server takes any value that a client presents. Here a
value counts only if this server gave it out (it is signed), so that nobody can plant one or try others'.

The value is a token of ours, and behind it those of other buses on the same host. Cookies do not know ports,
so two buses there share one cookie; each finds its own token in it, and keeps those of the others when it
writes. A token is an identity and a signature. The identity begins with a family: requests that were sent
before the browser had any cookie are each given one, and only the last stays. Those that may come from one
browser have one family (`Families`), so that the browser is known by any of them.
"""

from __future__ import annotations

import binascii
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from mirant.bus.families import Families
from mirant.bus.request import Request
from mirant.options.cookies import COOKIE

_FAMILY_HEX: Final = 16
_MEMBER_BYTES: Final = 4
_ID_HEX: Final = _FAMILY_HEX + 2 * _MEMBER_BYTES
_SIGNATURE_HEX: Final = 32  # 128 of SHA-256's bits
_TOKEN_HEX: Final = _ID_HEX + _SIGNATURE_HEX

# Tokens of others that are kept: as many buses on one host as one meets on a developer's machine.
_MAX_OTHERS: Final = 3
# Tokens in a request that are looked at. Each takes 3 µs, and anybody can send a thousand.
_MAX_TOKENS: Final = 16


class Browsers:
    """Gives out browser identities and recognises them again."""

    __slots__ = ("_families", "_moments", "_name", "_own", "_secrets")

    def __init__(self, secret: bytes | None = None) -> None:
        """Use *secret* to sign; by default a new one, so that a restarted server gives out new cookies."""
        self._own = secret
        self._secrets: tuple[bytes, ...] = (secret or secrets.token_bytes(32),)
        self._name = COOKIE
        self._families = Families()
        self._moments = 0

    def configure(self, name: str, known: Sequence[str]) -> None:
        """Look for a cookie called *name*, and recognise what was signed with one of the secrets *known*.

        The first signs, unless there is one from the beginning.
        """
        self._name = name
        given = [] if self._own is None else [self._own]
        self._secrets = (*given, *(secret.encode() for secret in known)) or self._secrets

    def moment(self) -> int:
        """Return the number of this moment: what is asked for later gets a higher one."""
        self._moments += 1
        return self._moments

    def issue(self, request: Request | None = None, now: float = 0.0) -> str:
        """Return the cookie value for a browser seen for the first time, which sent *request* at *now*."""
        request = request or Request()
        family = self._families.of(request.address, now) or secrets.token_hex(_FAMILY_HEX // 2)
        self._families.add(family, request.address, now)
        return self._with_others(family + secrets.token_hex(_MEMBER_BYTES), request)

    def of(self, request: Request) -> str | None:
        """Return the identity of the browser that sent *request*, if it presents one of ours."""
        browser = next(self._all_of(request), None)
        if browser is not None:
            self._families.presented(browser[:_FAMILY_HEX])
        return browser

    def is_from(self, request: Request, browser: str) -> bool:
        """Whether *request* presents *browser* or another identity of its family, among others or alone."""
        return any(each[:_FAMILY_HEX] == browser[:_FAMILY_HEX] for each in self._all_of(request))

    def renewed(self, request: Request, browser: str) -> str | None:
        """Return another cookie value for *browser*, which sent *request*; None: its value is up to date.

        It is not if a former secret signed it.
        """
        token = browser + _sign(browser, self._secrets[0])
        return None if token in self._tokens_of(request) else self.prolonged(request, browser)

    def prolonged(self, request: Request, browser: str) -> str:
        """Return the cookie value for *browser*, which sent *request*, to be kept for as long again."""
        return self._with_others(browser, request)

    def recognise(self, token: str | None) -> str | None:
        """Return the browser's identity if this server gave out *token*, else None."""
        if token is None or len(token) != _TOKEN_HEX or not token.isascii():
            return None
        browser, signature = token[:_ID_HEX], token[_ID_HEX:]
        signed = (_sign(browser, secret) for secret in self._secrets)
        return browser if any(hmac.compare_digest(signature, each) for each in signed) else None

    def _all_of(self, request: Request) -> Iterator[str]:
        return filter(None, map(self.recognise, self._tokens_of(request)))

    def _tokens_of(self, request: Request) -> Iterator[str]:
        # What has another length is none of ours, and costs nothing: other servers use the name too.
        whole = (token for token in self._every_token_of(request) if len(token) == _TOKEN_HEX)
        return islice(whole, _MAX_TOKENS)

    def _every_token_of(self, request: Request) -> Iterator[str]:
        # Not http.cookies: it gives up on the whole header when another cookie is malformed. There may be two
        # cookies of the name: a former server may have used another path.
        for part in request.headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == self._name:
                first, *others = value.strip('"').split(".", _MAX_OTHERS)
                yield first
                yield from map(_unpack, others)

    def _with_others(self, browser: str, request: Request) -> str:
        """Return a token for *browser*, and behind it those in *request* that are not ours."""
        foreign = (token for token in self._tokens_of(request) if self.recognise(token) is None)
        others = dict.fromkeys(packed for token in foreign if (packed := _pack(token)) is not None)
        return ".".join([browser + _sign(browser, self._secrets[0]), *islice(others, _MAX_OTHERS)])


def _sign(browser: str, secret: bytes) -> str:
    return hmac.new(secret, browser.encode(), "sha256").hexdigest()[:_SIGNATURE_HEX]


def _pack(token: str) -> str | None:
    """Return *token* as it stands behind another, two thirds as long; None if it cannot be one."""
    try:
        raw = bytes.fromhex(token) if len(token) == _TOKEN_HEX else b""
    except ValueError:
        return None
    return urlsafe_b64encode(raw).decode().rstrip("=") or None


def _unpack(packed: str) -> str:
    """Return the token that is *packed*; an empty text if there is none."""
    try:
        return urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).hex()
    except (binascii.Error, ValueError):
        return ""
