"""Verifying JSON Web Tokens (RFC 7519) that are signed (RFC 7515), as RFC 8725 recommends."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwa import JWSAlgModel
from joserfc.jws import CompactSignature, JWSRegistry, extract_compact, validate_compact

from mirant.bus.identity import Identity
from mirant.identity.claims import ClaimsReader, read_object
from mirant.identity.keys import Keys
from mirant.identity.token_invalid import Reason, TokenInvalid
from mirant.identity.token_options import TokenOptions

# RFC 7515, section 7.1: three parts in base64url, nothing before, between or after them. An encrypted token
# has five parts. In a token without a signature the third part is empty.
_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class Tokens:
    """Verifies tokens, and says whom they are about."""

    __slots__ = ("_claims", "_keys", "_options", "_registry")

    def __init__(self, options: TokenOptions, keys: Keys) -> None:
        """Verify with *keys* what *options* allow."""
        self._options = options
        self._keys = keys
        self._claims = ClaimsReader(options)
        self._registry = _Registry(options.algorithms)

    def verify(self, token: str, now: float) -> Identity:
        """Return who *token* is about, by the keys at hand; *now* is in seconds since 1970.

        Raises:
            TokenInvalid: it is not accepted. No other exception is raised, for any *token*.
        """
        return self._verify(self._read(token), now)

    def identify(self, token: str, clock: Callable[[], float]) -> Identity | Awaitable[Identity]:
        """Return who *token* is about, or an awaitable of it if the key has to be fetched first.

        Raises:
            TokenInvalid: it is not accepted.
        """
        signed = self._read(token)
        waiting = self._keys.update(signed.algorithm, signed.kid)
        if waiting is None:
            return self._verify(signed, clock())
        return self._verify_later(signed, waiting, clock)

    async def _verify_later(
        self, signed: _Signed, waiting: Awaitable[None], clock: Callable[[], float]
    ) -> Identity:
        await waiting
        return self._verify(signed, clock())

    def _read(self, token: str) -> _Signed:
        """Take *token* apart. Of its header only the algorithm and the key id are used.

        A key in the header, or the address of one (jwk, jku, x5c, x5u), is ignored: an attacker could put it
        there.
        """
        if len(token) > self._options.max_size:
            raise TokenInvalid(Reason.TOO_LONG, f"token.max_size is {self._options.max_size}")
        if not _COMPACT.fullmatch(token):
            raise TokenInvalid(Reason.MALFORMED, "it does not have the form of a signed token")
        try:
            header = read_object(urlsafe_b64decode(token.partition(".")[0] + "=="))
            parts = extract_compact(token.encode("ascii"), registry=self._registry)
        except (JoseError, ValueError, TypeError):
            raise TokenInvalid(Reason.MALFORMED, "it is not base64url of JSON objects") from None
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in self._options.algorithms:
            raise TokenInvalid(Reason.ALGORITHM, "it is not one of token.algorithms")
        if not isinstance(kid, str | None):
            raise TokenInvalid(Reason.HEADER, "kid is not a text")
        # RFC 7515, section 4.1.11: critical extensions must be understood, and none is supported here. RFC
        # 7797: b64 changes what is signed.
        if "crit" in header or "b64" in header:
            raise TokenInvalid(Reason.HEADER, "crit and b64 are not supported")
        return _Signed(token, parts, algorithm, kid)

    def _verify(self, signed: _Signed, now: float) -> Identity:
        key = self._keys.find(signed.algorithm, signed.kid)
        if key is None:
            raise TokenInvalid(Reason.NO_KEY if self._keys.available else Reason.KEYS_UNAVAILABLE)
        try:
            good = validate_compact(signed.parts, key, registry=self._registry)
        except (JoseError, ValueError) as error:
            raise TokenInvalid(Reason.HEADER, type(error).__name__) from None
        if not good:
            raise TokenInvalid(Reason.SIGNATURE)
        claims = read_object(signed.parts.payload)
        return self._claims.read(claims, now, sha256(signed.token.encode("ascii")).digest())


@dataclass(frozen=True, slots=True)
class _Signed:
    """A token whose signature is not verified yet. Nothing in it may be trusted."""

    token: str
    parts: CompactSignature
    algorithm: str
    kid: str | None


class _Registry(JWSRegistry):
    """The algorithms that are allowed."""

    # With certificates in it (x5c) a header is longer than the library expects.
    max_header_length = 4096

    def __init__(self, algorithms: tuple[str, ...]) -> None:
        # RFC 7515, section 4: parameters that are not understood are ignored, unless they are critical.
        super().__init__(algorithms=algorithms, strict_check_header=False)
        self._allowed = frozenset(algorithms)

    def get_alg(self, name: str) -> JWSAlgModel:
        # The library's own method warns at each use of EdDSA, because RFC 9864 prefers the name Ed25519. The
        # operator allowed EdDSA because the issuer writes it.
        if name not in self._allowed:
            raise UnsupportedAlgorithmError
        return self.algorithms[name]
