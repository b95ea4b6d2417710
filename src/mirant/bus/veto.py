"""How an extension or the application says no."""

from __future__ import annotations


class Veto(Exception):
    """Raised by an extension or an application's hook to refuse a message.

    Its text is sent to the client between the colons of the error (``404:reason:message_deleted``), so keep
    it short and free of colons; without text the client learns only that the message was refused.
    """

    @property
    def reason(self) -> str:
        """Its text; none if a class of the application's own fails to tell it."""
        try:
            return str(self)
        except Exception:
            return ""


class Dismiss(Exception):
    """Raised by an extension to end the session of a message; its client is told to stay away."""
