"""How many values a message has, counted before they are decoded.

Each filter looks at each value, at 1 to 6 µs. In 1 MiB there is room for half a million values, which took
five seconds. Nobody else was served meanwhile.
"""

from __future__ import annotations

from typing import Final

#: Most values in the data of one message that filters look at. A list or an object counts as two.
MAX_VALUES: Final = 5_000


def has_many_values(raw: bytes) -> bool:
    """Whether the JSON text *raw* has more than `MAX_VALUES` values."""
    if len(raw) <= MAX_VALUES or _separators(raw) <= MAX_VALUES:
        return False
    # Some of them may be inside of texts. Split at quotes, every second piece is the inside of a text.
    bare = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    if bare.count(b'"') > 4 * MAX_VALUES:  # each value has at most one text and one name
        return True
    return _separators(b"".join(bare.split(b'"')[::2])) > MAX_VALUES


def _separators(raw: bytes) -> int:
    # A value comes first in a list or an object, or after a comma, or it is the whole.
    return 1 + raw.count(b",") + raw.count(b"[") + raw.count(b"{")
