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
from mirant.bus.batch import MAX_FRAME, Batch, array_ends
from mirant.bus.carrier import MAX_HANDED_OVER, Link, Outgoing
from mirant.bus.core import Core
from mirant.bus.request import Request
from mirant.bus.session import Session

# RFC 6455, section 7.4.1
GOING_AWAY: Final = 1001
UNSUPPORTED_DATA: Final = 1003
INVALID_PAYLOAD: Final = 1007
POLICY_VIOLATION: Final = 1008
MESSAGE_TOO_BIG: Final = 1009

# RFC 6455, section 5.5: a control frame has 125 bytes, two of them the code of the close.
_MAX_REASON: Final = 123

# RFC 8259, section 2: white space between the tokens of JSON.
_BLANK: Final = b" \t\r\n"


class Connection(Link[Session]):
    """One WebSocket. The host subclasses it: it knows how to send frames and how to close."""

    __slots__ = ("core",)

    transport: ClassVar[str] = "websocket"

    def __init__(self, core: Core, request: Request) -> None:
        """Begin with the *request* that was upgraded."""
        self.core = core
        self.request = request
        self.session = None
        self.browser = core.browsers.of(request)
        self.opened = core.browsers.moment()

    @abstractmethod
    def push(self, batches: Sequence[Batch]) -> bool:
        """Send *batches*, each in one text frame, after what was sent before; False if that cannot be."""

    @abstractmethod
    def say(self, text: bytes) -> None:
        """Send *text* in one text frame, after what was sent before."""

    def read(self, text: bytes) -> list[Message] | None:
        """Return the messages in *text*; or None, having closed the connection because it is not Bayeux.

        A blank frame has no messages, like an empty array: both are signs of life.
        """
        limits = self.core.settings
        try:
            return decode(text, max_size=limits.max_body, max_batch=limits.max_batch)
        except BodyInvalid as error:
            if not text.strip(_BLANK):
                return []
            self.refuse(INVALID_PAYLOAD, str(error))
        except BodyTooLarge as error:
            self.refuse(MESSAGE_TOO_BIG, str(error))
        return None

    def refuse(self, code: int, reason: str) -> None:
        """Close the connection, cutting *reason* to what a close frame can carry."""
        self.close(code, reason.encode()[:_MAX_REASON].decode(errors="ignore"))

    def room(self, session: Session) -> int:
        # A session whose deliveries leave with connects only is paced by its connects, not by the buffer.
        if session.outbox.is_retained:
            return MAX_FRAME  # they leave in one frame, see `send`
        return MAX_HANDED_OVER if self.writable or session.record.connect_only else 0

    def send(self, out: Outgoing) -> bool:
        """Send the deliveries, then the replies, in as few frames as their size allows.

        Where the client acknowledges what it has, a reply numbers the deliveries that come with it. They
        leave in one frame: a cut between two would make them come twice.
        """
        session = self.session
        if out.before and out.replies and session is not None and session.outbox.is_retained:
            parts = [each.payload for batch in out.before for each in batch.deliveries]
            self.say(b"[%b]" % b",".join([*parts, *out.replies, *out.after]))
            return True
        if out.before and not self.push(out.before):
            return False
        replies = out.replies
        if len(replies) == 1 and not out.after:
            self.say(b"[%b]" % replies[0])
        elif replies or out.after:
            parts = [*replies, *out.after]
            start = 0
            for end in array_ends([len(part) for part in parts]):
                self.say(b"[%b]" % b",".join(parts[start:end]))
                start = end
        return True
