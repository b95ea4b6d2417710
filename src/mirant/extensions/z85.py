"""Z85: bytes as text, four in five characters (ZeroMQ RFC 32), with CometD's rule for a last group of fewer.

A last group of r bytes (1 to 3) is padded with zeros, and only r + 1 of its characters are kept; a last
group of k characters is padded with ``#``, the highest digit, and only k - 1 of its bytes are kept.
"""

from __future__ import annotations

from typing import Final

_ALPHABET: Final = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_VALUES: Final = {character: value for value, character in enumerate(_ALPHABET)}


def encode(data: bytes) -> str:
    """Return *data* as Z85."""
    padding = -len(data) % 4
    padded = data + bytes(padding)
    text = bytearray()
    for start in range(0, len(padded), 4):
        number = int.from_bytes(padded[start : start + 4], "big")
        text += bytes(_ALPHABET[number // 85**power % 85] for power in (4, 3, 2, 1, 0))
    return text[: len(text) - padding].decode("ascii")


def decode(text: str) -> bytes:
    """Return the bytes that *text* stands for.

    Raises:
        ValueError: it has a character that is no digit of Z85, a group that is too large, or a single
            character at its end.
    """
    if len(text) % 5 == 1:
        raise ValueError("a single character is left at the end")
    padding = -len(text) % 5
    data = bytearray()
    for start in range(0, len(text), 5):
        group = text[start : start + 5].ljust(5, "#")
        number = 0
        for character in group:
            if ord(character) not in _VALUES:
                raise ValueError(f"{character!r} is no digit of Z85")
            number = number * 85 + _VALUES[ord(character)]
        if number >= 2**32:
            raise ValueError(f"the group {group!r} is more than four bytes")
        data += number.to_bytes(4, "big")
    return bytes(data[: len(data) - padding])
