"""One client's session: its record, and what of it lives in this process only."""

from __future__ import annotations

from enum import Enum
from math import inf
from typing import Any, Final

from mirant.bayeux.channels import Pattern
from mirant.bus.carrier import Link
from mirant.bus.held import HeldConnect
from mirant.bus.identity import Identity
from mirant.bus.outbox import Outbox
from mirant.bus.progress import ClientProgress
from mirant.bus.record import SessionRecord
from mirant.bus.retention import Retention
from mirant.bus.traits import CONNECT_ONLY, ENDED, EXTENDED, NEW, UNADVISED, UNHELD, UNPLACED
from mirant.options.settings import Settings

_LONG_POLLING: Final = "long-polling"


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


class OwnExtension:
    """What a session may have in `Session.extensions`: a `mirant.bus.extension.Extension`.

    That class is defined above sessions, because its methods take some.
    """


class Session:
    """The state kept for one clientId (Bayeux 1.0, section 1.4).

    Each attribute is written by one file, named beside it; others call that file's functions.
    """

    __slots__ = (
        "_attributes",
        "_extensions",
        "_rates",
        "bound_at",
        "bucket",
        "busy_until",
        "calls",
        "deadline",
        "dirty",
        "download",
        "ending",
        "held",
        "identity_until",
        "lazy_until",
        "link",
        "outbox",
        "record",
        "traits",
        "until",
        "weight",
    )

    def __init__(self, record: SessionRecord, settings: Settings, *, traits: int = NEW) -> None:
        """Begin with *record*; *settings* say how much may wait."""
        self.record = record
        #: What is unusual about it (`mirant.bus.traits`).
        self.traits = traits | UNADVISED | UNPLACED
        self.outbox = Outbox(settings.max_outbox, settings.overflow)
        self._attributes: dict[str, Any] | None = None
        self._extensions: tuple[OwnExtension, ...] = ()
        self._rates: dict[str, float] | None = None
        #: The moment (`Browsers.moment`) at which it was bound to a browser; 0: it is not, or always was.
        self.bound_at = 0

        # Who writes it stands before the colon.
        self.link: Link[Session] | None = None  # links: where deliveries can be pushed, if anywhere
        self.weight = 0  # hub: about how many bytes its subscriptions take
        self.busy_until = 0.0  # subscribing: when it has paid for the subscriptions that it asked for
        self.held: HeldConnect | None = None  # polls: the /meta/connect that waits for something to say
        self.dirty = False  # deliveries: is looked at in the next flush
        self.ending: Ending | None = None  # sessions
        self.download: ClientProgress | None = None  # sessions: an answer that may still be being read
        self.calls = 0  # calls: remote calls being worked on
        self.until = 0.0  # timetable: when what is held is answered, or the session ends
        self.identity_until = inf  # timetable: when its identity runs out
        self.lazy_until: float | None = None  # timetable: when what waits lazily is sent
        self.deadline = 0.0  # deadlines
        self.bucket: int | None = None  # deadlines

        if record.connect_only:
            self.mark(CONNECT_ONLY)
        if record.timeout <= 0:
            self.mark(UNHELD)

    # --- What it is ---

    @property
    def id(self) -> str:
        """The clientId. It is a credential."""
        return self.record.id

    @property
    def label(self) -> str:
        """Enough of the id to find the session in a log, not enough to be it."""
        return self.record.id[:8]

    @property
    def identity(self) -> Identity | None:
        """Who its client is; None if nobody said so."""
        return self.record.identity

    @property
    def address(self) -> str | None:
        """Where its handshake came from."""
        return self.record.address

    @property
    def browser(self) -> str | None:
        """The browser that it is bound to."""
        return self.record.browser

    @property
    def subscriptions(self) -> set[Pattern]:
        """What it subscribed to."""
        return self.record.subscriptions

    @property
    def state(self) -> State:
        """Where it is in its life."""
        if self.traits & ENDED:
            return State.ENDED
        return State.HANDSHAKEN if self.traits & NEW else State.CONNECTED

    @property
    def ended(self) -> bool:
        """Whether the session is over; messages for it go nowhere then."""
        return bool(self.traits & ENDED)

    @property
    def attributes(self) -> dict[str, Any]:
        """A place for the application's own data about this session."""
        if self._attributes is None:
            self._attributes = {}
        return self._attributes

    @property
    def rates(self) -> dict[str, float]:
        """What a guard remembers of how fast it publishes."""
        if self._rates is None:
            self._rates = {}
        return self._rates

    def record_at(self, now: float) -> SessionRecord:
        """Return the record, as another process may go on with it from *now* on.

        Clocks differ between processes, so it says what is left of the identity's time, not when it ends.
        """
        until = self.identity_until
        self.record.identity_left = None if until == inf else max(0.0, until - now)
        return self.record

    # --- What makes it unusual ---

    def mark(self, trait: int) -> None:
        """Take note of something unusual."""
        self.traits |= trait

    def unmark(self, trait: int) -> None:
        """Take note that it is over."""
        self.traits &= ~trait

    def begin(self) -> None:
        """Take note of the first /meta/connect."""
        self.traits &= ~NEW

    def finish(self, ending: Ending) -> None:
        """Take note of the end."""
        self.traits |= ENDED
        self.ending = ending
        self.outbox.clear()

    def bind(self, browser: str | None, moment: int) -> None:
        """Bind the session to *browser* at this *moment*, if it is not bound yet."""
        if self.record.browser is None and browser is not None:
            self.record.browser = browser
            self.bound_at = moment
            self.traits |= UNPLACED

    def identify(self, identity: Identity | None) -> None:
        """Let the session be that of *identity*."""
        self.record.identity = identity

    def advise(self, transport: str) -> None:
        """Take note that the client has our advice for *transport*."""
        self.record.advised = transport
        self.traits = self.traits & ~UNADVISED if transport == _LONG_POLLING else self.traits | UNADVISED

    def advise_again(self) -> None:
        """Take note that the client has advice that holds for once; the next answer gives ours again."""
        self.record.advised = None
        self.traits |= UNADVISED

    # --- What the application and extensions may change ---

    @property
    def timeout(self) -> float:
        """For how many seconds its connects are held."""
        return self.record.timeout

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        self.record.timeout = seconds
        self.traits = self.traits & ~UNHELD if seconds > 0 else self.traits | UNHELD

    @property
    def interval(self) -> float:
        """The pause in seconds between connects that we advised or the client wanted."""
        return self.record.interval

    @interval.setter
    def interval(self, seconds: float) -> None:
        self.record.interval = seconds

    @property
    def max_interval(self) -> float:
        """For how many seconds it lives on without hearing of its client."""
        return self.record.max_interval

    @max_interval.setter
    def max_interval(self, seconds: float) -> None:
        self.record.max_interval = seconds

    @property
    def echo(self) -> bool:
        """Whether it gets what it publishes itself."""
        return self.record.echo

    @echo.setter
    def echo(self, echo: bool) -> None:
        self.record.echo = echo

    @property
    def connect_only(self) -> bool:
        """Whether deliveries leave with answers to connects only."""
        return self.record.connect_only

    @connect_only.setter
    def connect_only(self, connect_only: bool) -> None:
        self.record.connect_only = connect_only
        self.traits = self.traits | CONNECT_ONLY if connect_only else self.traits & ~CONNECT_ONLY

    @property
    def extensions(self) -> tuple[OwnExtension, ...]:
        """Extensions of this session alone, in the order in which they run."""
        return self._extensions

    @extensions.setter
    def extensions(self, extensions: tuple[OwnExtension, ...]) -> None:
        self._extensions = tuple(extensions)
        self._mark_extended()

    def negotiated(self, key: str) -> Any:
        """Return what the extension called *key* keeps of this session; None if it was not negotiated."""
        extensions = self.record.extensions
        return None if extensions is None else extensions.get(key)

    def negotiate(self, key: str, state: Any) -> None:
        """Keep *state*, a `msgspec.Struct`, for the extension called *key*; it is part of the record.

        A state that is a `Retention` keeps what the session is sent, from now on.
        """
        if self.record.extensions is None:
            self.record.extensions = {}
        self.record.extensions[key] = state
        if isinstance(state, Retention):
            self.outbox.retain(state)
        self._mark_extended()

    def _mark_extended(self) -> None:
        extended = self._extensions or self.record.extensions
        self.traits = self.traits | EXTENDED if extended else self.traits & ~EXTENDED

    def __repr__(self) -> str:
        return f"<Session {self.label}… {self.state.value}>"
