"""What is to be sent at the end of a turn of the event loop, and in which order."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from mirant.bayeux.errors import APPLICATION_FAILED
from mirant.bayeux.messages import Delivery, Reply
from mirant.bus.carrier import Carrier, Turn
from mirant.bus.outbox import OutboxFull, coalesce
from mirant.bus.session import Ending, Session
from mirant.bus.tick import Subscribers, Tick

if TYPE_CHECKING:
    from mirant.bus.core import Core

# How much of an outbox is handed to a connection at once. What is handed over is lost if the connection
# breaks, what is not waits for the next one; 256 KiB keeps a fast link busy for a turn of the event loop.
MAX_HANDED_OVER: Final = 256 * 1024

log = logging.getLogger("mirant")


class Flush:
    """Collects what is to be sent, asks the host for one call at the end of the tick, and sends it then.

    First what was published, then the answers, then the polls that now have something to say. That order
    gives an HTTP response its messages before its replies, a publisher its own message on the answer to its
    publish rather than on its held poll, and everybody one frame for all that a tick published.
    """

    __slots__ = ("_asked", "_completed", "_core", "_dirty", "_tick")

    def __init__(self, core: Core) -> None:
        self._core = core
        self._tick = Tick()
        self._completed: list[Turn] = []
        self._dirty: list[Session] = []
        self._asked = False

    def publish(self, subscribers: Subscribers, delivery: Delivery) -> None:
        """Let *subscribers* get *delivery*."""
        self._ask()
        self._tick.add(subscribers, delivery)

    def complete(self, turn: Turn) -> None:
        """Let the answers of *turn* be sent."""
        self._ask()
        self._completed.append(turn)

    def mark(self, session: Session) -> None:
        """Let what waits for *session* be sent, if it can be written or polls."""
        if not session.dirty:
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
            self.hand_out()
            self._finish()
            dirty, self._dirty = self._dirty, []
            for session in dirty:
                session.dirty = False
            for session in dirty:
                try:
                    self._emit(session)
                except Exception:  # one client's carrier must not keep the others from their messages
                    log.exception("carrier.failed session=%s", session.id[:8])
            self._finish()
        finally:
            self.ask_again()

    def ask_again(self) -> None:
        """Ask the host anew, if there is something to send: what was asked before may have been lost."""
        self._asked = False
        if self._tick or self._dirty or self._completed:
            self._ask()

    def _ask(self) -> None:
        if not self._asked:
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

    def _emit(self, session: Session) -> None:
        link = session.link
        if link is None or session.connect_only:
            if session.outbox.urgent:
                self._core.release(session)
            return
        while session.outbox.urgent and link.writable:
            link.write(coalesce(session.outbox.take(MAX_HANDED_OVER)))

    def _finish(self) -> None:
        while self._completed:
            turns, self._completed = self._completed, []
            by_carrier: dict[Carrier, list[Turn]] = {}
            for turn in turns:
                by_carrier.setdefault(turn.carrier, []).append(turn)
            for carrier, finished in by_carrier.items():
                try:
                    carrier.finish(finished, [reply for turn in finished for reply in self._seal(turn)])
                except Exception:  # one client's carrier must not keep the others from their answers
                    log.exception("carrier.failed transport=%s", carrier.transport)

    def _seal(self, turn: Turn) -> Iterable[bytes]:
        for message, reply in turn.answers:
            try:
                for extension in self._core.extensions_of(turn.session):
                    extension.outgoing(reply, message, turn, self._core.now)
                if reply.client_id is not None and turn.with_messages:
                    self._send_with_handshake(turn, reply)
                yield reply.encode()
            except Exception:  # an extension's fault is its message's, and no other's
                log.exception("extension.failed channel=%s", message.channel)
                failed = APPLICATION_FAILED.wire()
                yield Reply(channel=reply.channel, id=reply.id, successful=False, error=failed).encode()

    def _send_with_handshake(self, turn: Turn, reply: Reply) -> None:
        """Let what waits for the new session follow *reply*, which says how much that is."""
        if turn.session is not None and turn.session.outbox:
            turn.following = turn.session.outbox.take(MAX_HANDED_OVER)
            reply.messages = len(turn.following)
