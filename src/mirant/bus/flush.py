"""What is to be sent at the end of a turn of the event loop, and in which order."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from mirant.bayeux.errors import APPLICATION_FAILED
from mirant.bayeux.messages import Delivery, Reply
from mirant.bus.carrier import Carrier, Turn
from mirant.bus.outbox import Batch, OutboxFull, coalesce
from mirant.bus.plain_poll import PlainPoll, is_plain, may_answer
from mirant.bus.session import Ending, Session
from mirant.bus.tick import Subscribers, Tick

if TYPE_CHECKING:
    from mirant.bus.core import Core

# How much of an outbox is handed to a connection at once. What is handed over is lost if the connection
# breaks, what is not waits for the next one; 256 KiB keeps a fast link busy for a turn of the event loop.
MAX_HANDED_OVER: Final = 256 * 1024

# How much of an outbox rides on one answer over HTTP. What is left makes the next /meta/connect return at
# once. Clients bound what they read: CometD Java 1 MiB.
MAX_RESPONSE: Final = 512 * 1024

log = logging.getLogger("mirant")


class Flush:
    """Collects what is to be sent, asks the host for one call at the end of the tick, and sends it then.

    First what was published, then the answers, then the polls that now have something to say. That order
    gives an HTTP response its messages before its replies, a publisher its own message on the answer to its
    publish rather than on its held poll, and everybody one frame for all that a tick published.
    """

    __slots__ = ("_answered", "_asked", "_completed", "_core", "_dirty", "_promised", "_tick")

    def __init__(self, core: Core) -> None:
        self._core = core
        self._tick = Tick()
        self._completed: list[Turn] = []
        self._dirty: list[Session] = []
        self._promised: list[tuple[Session, PlainPoll, Batch]] = []
        self._answered: set[Session | None] = set()
        self._asked = False

    def publish(self, subscribers: Subscribers, delivery: Delivery) -> None:
        """Let *subscribers* get *delivery*."""
        if not self._asked:
            self._ask()
        self._tick.add(subscribers, delivery)

    def complete(self, turn: Turn) -> None:
        """Let the answers of *turn* be sent."""
        if not self._asked:
            self._ask()
        self._completed.append(turn)

    def mark(self, session: Session) -> None:
        """Let what waits for *session* be sent, if it can be written or polls."""
        if not session.dirty:
            if not self._asked:
                self._ask()
            session.dirty = True
            self._dirty.append(session)

    def hand_out(self) -> None:
        """Give what was published to the sessions: into their connections, or into their outboxes."""
        self._tick.hand_out(self._queue, self._core.now)

    def run(self) -> None:
        """Send everything."""
        self._asked = True  # what is added meanwhile is sent too, unless it comes too late
        try:
            if self._tick.entries:
                # Whose other request is answered now gets its messages with that.
                self._answered = {turn.session for turn in self._completed}
                plain = self._core.extensions.let_plain_connects_pass
                self._tick.hand_out(self._queue, self._core.now, self._promise if plain else None)
            self._finish()
            if self._promised:
                self._keep_promises()
            if self._dirty:
                self._emit_all()
                self._finish()
        finally:
            self.ask_again()

    def ask_again(self) -> None:
        """Ask the host anew, if there is something to send: what was asked before may have been lost."""
        self._asked = False
        if self._completed or self._dirty or self._tick.entries:
            self._ask()

    def _ask(self) -> None:
        self._core.host.flush_soon()
        self._asked = True

    def _queue(self, session: Session, deliveries: Sequence[Delivery]) -> None:
        outbox = session.outbox
        try:
            for delivery in deliveries:
                outbox.put(delivery)
        except OutboxFull as full:
            log.warning("session.outbox-full session=%s %s", session.id[:8], full)
            self._core.end(session, Ending.OUTBOX_FULL)
            return
        if outbox.urgent:
            self.mark(session)
        else:
            self._core.wait_lazily(session, min(delivery.lazy or 0.0 for delivery in deliveries))

    def _promise(self, session: Session, batch: Batch) -> bool:
        poll = session.held
        if type(poll) is not PlainPoll or session in self._answered or not may_answer(session, poll, batch):
            return False
        poll.deliveries = batch.deliveries  # for whoever comes in between and makes it another answer
        self._promised.append((session, poll, batch))
        return True

    def _keep_promises(self) -> None:
        """Answer the plain polls; one that is not what it was has been answered otherwise, or will be."""
        core = self._core
        promised, self._promised = self._promised, []
        for session, poll, batch in promised:
            if session.held is not poll:
                continue
            if not (poll.is_plain and session.outbox.idle) or session.extensions:
                core.release(session)
                continue
            self._answer_plainly(session, poll, batch.deliveries, batch.opening)

    def _answer_plainly(
        self, session: Session, poll: PlainPoll, deliveries: Sequence[Delivery], opening: bytes
    ) -> None:
        """Answer *poll*, which *session* holds, with *deliveries*, whose JSON array has *opening*."""
        core = self._core
        session.held = None
        session.until = core.now + session.interval + session.max_interval  # as `release` does
        core.schedule(session)
        try:
            if not poll.poller.answer_poll(opening, poll.reply):
                session.outbox.put_back(deliveries)
        except Exception:  # one client's carrier must not keep the others from their answers
            log.exception("carrier.failed transport=%s", poll.poller.transport)

    def _emit_all(self) -> None:
        dirty, self._dirty = self._dirty, []
        for session in dirty:
            session.dirty = False
        for session in dirty:
            try:
                self._emit(session)
            except Exception:  # one client's carrier must not keep the others from their messages
                log.exception("carrier.failed session=%s", session.id[:8])

    def _emit(self, session: Session) -> None:
        link = session.link
        if link is None or session.connect_only:
            if session.outbox.urgent:
                self._answer_poll(session)
            return
        while session.outbox.urgent and link.writable:
            link.write(coalesce(session.outbox.take(MAX_HANDED_OVER)))

    def _answer_poll(self, session: Session) -> None:
        """Let the poll that *session* holds, if it does, return with what waits."""
        poll = session.held
        if is_plain(poll, session) and self._core.extensions.let_plain_connects_pass:
            taken = session.outbox.take(MAX_RESPONSE)
            opening = b"[%b" % b",".join([delivery.payload for delivery in taken])
            self._answer_plainly(session, poll, taken, opening)
        else:
            self._core.release(session)

    def _finish(self) -> None:
        while self._completed:
            turns, self._completed = self._completed, []
            if len(turns) == 1:  # as mostly
                self._answer(turns[0].carrier, turns)
                continue
            by_carrier: dict[Carrier, list[Turn]] = {}
            for turn in turns:
                by_carrier.setdefault(turn.carrier, []).append(turn)
            for carrier, finished in by_carrier.items():
                self._answer(carrier, finished)

    def _answer(self, carrier: Carrier, turns: Sequence[Turn]) -> None:
        replies: list[bytes] = []
        for turn in turns:
            self._seal(turn, replies)
        try:
            carrier.finish(turns, replies)
        except Exception:  # one client's carrier must not keep the others from their answers
            log.exception("carrier.failed transport=%s", carrier.transport)

    def _seal(self, turn: Turn, replies: list[bytes]) -> None:
        """Complete the answers of *turn* and add them to *replies*."""
        core = self._core
        for message, reply in turn.answers:
            try:
                for extension in core.extensions.of(turn.session):
                    extension.outgoing(reply, message, turn, core.now)
                if turn.with_messages and reply.client_id is not None:
                    self._send_with_handshake(turn, reply)
                replies.append(reply.encode())
            except Exception:  # an extension's fault is its message's, and no other's
                log.exception("extension.failed channel=%s", message.channel)
                failed = APPLICATION_FAILED.wire()
                replies.append(
                    Reply(channel=reply.channel, id=reply.id, successful=False, error=failed).encode()
                )

    def _send_with_handshake(self, turn: Turn, reply: Reply) -> None:
        """Let what waits for the new session follow *reply*, which says how much that is."""
        if turn.session is not None and turn.session.outbox:
            turn.following = turn.session.outbox.take(MAX_HANDED_OVER)
            reply.messages = len(turn.following)
