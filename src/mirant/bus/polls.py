"""Holding a /meta/connect, and answering it (Bayeux 1.0, section 4.2).

Theory: a server of polling clients does little else than this: each message to 1,000 of them is 1,000
connects. With this many sessions nothing is in the CPU cache, so cost is the number of objects touched. A
*plain* connect says nothing of its own and comes from a session about which nothing is unusual
(`mirant.bus.traits`). Such a connect keeps one object, its encoded reply, and needs no `Turn`. A connect that
is not plain, or whose answer needs more than deliveries, takes the normal path: a `Turn` with message and
reply, completed by extensions when it leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from mirant.bayeux.advice import Advice
from mirant.bayeux.errors import CONNECT_SUPERSEDED, ErrorKind
from mirant.bus.batch import Batch
from mirant.bus.beat import Beat
from mirant.bus.carrier import MAX_RESPONSE, Carrier, Outgoing
from mirant.bus.clock import Clock
from mirant.bus.deliveries import Deliveries
from mirant.bus.held import HeldConnect, slim
from mirant.bus.in_force import InForce
from mirant.bus.plain_connect import KnownConnect, read_plain_connect
from mirant.bus.session import Session
from mirant.bus.tick import Remainder
from mirant.bus.timetable import Timetable
from mirant.bus.traits import CLOSING, ENDED
from mirant.bus.turn import Answer, Turn
from mirant.bus.windows import Windows

# How long clients whose poll is answered because the server goes away wait before the next, in seconds, at
# least: by then its port is closed, and they wait longer and longer.
CLOSING_PAUSE: Final = 1.0

# How much longer some of them wait, in seconds. Many clients have no chance of their own in their pauses: all
# of them would come to the next server in one moment.
CLOSING_SPREAD: Final = 4.0

# For how many seconds a session lives whose client handshook and said no more. A client connects within one
# round trip; what never connects is not worth a place for longer.
FIRST_CONNECT: Final = 30.0

# A burst in which so many polls share a batch is not followed by a pause. An answer with a shared batch costs
# 1 µs of Python; one that was gathered costs 5.
_SHARING: Final = 4


class Polls:
    """The connects that are held."""

    __slots__ = (
        "_answered",
        "_batches",
        "_beat",
        "_burst_began",
        "_chance",
        "_clock",
        "_deliveries",
        "_in_force",
        "_sessions",
        "_timetable",
        "_windows",
    )

    def __init__(
        self,
        sessions: Mapping[str, Session],
        deliveries: Deliveries,
        timetable: Timetable,
        windows: Windows,
        in_force: InForce,
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        """*chance* gives a number from 0 to 1, another one each time."""
        self._sessions = sessions
        self._deliveries = deliveries
        self._timetable = timetable
        self._windows = windows
        self._in_force = in_force
        self._clock = clock
        self._chance = chance
        self._beat = Beat()
        #: When this flush began to answer polls; None if it has not answered any.
        self._burst_began: float | None = None
        #: How many polls this flush answered, or tried to, and with how many different batches.
        self._answered = self._batches = 0

    # --- Holding ---

    def hold_plain(
        self, body: bytes, carrier: Carrier[Session], now: float, known: KnownConnect | None = None
    ) -> KnownConnect | None:
        """Hold the connect in *body*, which came at *now*, if it is plain.

        *known* is what this returned for the last connect on *carrier*.

        Return None if the connect is not plain; then nothing was done.
        """
        if known is None or not known.matches(body):
            known = read_plain_connect(body)
            if known is None:
                return None
        session = self._sessions.get(known.client_id)
        if (
            session is None
            or self._in_force.traits
            or (session.traits and not self._windows.settles(session))
            or session.held is not None
            or session.record.browser != carrier.browser
        ):
            return None
        carrier.session = session
        record = session.record
        record.interval = self._in_force.settings.interval
        # The order of fields is that of `Reply`, whose encoding this is.
        reply = b'{"channel":"/meta/connect","id":%b,"successful":true}' % known.id
        session.held = HeldConnect(carrier, now, None, reply)
        self._timetable.wait(session, now + record.timeout)
        if session.outbox.urgent:
            self._deliveries.mark(session)
        return known

    def hold(self, session: Session, turn: Turn, answer: Answer, timeout: float, now: float) -> None:
        """Keep *answer*, to a connect in *turn*, until there is something to say or *timeout* has passed."""
        slim(answer.message, answer.reply, session.record.id)
        session.held = HeldConnect(turn.carrier, turn.arrived, answer.message, answer.reply)
        self._timetable.wait(session, now + timeout)
        self._deliveries.wake(session)

    def pace(self, session: Session, interval: float) -> None:
        """Let the client of *session* pause for *interval* seconds between connects."""
        session.record.interval = interval

    # --- Answering ---

    def offer(self, remainders: Sequence[Remainder], answered: set[Session | None], now: float) -> None:
        """Answer held connects with what is in *remainders*; let it wait for all other sessions.

        Sessions that are *answered* in this flush anyway get it with that answer.
        """
        at_once = not self._in_force.traits and self._beat.until <= now
        if at_once:
            self._begin_burst()
        queue = self._deliveries.queue
        for remainder in remainders:
            batch = remainder.batch if at_once else None
            left = 0
            size = 0 if batch is None else len(batch.payload)
            for session in remainder.sessions:
                held, outbox = session.held, session.outbox
                if (
                    batch is None
                    or held is None
                    or held.message is not None
                    or session.traits
                    or not outbox.idle
                    or size > outbox.ceiling
                    or (answered and session in answered)
                    or not self._answer_plainly(session, held, batch, now)
                ):
                    queue(session, remainder.deliveries, now)
                    left += 1
            if left < len(remainder.sessions):
                self._batches += 1
                self._answered += len(remainder.sessions) - left

    def answer(self, session: Session, now: float) -> None:
        """Answer the connect that *session* holds, if it does, with what waits for it."""
        held = session.held
        if held is None:
            return
        if session.link is None:  # a connect on a socket is not what the beat is about
            self._begin_burst()
            self._answered += 1
            self._batches += 1
        if held.message is None and not session.traits and not self._in_force.traits:
            taken = self._deliveries.take(session, MAX_RESPONSE)
            if not self._answer_plainly(session, held, Batch(taken), now):
                self._deliveries.put_back(session, taken)
        else:
            self.release(session, now)

    def release(self, session: Session, now: float) -> None:
        """Answer the connect that is held, and expect the next one."""
        turn = self._turn_of(session)
        if turn is not None:
            self._deliveries.complete(turn)
            self.expect(session, now, session.record.interval)

    def refuse(self, session: Session, error: ErrorKind, advice: Advice | None) -> None:
        """Answer the connect that is held with *error*."""
        turn = self._turn_of(session)
        if turn is not None:
            reply = turn.answers[0].reply
            reply.successful, reply.error, reply.advice = False, error.wire(), advice
            self._deliveries.complete(turn)

    def supersede(self, session: Session) -> None:
        """Let go the connect that is held, because a newer one took its place."""
        self.refuse(session, CONNECT_SUPERSEDED, None)

    def withdraw(self, session: Session) -> Turn | None:
        """Give up the connect that is held; the caller has it answered. None: there was none."""
        return self._turn_of(session)

    def forget(self, session: Session, carrier: Carrier[Session]) -> None:
        """Take note that nobody waits on *carrier* any more.

        A page that was reloaded without a goodbye leaves such a poll. Its place is free at once, because the
        new page has another session. A session that comes back takes a place again, if there is one.
        """
        if session.held is not None and session.held.carrier is carrier:
            session.held = None
            self._windows.leave(session)

    def expect(self, session: Session, now: float, pause: float = 0.0) -> None:
        """Let *session* expire unless it is heard of within *pause* and the maximum interval."""
        if not session.traits & ENDED:
            self._timetable.wait(session, now + pause + session.record.max_interval)

    def expect_first(self, session: Session, now: float) -> None:
        """Let *session*, which is new, expire unless it is heard of soon, whatever its maximum interval."""
        if not session.traits & ENDED:
            self._timetable.wait(session, now + min(session.record.max_interval, FIRST_CONNECT))

    def advice(self, session: Session) -> Advice:
        """Return what *session*'s client is to do: connect again, how soon, and how long that may be held."""
        record = session.record
        interval = self._closing_pause() if self._in_force.traits & CLOSING else record.interval
        return Advice(
            reconnect="retry", interval=round(interval * 1000), timeout=round(record.timeout * 1000)
        )

    def close(self, now: float) -> None:
        """Answer every connect, with advice to come back later."""
        for session in list(self._sessions.values()):
            self._send_away(session, now)

    def let_go(self, carrier: Carrier[Session], now: float) -> None:
        """Answer the connect that is held on *carrier*, if there is one, with advice to come back later."""
        session = carrier.session
        if session is not None and session.held is not None and session.held.carrier is carrier:
            self._send_away(session, now)

    def _send_away(self, session: Session, now: float) -> None:
        """Answer the connect that *session* holds, with advice to come back later, each at another time."""
        turn = self._turn_of(session)
        if turn is not None:
            pause = self._closing_pause()
            self.pace(session, pause)
            session.advise_again()  # the server may stay: somebody else may have given up this request alone
            turn.answers[0].reply.advice = Advice(
                reconnect="retry", interval=round(pause * 1000), timeout=round(session.record.timeout * 1000)
            )
            self._deliveries.complete(turn)
            self.expect(session, now, pause)

    def _closing_pause(self) -> float:
        return CLOSING_PAUSE + CLOSING_SPREAD * self._chance()

    def _answer_plainly(self, session: Session, held: HeldConnect, batch: Batch, now: float) -> bool:
        """Answer *held*, which is plain, with *batch*; return whether that was sent."""
        session.held = None
        record = session.record
        self._timetable.wait(session, now + record.interval + record.max_interval)
        out = Outgoing((batch,), (held.reply,))  # type: ignore[arg-type]  # a plain one keeps it as bytes
        return self._deliveries.send(held.carrier, out)

    def _turn_of(self, session: Session) -> Turn | None:
        """Take the connect that *session* holds, and return it as a turn that can be answered."""
        held, session.held = session.held, None
        if held is None:
            return None
        turn = Turn(held.carrier, session, held.arrived, alone=True)
        turn.answers.append(Answer(*held.spell_out(session.record.id)))
        return turn

    # --- The beat ---

    def _begin_burst(self) -> None:
        if self._burst_began is None:
            self._burst_began = self._clock.time()

    def end_burst(self) -> None:
        """Take note that a flush has answered all the polls that it had to."""
        if self._burst_began is not None:
            # Where most answers share a batch, to gather would take longer than to answer.
            if self._answered < _SHARING * self._batches:
                self._beat.strike(self._burst_began, self._clock.time())
            self._burst_began = None
            self._answered = self._batches = 0

    def rest(self, now: float) -> float | None:
        """Return until when no polls are answered with deliveries; None if they are."""
        return self._beat.until if self._beat.until > now else None
