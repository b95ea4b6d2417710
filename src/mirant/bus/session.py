"""One client's session: who it is, what it subscribed to, what waits for it and how it can be reached."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from mirant.bayeux.channels import Pattern
from mirant.bus.outbox import Outbox

if TYPE_CHECKING:
    from mirant.bus.carrier import Link, Turn
    from mirant.bus.identity import Identity


class State(Enum):
    """Where a session is in its life."""

    HANDSHAKEN = "handshaken"  # it may do anything, but its first /meta/connect is still to come
    CONNECTED = "connected"
    ENDED = "ended"  # the bus does not know it any more


class Ending(Enum):
    """Why a session ended."""

    DISCONNECTED = "disconnected"  # the client said goodbye
    EXPIRED = "expired"  # the client was not heard of for too long
    OUTBOX_FULL = "outbox-full"  # the client was too slow for what it subscribed to
    DISMISSED = "dismissed"  # the application ended it


class Session:
    """The state kept for one clientId (Bayeux 1.0, section 1.4).

    For applications: `id`, `identity`, `attributes`, `subscriptions`, `ended`. The rest belongs to the bus.
    """

    __slots__ = (
        "_attributes",
        "advised",
        "browser",
        "bucket",
        "calls",
        "connect_only",
        "crowded",
        "deadline",
        "dirty",
        "ending",
        "held",
        "id",
        "identity",
        "interval",
        "link",
        "outbox",
        "state",
        "subscriptions",
    )

    def __init__(self, session_id: str, outbox_limit: int) -> None:
        self.id = session_id
        self.identity: Identity | None = None
        self.subscriptions: set[Pattern] = set()
        self.state = State.HANDSHAKEN
        self.ending: Ending | None = None
        self._attributes: dict[str, Any] | None = None

        self.outbox = Outbox(outbox_limit)
        self.dirty = False  # waits for the bus's next flush
        self.link: Link | None = None  # where deliveries can be pushed, if anywhere
        self.held: Turn | None = None  # the /meta/connect that waits for something to say
        self.browser: str | None = None  # the browser it is bound to
        self.advised: str | None = None  # the transport for which the client has our advice
        self.connect_only = False  # deliveries leave with the answers of connects, and no other way
        self.crowded = False  # the client was told that its browser has other windows
        self.interval = 0.0  # the pause between connects that the client asked for, or we advised
        self.calls = 0  # remote calls being worked on
        self.deadline = 0.0
        self.bucket: int | None = None

    @property
    def ended(self) -> bool:
        """Whether the session is over; messages for it go nowhere then."""
        return self.state is State.ENDED

    @property
    def attributes(self) -> dict[str, Any]:
        """A place for the application's own data about this session."""
        if self._attributes is None:
            self._attributes = {}
        return self._attributes

    def __repr__(self) -> str:
        # The id is a credential: enough of it to find a session in a log, not enough to be one.
        return f"<Session {self.id[:8]}… {self.state.value}>"
