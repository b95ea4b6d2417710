"""``no-markup``: escaping the characters with which tags begin and end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mirant.policy.filters.strings import rewrite


@dataclass(frozen=True, slots=True)
class NoMarkup:
    """Writes ``<`` and ``>`` as ``&lt;`` and ``&gt;``, in strings and in keys.

    Jetty's NoMarkupFilter did the same. Its clients put the text into pages as HTML, where it reads as it was
    written. Removing the characters would spoil ``1 < 2``. Escaping ``&`` as well would change the text again
    on each pass.
    """

    name: str = "no-markup"

    def __call__(self, data: Any) -> Any:
        return rewrite(data, _escape, _escape)


def _escape(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;")
