"""The life of sessions: opened, found, adopted, identified, and ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

from mirant.bayeux.advice import GO_AWAY, HANDSHAKE_NOW
from mirant.bayeux.errors import SESSION_UNKNOWN
from mirant.bayeux.messages import Delivery
from mirant.bus.batch import coalesce
from mirant.bus.browsers import Browsers
from mirant.bus.carrier import Carrier, Link, Outgoing
from mirant.bus.deliveries import Deliveries
from mirant.bus.extension import Extensions
from mirant.bus.families import place_of
from mirant.bus.farewells import DISMISSAL, Farewell, Farewells, farewell_answer
from mirant.bus.identity import Identity
from mirant.bus.in_force import InForce
from mirant.bus.links import Links
from mirant.bus.observer import Observers
from mirant.bus.outbox import OutboxFull
from mirant.bus.party import Visitor
from mirant.bus.polls import Polls
from mirant.bus.progress import ClientProgress
from mirant.bus.record import SessionRecord
from mirant.bus.session import Ending, Session
from mirant.bus.session_ids import SessionIds
from mirant.bus.timetable import Timetable
from mirant.bus.turn import Turn
from mirant.bus.windows import Windows


class Sessions:
    """Begins and ends the sessions in the registry, a dict that others read."""

    __slots__ = (
        "_browsers",
        "_deliveries",
        "_extensions",
        "_farewells",
        "_ids",
        "_in_force",
        "_left",
        "_links",
        "_observers",
        "_places",
        "_polls",
        "_registry",
        "_timetable",
        "_windows",
    )

    def __init__(
        self,
        registry: dict[str, Session],
        deliveries: Deliveries,
        polls: Polls,
        links: Links,
        windows: Windows,
        timetable: Timetable,
        extensions: Extensions,
        in_force: InForce,
        observers: Observers,
        browsers: Browsers,
        farewells: Farewells,
        left: Callable[[Session], None],
    ) -> None:
        """*left* is called with each session that ended; its subscriptions are still in its record then."""
        self._registry = registry
        self._ids = SessionIds()
        #: How many sessions there are of each place that an address is in.
        self._places: dict[str, int] = {}
        self._deliveries = deliveries
        self._polls = polls
        self._links = links
        self._windows = windows
        self._timetable = timetable
        self._extensions = extensions
        self._in_force = in_force
        self._observers = observers
        self._browsers = browsers
        self._farewells = farewells
        self._left = left

    def join(self, family: bytes, has_siblings: Callable[[], bool]) -> None:
        """Make ids by which other processes of *family* know that a session is of a sibling."""
        self._ids.join(family, has_siblings)

    def open(self, carrier: Carrier[Session]) -> Session:
        """Register a new session, for a client that handshakes on *carrier*.

        The caller calls `Polls.expect` when the client is about to learn of it.
        """
        settings = self._in_force.settings
        record = SessionRecord(
            id=self._ids.make(),
            timeout=settings.timeout,
            interval=settings.interval,
            max_interval=settings.max_interval,
            echo=settings.echo,
            connect_only=settings.connect_only,
            address=carrier.request.address,
        )
        session = Session(record, settings)
        session.bind(carrier.browser, self._browsers.moment())
        session.advise(carrier.transport)
        return self._register(session)

    def adopt(self, record: SessionRecord, now: float) -> Session:
        """Go on with a session that another process had. Its client may be anywhere.

        Its identity runs out when it would have there. The caller enters its subscriptions into the hub.
        """
        session = Session(record, self._in_force.settings, traits=0)
        left = record.identity_left
        if left is None and record.identity is not None:
            left = record.identity.valid_for
        if left is not None:
            self._timetable.expire(session, now + left)
        if record.advised is not None:
            session.advise(record.advised)
        self._extensions.restore(session)
        return self._register(session)

    def find(self, client_id: str | None, carrier: Carrier[Session]) -> Session | None:
        """Return the session with *client_id*, if *carrier* may have it.

        A clientId is a secret, but pages leak. So a session is bound to its browser's cookie as soon as a
        request presents both, and from then on needs both. A client that keeps no cookies is never bound.
        What the client began before it had the cookie is its own too: see `_is_own`.
        """
        session = self._registry.get(client_id or "")
        if session is None:
            if client_id and self._ids.is_siblings(client_id):
                elsewhere = Visitor(address=carrier.request.address, label=client_id[:8])
                self._observers.note("session.elsewhere", elsewhere)
            return None
        if session.record.browser is None:
            session.bind(carrier.browser, self._browsers.moment())
        elif session.record.browser != carrier.browser and not self._is_own(session, carrier):
            # The sender knows the id and is not the browser: most likely a hijack.
            stranger = Visitor(address=carrier.request.address, label=session.label)
            self._observers.note("session.stranger", stranger)
            return None
        return session

    def farewell(self, client_id: str | None, carrier: Carrier[Session]) -> Sequence[Delivery] | None:
        """Return the last messages for the client of a session that was dismissed; they leave on *carrier*.

        None: no such session was dismissed lately, or *carrier* may not have it. Its client gets the messages
        once, but is told at each connect that it was sent away.
        """
        farewell = self._farewells.find(client_id)
        if farewell is None:
            return None
        bound = farewell.browser is not None
        if bound and farewell.browser != carrier.browser and not self._is_own(farewell, carrier):
            return None
        return self._farewells.take(farewell)

    def _is_own(self, session: Session | Farewell, carrier: Carrier[Session]) -> bool:
        """Whether the client of *session* is behind *carrier*, which presents another browser, or none.

        It may present several browsers, or one of the same family. And it may be a WebSocket that was
        opened beside the handshake, before the client had its cookie: before the session was bound, from the
        same place, and without a session until now. Somebody who learns an id comes later than that.
        """
        browser = session.browser
        if browser is not None and self._browsers.is_from(carrier.request, browser):
            return True
        opened = carrier.opened if isinstance(carrier, Link) else None
        is_early = opened is not None and opened < session.bound_at
        return is_early and place_of(carrier.request.address) == place_of(session.address)

    def identify(self, session: Session, identity: Identity | None, now: float) -> bool:
        """Let *session* be that of *identity* until it runs out; return whether it was another's before."""
        changed = identity != session.identity
        session.identify(identity)
        lasts = None if identity is None else identity.valid_for
        self._timetable.expire(session, inf if lasts is None else now + lasts)
        return changed

    def heard(self, session: Session, now: float) -> None:
        """Put off the expiry of a session that sent something other than a /meta/connect."""
        if session.held is None:
            self._timetable.put_off(session, now + session.record.max_interval)

    def watch(self, session: Session, download: ClientProgress) -> None:
        """Let *session* live while its client is busy with *download*."""
        session.download = download

    def spare(self, session: Session, now: float) -> bool:
        """Let *session*, which is due, live on if its client is busy; return whether it is."""
        progress = session.link or session.download
        seconds = 0.0 if progress is None else progress.lasts(now)
        if seconds <= 0.0:
            return False
        self._timetable.wait(session, now + seconds)
        return True

    def end(self, session: Session, ending: Ending) -> None:
        """End *session*: the bus forgets it, its subscriptions and what waits for it. Twice is once."""
        if session.ended:
            return
        self._part(session, ending)
        self._deliveries.forget(session)
        session.finish(ending)
        del self._registry[session.id]
        self._leave_place(session)
        self._timetable.remove(session)
        self._windows.leave(session)
        for tell in self._observers.ended:
            tell(session, ending)
        self._left(session)

    def end_full(self, session: Session, full: OutboxFull) -> None:
        """End *session*, because more waits for it than may."""
        self._observers.note("session.outbox-full", session, size=full.size, limit=full.limit)
        self.end(session, Ending.OUTBOX_FULL)

    def dismiss(self, session: Session, now: float, turn: Turn | None = None) -> None:
        """End *session* on behalf of the application; its client gets what waits and stays away.

        *turn* is one of its own that is being processed, if there is one: the client may be told with it. A
        client that is not there is told when it comes.
        """
        if session.ended:
            return
        if session.link is None and session.held is None:
            waiting = self._deliveries.take_all(session)
            if turn is not None:
                turn.deliveries = waiting
                turn.answers.append(farewell_answer())
            else:
                self._farewells.keep(session, waiting, now)
        self.end(session, Ending.DISMISSED)

    def of_place(self, address: str | None) -> int:
        """Return how many sessions come from *address*, or from its IPv6 network of 64 bits.

        None are counted whose address is not known, as behind a proxy at a Unix socket that names none.
        """
        return 0 if address is None else self._places.get(_place_of(address), 0)

    def _leave_place(self, session: Session) -> None:
        place = _place_of(session.address)
        self._places[place] -= 1
        if not self._places[place]:
            del self._places[place]

    def _register(self, session: Session) -> Session:
        self._registry[session.id] = session
        place = _place_of(session.address)
        self._places[place] = self._places.get(place, 0) + 1
        for tell in self._observers.opened:
            tell(session)
        return session

    def _part(self, session: Session, ending: Ending) -> None:
        """Take *session* from its carriers, and tell its client in the way that suits the *ending*."""
        if ending in (Ending.OUTBOX_FULL, Ending.IDENTITY_EXPIRED):
            self._polls.refuse(session, SESSION_UNKNOWN, HANDSHAKE_NOW)
        turn = self._polls.withdraw(session)
        link = self._links.cut(session)
        if turn is not None:
            turn.answers[0].reply.advice = GO_AWAY
            if ending is Ending.DISMISSED:
                turn.deliveries = self._deliveries.take_all(session)
                # First, as in the reference. But over a WebSocket CometD's client closes only if no connect
                # is outstanding when it reads it.
                turn.answers.insert(1 if turn.carrier.is_link else 0, farewell_answer())
            self._deliveries.complete(turn)
        elif ending is Ending.DISMISSED and link is not None:
            last = [*self._deliveries.take_all(session), DISMISSAL]
            self._deliveries.send(link, Outgoing(coalesce(last)))
        if link is not None:
            _close(link, ending)


def _place_of(address: str | None) -> str:
    """Return the place of *address*, without parsing it if it is an IPv4 address of another machine."""
    if address is not None and ":" not in address and not address.startswith("127."):
        return address
    return place_of(address)


def _close(link: Link[Session], ending: Ending) -> None:
    """Close *link* as far as the *ending* of its session asks for it."""
    if ending is Ending.OUTBOX_FULL:
        link.close(1008, "the session's outbox is full: it reads too slowly")
    elif ending is Ending.EXPIRED:
        link.close(1000, "the session expired: nothing was heard of the client")
    if link.ends_with_session:
        link.close(1000, "the session has ended")
