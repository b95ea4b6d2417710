r"""Halves of surrogate pairs: ``\ud83d`` without the other half.

JavaScript may cut a string in the middle of a character. It writes the half as an escape, which other parsers
refuse.
"""

from __future__ import annotations

import re
from typing import Final

# A pair is the escape of its first half and that of its second. Each alternative is for a half without the
# other. The pattern begins with plain text, so that the search for it is fast.
_FIRST: Final = rb"[89abAB][0-9a-fA-F]{2}"
_SECOND: Final = rb"[c-fC-F][0-9a-fA-F]{2}"
_LONE: Final = re.compile(
    rb"\\u[dD](?:%b(?!\\u[dD]%b)|(?<!\\u[dD][89abAB][0-9a-fA-F][0-9a-fA-F]\\u[dD])%b)"
    % (_FIRST, _SECOND, _SECOND)
)

# Stands for an escaped backslash, after which ``ud83d`` is plain text. No JSON has this byte.
_MARK: Final = b"\x01"


def mend_surrogates(body: bytes) -> bytes:
    """Return *body* with the replacement character for each half of a surrogate pair.

    A body with such a half is not JSON to the decoder. Most bodies have no escape of that kind at all.
    """
    if (b"\\ud" not in body and b"\\uD" not in body) or _MARK in body:
        return body
    marked = body.replace(b"\\\\", _MARK * 2)
    return _LONE.sub(rb"\\ufffd", marked).replace(_MARK * 2, b"\\\\")
