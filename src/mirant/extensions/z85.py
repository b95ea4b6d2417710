"""Z85: bytes as text, four in five characters (ZeroMQ RFC 32), with CometD's rule for a last group of fewer.

A last group of r bytes (1 to 3) is padded with zeros, and only r + 1 of its characters are kept; a last
group of k characters is padded with ``#``, the highest digit, and only k - 1 of its bytes are kept. That is
the standard library's Base85 in all but its alphabet.
"""

from __future__ import annotations

from base64 import b85decode, b85encode
from typing import Final

_B85: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
_Z85: Final = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_HIGHEST: Final = frozenset("%$#")  # 82 * 85**4 is the last multiple below 2**32
_TO_Z85: Final = bytes.maketrans(_B85, _Z85)
_TO_B85: Final = bytes.maketrans(_Z85, _B85)


def encode(data: bytes) -> str:
    """Return *data* as Z85."""
    return b85encode(data).translate(_TO_Z85).decode("ascii")


def decode(text: str) -> bytes:
    """Return the bytes that *text* stands for.

    Raises:
        ValueError: it has a character that is no digit of Z85, a group that is more than four bytes, or a
            single character at its end.
    """
    _check_digits(text)
    return b85decode(text.encode("ascii").translate(_TO_B85))


def check(text: str) -> None:
    """Raise what `decode` would raise, mostly at a fraction of its cost."""
    _check_digits(text)
    if not _HIGHEST.isdisjoint(text[::5]):  # only groups that begin so may be too large
        decode(text)


def _check_digits(text: str) -> None:
    if not text.isascii() or text.encode("ascii").translate(None, _Z85):
        raise ValueError("there is a character that is no digit of Z85")
    if len(text) % 5 == 1:
        raise ValueError("a single character is left at the end")
