"""Quoting in messages what somebody wrote: short, on one line, and whatever it is."""

from __future__ import annotations

from typing import Final

# Longer values are cut where they are quoted: whoever wrote one knows it by its beginning.
MAX_QUOTED: Final = 60


def spell(value: object) -> str:
    """Return *value* for a message: as Python spells it, and cut after `MAX_QUOTED` characters."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        # Python does not convert integers of very many digits, alone or within a list. TOML has them in
        # hexadecimal, which takes no time.
        text = hex(value) if isinstance(value, int) else "this"
    return text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}…"


def printable(text: str) -> str:
    """Return *text* as it can be printed: half a surrogate pair, which UTF-8 has not, becomes an escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
