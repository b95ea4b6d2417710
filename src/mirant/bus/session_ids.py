"""The ids of sessions: nobody guesses one, and a process recognises those of its siblings.

A server with several workers has a bus in each of them, and each bus knows only its own sessions. The clients
of the others get 402 in a loop, which looks like a fault of the network. So ids of workers carry two tags
behind their random part: one of the family of workers, one of the process. They say nothing of other ids.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

# 128 bits by chance, as hexadecimal digits.
_RANDOM: Final = 32

# Digits of a tag. One of 65,536 foreign ids is taken for a sibling's, which costs a line in the log.
_TAG: Final = 4


def _nobody() -> bool:
    return False


class SessionIds:
    """Makes ids for sessions of one process."""

    __slots__ = ("_family", "_has_siblings", "_own")

    def __init__(self) -> None:
        self._family: bytes | None = None
        self._own = b""
        self._has_siblings: Callable[[], bool] = _nobody

    def join(self, family: bytes, has_siblings: Callable[[], bool]) -> None:
        """Be a process of *family*, a name of at most 64 bytes; *has_siblings* says if others live now."""
        self._family = family
        self._own = secrets.token_bytes(16)
        self._has_siblings = has_siblings

    def make(self) -> str:
        """Return a new id."""
        chance = secrets.token_hex(_RANDOM // 2)
        if self._family is None:
            return chance
        return chance + _tag(chance, self._family) + _tag(chance, self._own)

    def is_siblings(self, session_id: str) -> bool:
        """Whether *session_id*, which no session here has, was made by another process that may be alive."""
        if self._family is None or len(session_id) != _RANDOM + 2 * _TAG or not session_id.isascii():
            return False
        chance, family, own = (
            session_id[:_RANDOM],
            session_id[_RANDOM:-_TAG],
            session_id[-_TAG:],
        )
        is_ours = own == _tag(chance, self._own)  # it has expired
        return family == _tag(chance, self._family) and not is_ours and self._has_siblings()


def _tag(chance: str, key: bytes) -> str:
    return blake2b(chance.encode(), key=key, digest_size=_TAG // 2).hexdigest()
