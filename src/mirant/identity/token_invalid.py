"""Why a token is not accepted: in detail for the log, in a word for the client."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """What is wrong with a token, for those who run the bus."""

    AMBIGUOUS = "ambiguous"  # the request has two different ones in one place
    TOO_LONG = "too_long"
    MALFORMED = "malformed"
    ALGORITHM = "algorithm"
    HEADER = "header"  # it asks for something that is not supported
    NO_KEY = "no_key"  # no key has the id that it names
    KEYS_UNAVAILABLE = "keys_unavailable"  # there are no keys, because they could not be fetched
    SIGNATURE = "signature"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    CLAIM = "claim"  # a claim is missing, or of the wrong type


# A client can act on these two. It learns nothing about the others, because it might be an attacker.
_TOLD = {Reason.EXPIRED: "token_expired", Reason.KEYS_UNAVAILABLE: "keys_unavailable"}


class TokenInvalid(Exception):
    """A token is not accepted. Neither the text nor the detail quotes the token."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail

    @property
    def told(self) -> str:
        """The reason as the client gets it."""
        return _TOLD.get(self.reason, "token_invalid")

    @property
    def temporary(self) -> bool:
        """Whether the same token may be accepted a little later."""
        return self.reason is Reason.KEYS_UNAVAILABLE
