"""What brings messages and takes answers: the interface between the bus and the transports.

A *carrier* is one way to one client: a WebSocket connection, which lives long and can be written at any
time, or one HTTP exchange, which is answered once. A *turn* is what came in at once on a carrier (a body, a
frame) with the answers it gets.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from mirant.bayeux.channels import CONNECT
from mirant.bayeux.messages import Delivery, Message, Reply
from mirant.bus.outbox import Batch

if TYPE_CHECKING:
    from mirant.bus.session import Session


@dataclass(frozen=True, slots=True)
class Request:
    """What is known of the HTTP request that a carrier began with. Header names are lower case."""

    headers: Mapping[str, str] = field(default_factory=dict)
    address: str | None = None  # the peer's IP address
    secure: bool = False  # came over TLS
    multiplexed: bool = False  # HTTP/2 or later: requests do not use up the browser's connections


class Turn:
    """Messages that came in at once, and the answers collected for them."""

    __slots__ = (
        "alone",
        "answers",
        "arrived",
        "carrier",
        "deliveries",
        "following",
        "session",
        "with_messages",
    )

    def __init__(self, carrier: Carrier, session: Session | None, arrived: float, *, alone: bool) -> None:
        self.carrier = carrier
        self.session = session
        self.arrived = arrived
        self.alone = alone  # one message only: over HTTP, only then a /meta/connect may be held
        # The message is kept with its reply until the reply leaves: extensions may complete it then.
        self.answers: list[tuple[Message, Reply]] = []
        # What is to leave before the answers, beside what waits in the session's outbox.
        self.deliveries: list[Delivery] = []
        # Whether what waits for a new session comes with its handshake's reply, and what that is.
        self.with_messages = False
        self.following: list[Delivery] = []

    def lets_deliver(self, *, connect_only: bool) -> bool:
        """Whether deliveries may leave with the answers; with *connect_only*, only a connect's carry them.

        A connect that was superseded carries none: its client is the least likely to be listening.
        """
        for message, reply in self.answers:
            is_connect = message.target == CONNECT
            if (is_connect and reply.successful is True) or not (is_connect or connect_only):
                return True
        return False


class Carrier(ABC):
    """One way to one client. The transports implement it, the bus calls it."""

    __slots__ = ("browser", "request", "session")

    #: The Bayeux name of the transport, such as ``websocket``.
    transport: ClassVar[str]

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
