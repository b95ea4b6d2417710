"""The eventsource transport, as Faye's clients speak it: a GET whose response never ends.

Deliveries and everything pushed come down the stream, each array as one event. What the client says goes by
POST, as with long-polling; its /meta/connect is answered at once and serves as a heartbeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from mirant.bayeux.advice import HANDSHAKE_NOW
from mirant.bayeux.errors import SESSION_UNKNOWN
from mirant.bayeux.messages import Reply
from mirant.bus.carrier import Link, Request, Turn
from mirant.bus.core import Core
from mirant.bus.session import Session

# : Told to whoever wants the stream of a session that is not there (or not theirs). An error status would
# end the
#: client's attempts for good; this makes it handshake again.
SESSION_LOST: Final = b"[%b]" % (
    Reply(
        channel="/meta/connect", successful=False, error=SESSION_UNKNOWN.wire(), advice=HANDSHAKE_NOW
    ).encode()
)

_ONE_LINE: Final = bytes.maketrans(b"\r\n", b"  ")


class EventStream(Link):
    """The stream of one session. The host subclasses it: it knows how to send a part of a body."""

    __slots__ = ("core",)

    transport: ClassVar[str] = "eventsource"
    ends_with_session: ClassVar[bool] = True

    def __init__(self, core: Core, request: Request) -> None:
        """Begin with the *request* whose response is the stream."""
        self.core = core
        self.request = request
        self.session = None
        self.browser = core.browsers.of(request)

    def finish(self, turns: Sequence[Turn], replies: Sequence[bytes]) -> None:
        """Nothing comes in on a stream, so there are no replies to send on it."""
        raise AssertionError("a stream has no turns")


def session_of(core: Core, path: str, stream: EventStream) -> Session | None:
    """Return the session that *path* names in its last segment, if the request may have it."""
    return core.find(path.rstrip("/").rpartition("/")[2], stream)


def event(payload: bytes) -> bytes:
    """Return one event of the stream.

    A line break would end its data. In JSON it can only stand between tokens, where a blank means the same;
    publishers' own JSON is forwarded as it came, so there may be some.
    """
    return b"data: %b\n\n" % payload.translate(_ONE_LINE)
