"""Text on the chat's channels: ``<``, ``>`` and ``&`` are written as entities there.

The bus's filter writes the first two for every client. A client that wants its text back as it was typed
writes ``&`` as ``&amp;``, and reads all three.
"""

from html import escape as _escape


def escape(text: str) -> str:
    """Return *text* as it is sent."""
    return _escape(text, quote=False)


def unescape(text: str) -> str:
    """Return what was typed; entities other than the three stay as they are."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
