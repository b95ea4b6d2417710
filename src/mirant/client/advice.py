"""The server's advice as it holds now: how long to wait, how long a connect is held, what to do next.

On the wire times are milliseconds (Bayeux 1.0, section 5.6); here they are seconds. An advice replaces what
it names and leaves the rest.
"""

from __future__ import annotations

from typing import Final, Literal

from mirant.bayeux.advice import Advice

Reconnect = Literal["retry", "handshake", "none"]

# Nothing sensible is longer, and a wait without end would be a client that died in silence.
_LONGEST_MS: Final = 24 * 60 * 60 * 1_000


class CurrentAdvice:
    """What the server has advised this session; *hold* is how long connects are held until it says so."""

    def __init__(self, hold: float) -> None:
        self._hold = hold
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new session is advised anew."""
        self.reconnect: Reconnect | None = None
        self.interval = 0.0  # seconds between the reply to a connect and the next connect
        self.timeout = self._hold  # seconds that the server holds a connect
        self.max_interval = (
            0.0  # seconds that the server keeps a session without a connect; 0: it did not say
        )
        self.multiple_clients = False

    def merge(self, advice: Advice) -> None:
        """Take over what *advice* names."""
        if advice.reconnect is not None:
            self.reconnect = advice.reconnect
        if advice.interval is not None:
            self.interval = _seconds(advice.interval)
        if advice.timeout is not None:
            self.timeout = _seconds(advice.timeout)
        if advice.max_interval is not None:
            self.max_interval = _seconds(advice.max_interval)
        if advice.multiple_clients is not None:
            self.multiple_clients = advice.multiple_clients

    def has_expired(self, away: float) -> bool:
        """Whether the server must have dropped a session that was *away* for so many seconds.

        CometD's servers say so by `maxInterval`. Without it only the server can tell.
        """
        return self.max_interval > 0 and away > self.timeout + self.interval + self.max_interval


def _seconds(milliseconds: int) -> float:
    # A negative interval means "do not retry" in Bayeux's text; every client takes it for none.
    return min(max(milliseconds, 0), _LONGEST_MS) / 1_000
