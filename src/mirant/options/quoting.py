"""Quoting values in messages: short, on one line, and without failing for any value."""

from __future__ import annotations

from typing import Final

# Longer values are cut. Their author knows them by the beginning.
MAX_QUOTED: Final = 60


def spell(value: object) -> str:
    """Return *value* for a message: as Python spells it, and cut after `MAX_QUOTED` characters."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        # Python refuses to convert integers of very many digits, alone or within a list. TOML can hold them,
        # in hexadecimal; converting to that is fast.
        text = hex(value) if isinstance(value, int) else "this"
    return text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}…"


def printable(text: str) -> str:
    """Return *text* in printable form: half a surrogate pair, which UTF-8 cannot hold, becomes an escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
