"""The websocket transport: messages both ways in text frames, each a JSON array.

Deliveries are pushed whenever there are any. The /meta/connect is a heartbeat here: it is held until its
timeout, and messages do not release it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Final

from mirant.bayeux.codec import BodyInvalid, BodyTooLarge, decode
from mirant.bayeux.messages import Message
from mirant.bus.carrier import Link, Request, Turn
from mirant.bus.core import Core
from mirant.bus.flush import MAX_HANDED_OVER
from mirant.bus.outbox import array_ends, coalesce

# RFC 6455, section 7.4.1
GOING_AWAY: Final = 1001
UNSUPPORTED_DATA: Final = 1003
INVALID_PAYLOAD: Final = 1007
POLICY_VIOLATION: Final = 1008
MESSAGE_TOO_BIG: Final = 1009

# RFC 6455, section 5.5: a control frame has 125 bytes, two of them the code of the close.
_MAX_REASON: Final = 123


class Connection(Link):
    """One WebSocket. The host subclasses it: it knows how to send a text and how to close."""

    __slots__ = ("core",)

    transport: ClassVar[str] = "websocket"

    def __init__(self, core: Core, request: Request) -> None:
        """Begin with the *request* that was upgraded."""
        self.core = core
        self.request = request
        self.session = None
        self.browser = core.browsers.of(request)

    @abstractmethod
    def send(self, text: bytes) -> None:
        """Send *text* in one text frame, after what was sent before."""

    def read(self, text: bytes) -> list[Message] | None:
        """Return the messages in *text*; or None, having closed the connection because it is not Bayeux."""
        limits = self.core.settings
        try:
            return decode(text, max_size=limits.max_body, max_batch=limits.max_batch)
        except BodyInvalid as error:
            self.refuse(INVALID_PAYLOAD, str(error))
        except BodyTooLarge as error:
            self.refuse(MESSAGE_TOO_BIG, str(error))
        return None

    def refuse(self, code: int, reason: str) -> None:
        """Close the connection, cutting *reason* to what a close frame can carry."""
        self.close(code, reason.encode()[:_MAX_REASON].decode(errors="ignore"))

    def finish(self, turns: Sequence[Turn], replies: Sequence[bytes]) -> None:
        """Send what waits for the session, then the replies, in as few frames as their size allows."""
        session, turn = self.session, turns[0]
        if (
            len(turns) == len(replies) == 1
            and not (turn.deliveries or turn.following)
            and not (session is not None and session.outbox)
        ):
            # Nearly always it is this; the way below takes 2 µs of the 9 that a publish takes.
            self.send(b"[%b]" % replies[0])
            return
        for turn in turns:
            if turn.deliveries:
                self.write(coalesce(turn.deliveries))
        self._deliver(turns)
        parts = [*replies, *(delivery.payload for turn in turns for delivery in turn.following)]
        start = 0
        for end in array_ends([len(part) for part in parts]):
            self.send(b"[%b]" % b",".join(parts[start:end]))
            start = end

    def _deliver(self, turns: Sequence[Turn]) -> None:
        """Send what waits for the session and may leave with the answers of *turns*."""
        session = self.session
        if session is None or session.link is not self or not session.outbox:
            return
        allowed = any(turn.lets_deliver(connect_only=session.connect_only) for turn in turns)
        if allowed and (self.writable or session.connect_only):
            self.write(coalesce(session.outbox.take(MAX_HANDED_OVER)))
