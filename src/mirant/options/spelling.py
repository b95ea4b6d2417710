"""Suggesting a known word for an unknown one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the one of *known* that is spelt most like *word*, in any case; None if none is similar.

    *cutoff* is how similar they must be, from 0 to 1.
    """
    by_form = {name.lower().replace("-", "_"): name for name in known}
    found = get_close_matches(word.lower().replace("-", "_"), by_form, n=1, cutoff=cutoff)
    return by_form[found[0]] if found else None
