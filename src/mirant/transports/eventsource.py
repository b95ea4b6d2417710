"""The eventsource transport, as Faye's clients speak it: a GET whose response never ends.

Deliveries and everything pushed come down the stream, each array as one event. What the client says goes by
POST, as with long-polling; its /meta/connect is answered at once and serves as a heartbeat.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Final

import msgspec

from mirant.bayeux.advice import GO_AWAY, HANDSHAKE_NOW
from mirant.bayeux.errors import SESSION_UNKNOWN
from mirant.bayeux.messages import Reply
from mirant.bus.batch import Batch
from mirant.bus.carrier import MAX_HANDED_OVER, Link, Outgoing
from mirant.bus.core import Core
from mirant.bus.farewells import DISMISSAL
from mirant.bus.request import Request
from mirant.bus.session import Session

# Answers to a connect that the client did not send as a message.
_LOST: Final = Reply(channel="/meta/connect", successful=False, error=SESSION_UNKNOWN.wire())

_ONE_LINE: Final = bytes.maketrans(b"\r\n", b"  ")


class EventStream(Link[Session]):
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
        self.opened = None  # it names its session as it opens

    @abstractmethod
    def push(self, batches: Sequence[Batch]) -> None:
        """Send *batches*, each as one event, after what was sent before."""

    def room(self, session: Session) -> int:
        return MAX_HANDED_OVER if self.writable else 0

    def send(self, out: Outgoing) -> bool:
        """Send deliveries. Nothing comes in on a stream, so there are no replies to send on it."""
        self.push(out.before)
        return True


def session_of(core: Core, path: str, stream: EventStream) -> Session | None:
    """Return the session that *path* names in its last segment, if the request may have it."""
    return core.find(_client_id(path), stream)


def _client_id(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def session_lost(core: Core, path: str, stream: EventStream) -> bytes:
    """Return what a client is told that wants the stream of a session that does not exist or is not its own.

    It is to handshake. If its session was dismissed, it gets its last messages and is to stay away. An error
    status would end the attempts of the one, and make the other try for ever.
    """
    deliveries = core.farewell(_client_id(path), stream)
    if deliveries is None:
        return b"[%b]" % msgspec.structs.replace(_LOST, advice=HANDSHAKE_NOW).encode()
    last = [delivery.payload for delivery in (*deliveries, DISMISSAL)]
    return b"[%b]" % b",".join([*last, msgspec.structs.replace(_LOST, advice=GO_AWAY).encode()])


def event(payload: bytes) -> bytes:
    """Return one event of the stream.

    A line break would end its data. In JSON it can only stand between tokens, where a blank means the same;
    publishers' own JSON is forwarded as it came, so there may be some.
    """
    return b"data: %b\n\n" % payload.translate(_ONE_LINE)
