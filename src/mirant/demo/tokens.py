"""Tokens for the members of the chat. The bus accepts them, as ``mirant.toml`` says.

The name of a user is random, and is not the name that people see. The visible name is free again when its
bearer leaves. A token for it would let the former bearer read what is meant for the next.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

ALGORITHM: Final = "HS256"

#: For how many seconds a token holds. A page that sleeps for longer has lost its session too.
LIFETIME: Final = 600.0


class Issuer:
    """Issues tokens, signed with a secret that only this process knows."""

    def __init__(self, *, lifetime: float = LIFETIME, clock: Callable[[], float] = time.time) -> None:
        """Issue tokens that hold for *lifetime* seconds; *clock* gives seconds since 1970."""
        self.lifetime = lifetime
        #: The secret with which the bus verifies the tokens.
        self.secret = secrets.token_hex(32)
        self._key = OctKey.import_key(self.secret)
        self._clock = clock

    def new_user(self) -> str:
        """Return a name that no user has. A segment of a channel may have its characters."""
        return secrets.token_hex(8)

    def issue(self, user: str) -> str:
        """Return a token that says that its bearer is *user* (RFC 7519, section 4.1: ``sub`` and ``exp``)."""
        claims = {"sub": user, "exp": int(self._clock() + self.lifetime)}
        return jwt.encode({"alg": ALGORITHM}, claims, self._key)

    def user_of(self, token: str) -> str | None:
        """Return who the bearer of *token* is; None if it was not issued here, or has run out."""
        try:
            claims = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
            jwt.JWTClaimsRegistry(now=int(self._clock()), exp={"essential": True}).validate(claims)
        except (JoseError, ValueError):
            return None
        user = claims.get("sub")
        return user if isinstance(user, str) else None
