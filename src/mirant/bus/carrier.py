"""What brings messages and takes answers: the interface between the bus and the transports.

A *carrier* is one way to one client: a WebSocket connection, which lives long and can be written at any
time, or one HTTP exchange, which is answered once. A *turn* is what came in at once on a carrier (a body, a
frame) with the answers it gets.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

from msgspec import UNSET, Raw

from mirant.bayeux.channels import CONNECT
from mirant.bayeux.messages import Delivery, Message, OddMessage, Reply
from mirant.bus.outbox import Batch
from mirant.options.values import TRANSPORTS

if TYPE_CHECKING:
    from mirant.bus.session import Session

_CONNECT_NAME: Final = CONNECT.name
_NOTHING: Final = Raw()

# As clients write them in a /meta/connect.
_CONNECTION_TYPES: Final = {
    bytes(json): json for json in (Raw(b'"%b"' % name.encode()) for name in TRANSPORTS)
}


#: The `Request.peer` of a connection to a file: whoever may open that.
UNIX: Final = "unix"


@dataclass(frozen=True, slots=True)
class Request:
    """What is known of the HTTP request that a carrier began with. Header names are lower case."""

    headers: Mapping[str, str] = field(default_factory=dict)
    address: str | None = None  # the client's IP address, as far as it is known: a proxy may have said it
    # The IP address at the other end of the connection, a proxy's if there is one, or `UNIX`. What a client
    # may do because of it depends on who says so: an ASGI server may have put the client's own there.
    peer: str | None = None
    repeated: frozenset[str] = frozenset()  # names of headers that came more than once, and were joined
    secure: bool = False  # came over TLS
    multiplexed: bool = False  # HTTP/2 or later: requests do not use up the browser's connections
    query: str = ""  # what followed the "?" in the address, still percent-encoded


class Turn:
    """Messages that came in at once, and the answers collected for them."""

    __slots__ = (
        "_answers",
        "alone",
        "arrived",
        "carrier",
        "deliveries",
        "following",
        "named",
        "session",
        "with_messages",
    )

    def __init__(self, carrier: Carrier, session: Session | None, arrived: float, *, alone: bool) -> None:
        self.carrier = carrier
        self.session = session
        self.arrived = arrived
        self.alone = alone  # one message only: over HTTP, only then a /meta/connect may be held
        self._answers: list[tuple[Message, Reply]] | None = []
        # What is to leave before the answers, beside what waits in the session's outbox.
        self.deliveries: Sequence[Delivery] = ()
        # Whether what waits for a new session comes with its handshake's reply, and what that is.
        self.with_messages = False
        self.following: Sequence[Delivery] = ()
        self.named = 0  # patterns that its messages named so far, and past messages they were answered with

    @property
    def answers(self) -> list[tuple[Message, Reply]]:
        """The replies, each with its message until the reply leaves: extensions may complete it then."""
        if self._answers is None:
            self._answers = self._spell_out()
        return self._answers

    @property
    def is_plain(self) -> bool:
        """Whether nobody has had a look at the answers yet."""
        return self._answers is None

    def _spell_out(self) -> list[tuple[Message, Reply]]:
        return []

    def slim(self, session: Session) -> None:
        """Let go of what is not needed while this is held for *session*.

        What is there twice is 340 of the 1,900 bytes that an idle session takes; and raw JSON keeps hold of
        the whole body that it came in, which may be 1 MiB. Of the message's free fields `ext` stays.
        """
        message, reply = self.answers[0]
        message.client_id = session.id
        if message.channel == _CONNECT_NAME:
            message.channel = reply.channel = _CONNECT_NAME
        message.data = message.subscription = message.timestamp = _NOTHING
        reply.subscription = UNSET
        message.version = message.minimum_version = message.supported_connection_types = _NOTHING
        message.connection_type = _CONNECTION_TYPES.get(bytes(message.connection_type), _NOTHING)
        if message.ext is not None:
            message.ext = {name: Raw(bytes(raw)) for name, raw in message.ext.items()}
        if isinstance(message, OddMessage):
            message.odd_fields = {}

    def lets_deliver(self, *, connect_only: bool) -> bool:
        """Whether deliveries may leave with the answers; with *connect_only*, only a connect's carry them.

        A connect that was superseded carries none: its client is the least likely to be listening.
        """
        for message, reply in self.answers:
            # The text settles it mostly: 0.03 µs, where parsing takes 0.55.
            is_connect = message.channel == _CONNECT_NAME or message.target == CONNECT
            if (is_connect and reply.successful is True) or not (is_connect or connect_only):
                return True
        return False


class Carrier(ABC):
    """One way to one client. The transports implement it, the bus calls it."""

    __slots__ = ("browser", "request", "session")

    #: The Bayeux name of the transport, such as ``websocket``.
    transport: ClassVar[str]
    #: Whether it is a `Link`. `isinstance` with an abstract class takes 0.2 µs, four times per poll.
    is_link: ClassVar[bool] = False

    request: Request
    #: The identity of the browser that a request presented, if it is one that this server gave out.
    browser: str | None
    #: The session whose messages came on it; a link stays bound to it.
    session: Session | None

    @abstractmethod
    def finish(self, turns: Sequence[Turn], replies: Sequence[bytes]) -> None:
        """Send the *replies* (JSON objects) of completed *turns*, after whatever waits for their session."""


class Link(Carrier):
    """A carrier that deliveries can be pushed into at any time: a WebSocket connection."""

    __slots__ = ()

    is_link: ClassVar[bool] = True
    #: Whether it is of no use without its session. On a WebSocket the client can handshake again.
    ends_with_session: ClassVar[bool] = False

    @property
    @abstractmethod
    def writable(self) -> bool:
        """Whether it takes more now. When that becomes true again the host calls `Core.resume`."""

    @abstractmethod
    def write(self, batches: Sequence[Batch]) -> None:
        """Send *batches*, each as one message. Never raises; the host reports what was not sent."""

    @abstractmethod
    def take_back(self) -> list[Batch]:
        """Give back, and do not send, the deliveries that were written and certainly have not left yet."""

    @abstractmethod
    def close(self, code: int, reason: str) -> None:
        """Close the connection, after what was written, with an RFC 6455 status *code*."""
