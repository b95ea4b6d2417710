"""``no-markup``: nothing leaves that a browser could take for a tag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mirant.policy.filters.strings import rewrite


@dataclass(frozen=True, slots=True)
class NoMarkup:
    """Writes ``<`` and ``>`` as ``&lt;`` and ``&gt;``, in strings and in keys.

    As Jetty's NoMarkupFilter did, whose clients put the text into pages as it comes: it reads there as it was
    written. Removing the characters would lose ``1 < 2``; escaping ``&`` as well would change text anew at
    each pass.
    """

    name: str = "no-markup"

    def __call__(self, data: Any) -> Any:
        return rewrite(data, _escape, _escape)


def _escape(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;")
