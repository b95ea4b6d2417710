"""Progress on a connection counts as being heard of: a client that is downloading cannot speak yet.

It is asked for only when a session would end, never when something is sent.
"""

from __future__ import annotations

from typing import Protocol


class ClientProgress(Protocol):
    """What knows whether a client still takes what was sent to it."""

    def lasts(self, now: float) -> float:
        """Return for how many seconds after *now* the client may be busy with it; 0 if it is not."""
