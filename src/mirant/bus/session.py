"""One client's session: who it is, what it subscribed to, what waits for it and how it can be reached."""

from __future__ import annotations

from enum import Enum
from math import inf
from typing import TYPE_CHECKING, Any

from mirant.bayeux.channels import Pattern
from mirant.bus.outbox import Outbox

if TYPE_CHECKING:
    from mirant.bus.carrier import Link, Turn
    from mirant.bus.extension import Extension
    from mirant.bus.identity import Identity
    from mirant.options.settings import Settings


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
    ABANDONED = "abandoned"  # the client handshook again before it ever connected
    DISMISSED = "dismissed"  # the application ended it
    IDENTITY_EXPIRED = "identity-expired"  # the credential of the client ran out


class Session:
    """The state kept for one clientId (Bayeux 1.0, section 1.4).

    For applications: `id`, `identity`, `attributes`, `subscriptions`, `ended`, and to change `timeout`,
    `max_interval` (seconds), `echo`, `connect_only`, `extensions`. The rest belongs to the bus.
    """

    __slots__ = (
        "_attributes",
        "address",
        "advised",
        "browser",
        "bucket",
        "calls",
        "connect_only",
        "crowded",
        "deadline",
        "dirty",
        "echo",
        "ending",
        "extensions",
        "held",
        "id",
        "identity",
        "identity_until",
        "interval",
        "lazy_until",
        "link",
        "max_interval",
        "outbox",
        "place",
        "rates",
        "state",
        "subscriptions",
        "timeout",
        "until",
    )

    def __init__(self, session_id: str, settings: Settings) -> None:
        self.id = session_id
        self.identity: Identity | None = None
        self.address: str | None = None  # where its handshake came from
        self.subscriptions: set[Pattern] = set()
        self._attributes: dict[str, Any] | None = None
        self.ending: Ending | None = None

        # What may be changed for this session, best in a hook for its handshake.
        self.timeout = settings.timeout
        self.max_interval = settings.max_interval
        self.echo = settings.echo  # whether it gets what it publishes itself
        self.connect_only = settings.connect_only  # deliveries leave with answers to connects only
        self.extensions: tuple[Extension, ...] = ()

        self.state = State.HANDSHAKEN
        self.outbox = Outbox(settings.max_outbox, settings.overflow)
        self.dirty = False  # waits for the bus's next flush
        self.link: Link | None = None  # where deliveries can be pushed, if anywhere
        self.held: Turn | None = None  # the /meta/connect that waits for something to say
        self.browser: str | None = None  # the browser it is bound to
        self.place: int | None = None  # it is among so many windows of its browser that may poll
        self.crowded = False  # the client was told that its browser has other windows
        self.advised: str | None = None  # the transport for which the client has our advice
        self.interval = settings.interval  # the pause between connects that we advised or the client wanted
        self.calls = 0  # remote calls being worked on
        self.rates: dict[str, float] | None = None  # what a guard remembers of how fast it publishes
        self.identity_until = inf  # when its identity runs out
        self.until = 0.0  # when what is held is answered, or the session ends
        self.lazy_until: float | None = None  # when what waits lazily is sent
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
