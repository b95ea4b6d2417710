"""How polls under load are gathered: when each burst of answers may be followed by the next.

Theory: a client polls again after every answer, and an answer costs the server as much whether it carries one
message or ten. When messages come faster than polls can be answered, answering each poll with each message
makes the queue of requests longer and longer. So a burst of answers that took *d* seconds is followed by a
pause of some *d*; what is published meanwhile leaves together, at its end. The pause is as long as the server
is busy, so an idle bus has none, and it never exceeds 10 ms.
"""

from __future__ import annotations

from typing import Final

# The longest pause, in seconds: what a person does not notice, and a third of an animation frame's patience.
LONGEST: Final = 0.010

# The pause is as many times as long as the burst took. Answering is less than half of what a poll costs: its
# request has to be received and read. With 2 there is as much time for that again.
_RATIO: Final = 2.0

# Bursts that took less, in seconds, need no pause: a timer would cost more than it spares.
_SHORTEST_BURST: Final = 0.0005


class Beat:
    """When polls may be answered again."""

    __slots__ = ("until",)

    def __init__(self) -> None:
        #: When the pause ends, or ended. An attribute, because each tick asks.
        self.until = 0.0

    def strike(self, began: float, ended: float) -> None:
        """Take note that answering polls took from *began* to *ended*."""
        took = ended - began
        if took >= _SHORTEST_BURST:
            self.until = ended + min(_RATIO * took, LONGEST)
