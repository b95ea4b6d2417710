"""timesync: lets a client know the server's clock, whatever its own says.

The client sends ``ext.timesync = {tc, l, o}`` with its meta messages: its clock, the lag and the offset it
believes in. The reply has ``{tc, ts, p, a}``: tc again, the server's clock when the message came, the
milliseconds that the server took, and by how much the client is off. The client computes::

    lag    = (its clock now - tc - p) / 2
    offset = ts - tc - lag

All times are milliseconds since 1970; the lag is one way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Final

import msgspec

from mirant.bayeux.channels import Kind
from mirant.bayeux.messages import Message, Reply
from mirant.bus.extension import Extension
from mirant.bus.turn import Turn

# A client that is off by less has no use for another reply (the reference server's accuracyTarget).
ACCURACY: Final = 25

_KEY: Final = "timesync"


# A clock that is further from 1970 than JavaScript's Date can be is none; and sums of these are finite.
_Milliseconds = Annotated[float, msgspec.Meta(ge=-8.64e15, le=8.64e15)]


class Sample(msgspec.Struct):
    """What a client sends. The lag and the offset are absent in its first message, in some clients."""

    tc: _Milliseconds
    lag: _Milliseconds | None = msgspec.field(name="l", default=None)
    offset: _Milliseconds | None = msgspec.field(name="o", default=None)


_decode = msgspec.json.Decoder(Sample).decode


class TimeSync(Extension):
    """Answers ``ext.timesync`` on meta messages."""

    sees_plain_connects: ClassVar[bool] = False

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """*clock* returns the time of day in seconds since 1970."""
        self._clock = clock

    def outgoing(self, reply: Reply, message: Message, turn: Turn, now: float) -> None:
        """Put the server's side of the sample into *reply*, unless the client is accurate already.

        A client that sends no lag is always answered: that is how it asks for a sample all the same.
        """
        if message.ext is None or _KEY not in message.ext:
            return
        target = message.target
        if target is None or target.kind is not Kind.META:
            return
        try:
            sample = _decode(message.ext[_KEY])
        except ValueError:
            return  # not in the form above: there is nothing to answer
        taken = round((now - turn.arrived) * 1000)
        server_time = round(self._clock() * 1000) - taken
        answer: dict[str, Any] = {"tc": round(sample.tc), "ts": server_time, "p": taken}
        if sample.lag is not None:
            error = round(sample.tc + (sample.offset or 0) + sample.lag) - server_time
            if sample.lag and abs(error) < ACCURACY:
                return
            answer["a"] = error
        reply.ext = {**(reply.ext or {}), _KEY: answer}
