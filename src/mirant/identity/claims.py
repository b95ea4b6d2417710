"""Reading the claims of a token (RFC 7519, section 4) whose signature was verified."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from mirant.bus.identity import Identity
from mirant.identity.token_invalid import Reason, TokenInvalid
from mirant.identity.token_options import TokenOptions

Claims = Mapping[str, Any]

# The end of the year 9999, the last that calendars have. Sums of times up to here are exact.
_LAST: Final = 253_402_300_799

# Longest name of a user or a role. An email address has 254 characters at most.
_MAX_NAME: Final = 255

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def read_object(raw: bytes) -> dict[str, Any]:
    """Return the JSON object in *raw*.

    Raises:
        TokenInvalid: it is not an object, or it has a name twice. Another reader might take the other value
            (RFC 7519, section 4: "The Claim Names within a JWT Claims Set MUST be unique").
    """
    try:
        value = _decode(raw)  # strict about numbers, text and what follows the object
        json.loads(raw, object_pairs_hook=_check_names)
    except (ValueError, RecursionError):
        raise TokenInvalid(Reason.MALFORMED, "it is not a JSON object with unique names") from None
    return value


def read_name(value: object, what: str) -> str:
    """Return the name of a user or a role.

    Raises:
        TokenInvalid: it is not a text, it is empty or too long, or it has invisible characters.
    """
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_NAME:
        raise TokenInvalid(Reason.CLAIM, f"{what} should be a text of 1 to {_MAX_NAME} characters")
    if not value.isprintable() or value != value.strip():
        raise TokenInvalid(Reason.CLAIM, f"{what} has characters that cannot be seen")
    return value


class ClaimsReader:
    """Turns claims into an identity, and refuses claims that the options do not allow."""

    __slots__ = ("_options",)

    def __init__(self, options: TokenOptions) -> None:
        self._options = options

    def read(self, claims: dict[str, Any], now: float, fingerprint: bytes) -> Identity:
        """Return who *claims* are about; *now* is in seconds since 1970.

        Raises:
            TokenInvalid: the claims are not valid at this time, for this bus, or at all.
        """
        self._check_parties(claims)
        valid_for = self._remaining(claims, now)
        name = read_name(_find(claims, self._options.name), f"claim {self._options.name}")
        roles = self._roles(_find(claims, self._options.roles))
        return Identity(name, roles, claims, valid_for, fingerprint)

    def _check_parties(self, claims: Claims) -> None:
        """Check who issued the token, and for whom (sections 4.1.1 and 4.1.3)."""
        if self._options.issuer is not None and claims.get("iss") != self._options.issuer:
            raise TokenInvalid(Reason.ISSUER)
        audience = claims.get("aud")
        if audience is None and not self._options.audience:
            return
        audience = [audience] if isinstance(audience, str) else audience
        if not isinstance(audience, list) or not all(isinstance(one, str) for one in audience):
            raise TokenInvalid(Reason.AUDIENCE, "claim aud is missing, or neither a text nor a list of texts")
        if not self._options.audience:
            raise TokenInvalid(Reason.AUDIENCE, "it is for an audience; say which is ours: token.audience")
        if set(audience).isdisjoint(self._options.audience):
            raise TokenInvalid(Reason.AUDIENCE, "it is for another audience")

    def _remaining(self, claims: Claims, now: float) -> float | None:
        """Return for how many seconds more the token holds (sections 4.1.4 to 4.1.6); None: for ever."""
        leeway = self._options.leeway
        for name in ("nbf", "iat"):
            begin = _read_time(claims, name)
            if begin is not None and begin > now + leeway:
                raise TokenInvalid(Reason.NOT_YET_VALID, f"claim {name} is in the future")
        end = _read_time(claims, "exp")
        if end is None:
            if self._options.require_expiry:
                raise TokenInvalid(Reason.CLAIM, "claim exp is missing")
            return None
        remaining = end + leeway - now
        if remaining <= 0:
            raise TokenInvalid(Reason.EXPIRED)
        return remaining

    def _roles(self, value: object) -> frozenset[str]:
        # A role of the wrong type refuses the token. To leave it out could evade a rule that denies to this
        # role.
        if value is None:
            return frozenset()
        roles = value.split() if isinstance(value, str) else value
        if not isinstance(roles, list):
            raise TokenInvalid(Reason.CLAIM, f"claim {self._options.roles} should be a list or a text")
        return frozenset(read_name(role, f"each of claim {self._options.roles}") for role in roles)


def _find(claims: Claims, name: str) -> object:
    """Return the claim *name*, or the value that its dots lead to: Keycloak has ``realm_access.roles``."""
    if name in claims:
        return claims[name]
    value: object = claims
    for step in name.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _read_time(claims: Claims, name: str) -> float | None:
    """Return the NumericDate (section 2) of the claim *name*, None if the token has none.

    Raises:
        TokenInvalid: it is not a number, or not a date.
    """
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LAST:
        raise TokenInvalid(Reason.CLAIM, f"claim {name} should be seconds since 1970")
    return float(value)


def _check_names(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name is there twice")
