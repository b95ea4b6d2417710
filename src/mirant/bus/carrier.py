"""One way to one client: what the bus asks of the transports and of the hosts below them.

A *carrier* is a WebSocket connection or an event stream, which lives long and can be written at any time (a
`Link`), or one HTTP exchange, which is answered once. Carriers are generic in the session that they serve,
because sessions refer to carriers and modules must not refer to each other in a circle.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Final, Generic, TypeVar

import msgspec

from mirant.bus.batch import Batch
from mirant.bus.request import Request

S = TypeVar("S")

# How much of an outbox is handed to a connection at once. What was handed over is lost if the connection
# breaks; the rest waits for the next one. 256 KiB keep a fast link busy for a turn of the event loop.
MAX_HANDED_OVER: Final = 256 * 1024

# How much of an outbox rides on one answer over HTTP. What is left makes the next /meta/connect return at
# once. Clients bound what they read: CometD Java 1 MiB.
MAX_RESPONSE: Final = 512 * 1024


class Outgoing(msgspec.Struct, gc=False):
    """What leaves at once on a carrier, in this order. Each part is JSON objects."""

    #: Deliveries. A fan-out gives the same batches to every subscriber.
    before: Sequence[Batch] = ()
    replies: Sequence[bytes] = ()
    #: Deliveries that follow a handshake's reply.
    after: Sequence[bytes] = ()
    #: Whether one of the replies gives the client its new session; a browser is given its cookie with it.
    opens: bool = False
    #: The batch in `before`, if that is one and there is nothing else. Each subscriber's link asks for it.
    alone: Batch | None = None


class Carrier(ABC, Generic[S]):
    """One way to one client. The transports implement it, and the bus calls it."""

    __slots__ = ("browser", "request", "session")

    #: The Bayeux name of the transport, such as ``websocket``.
    transport: ClassVar[str]
    #: Whether it is a `Link`. `isinstance` with an abstract class takes 0.2 µs, four times per poll.
    is_link: ClassVar[bool] = False
    #: Whether deliveries ride on answers to /meta/connect only, whatever the session's options say.
    connect_only: ClassVar[bool] = False

    request: Request
    #: The identity of the browser that a request presented, if this server gave it out.
    browser: str | None
    #: The session whose messages came on it; a link stays bound to it. None once the client is gone.
    session: S | None

    @abstractmethod
    def room(self, session: S) -> int:
        """Return how many bytes of deliveries for *session* may ride on answers that leave now."""

    @abstractmethod
    def send(self, out: Outgoing) -> bool:
        """Send *out*. Never raises. False: nothing was sent, and the bus keeps what it has to."""


class Link(Carrier[S]):
    """A carrier that deliveries can be pushed into at any time."""

    __slots__ = ("opened",)

    is_link: ClassVar[bool] = True
    #: The moment (`Browsers.moment`) at which it was opened, if it has had no session until now; else None.
    opened: int | None
    #: Whether it is of no use without its session. On a WebSocket the client can handshake again.
    ends_with_session: ClassVar[bool] = False

    @property
    @abstractmethod
    def writable(self) -> bool:
        """Whether it takes more now. When that becomes true again the host calls `Core.resume`."""

    def lasts(self, now: float) -> float:
        """Return for how many seconds after *now* the client may be busy with what was sent; 0 if it is not.

        It is asked when nothing was heard of the client for too long (`mirant.bus.progress`).
        """
        return 0.0

    @abstractmethod
    def take_back(self) -> list[Batch]:
        """Give back, and do not send, the deliveries that were sent and certainly have not left yet."""

    @abstractmethod
    def close(self, code: int, reason: str) -> None:
        """Close the connection, after what was sent, with an RFC 6455 status *code*."""
