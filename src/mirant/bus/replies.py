"""Answers at the moment at which they leave: replies are completed, and deliveries ride on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mirant.bayeux.errors import APPLICATION_FAILED
from mirant.bayeux.messages import Delivery, Reply, encode
from mirant.bus.batch import coalesce
from mirant.bus.carrier import MAX_HANDED_OVER, Carrier, Outgoing
from mirant.bus.extension import Extensions, OutgoingHook
from mirant.bus.hooks import failure_of
from mirant.bus.observer import Observers
from mirant.bus.session import Session
from mirant.bus.traits import CONNECT_ONLY, EXTENDED
from mirant.bus.turn import Turn


class Replies:
    """Has extensions complete replies, and sends them with the deliveries that may leave with them."""

    __slots__ = ("_extensions", "_observers", "_put_back", "_send", "_take")

    def __init__(
        self,
        extensions: Extensions,
        observers: Observers,
        take: Callable[[Session, int], list[Delivery]],
        put_back: Callable[[Session, Sequence[Delivery]], None],
        send: Callable[[Carrier[Session], Outgoing], bool],
    ) -> None:
        """Send by *send*.

        *take* takes what waits for a session, up to so many bytes; *put_back* lets it wait again.
        """
        self._extensions = extensions
        self._observers = observers
        self._take = take
        self._put_back = put_back
        self._send = send

    def answer(self, carrier: Carrier[Session], turns: Sequence[Turn], now: float) -> None:
        """Send the replies of *turns*, with the deliveries that may ride on them."""
        session = carrier.session
        replies: list[bytes] = []
        opens = False
        for turn in turns:
            opens = self._seal(turn, replies, now) or opens
        rides = session is not None and not opens and not session.outbox.idle
        if len(turns) == 1 and not (rides or turn.deliveries or turn.following):
            try:  # as `send` does, without a call
                carrier.send(Outgoing((), replies, (), opens))
            except Exception as error:
                self._observers.fail("carrier.failed", error, transport=carrier.transport)
            return
        before: list[Delivery] = []
        after: list[Delivery] = []
        for turn in turns:
            if turn.deliveries:
                before += turn.deliveries
            if turn.following:
                after += turn.following
        if rides and session is not None:
            before += self._riding(carrier, session, turns)
        out = Outgoing((), replies, (), opens)
        if before:
            out.before = coalesce(before)
        if after:
            out.after = [delivery.payload for delivery in after]
        if not self._send(carrier, out) and session is not None:
            self._put_back(session, [*before, *after])

    def _riding(self, carrier: Carrier[Session], session: Session, turns: Sequence[Turn]) -> list[Delivery]:
        """Take what waits for *session* and may leave with the answers of *turns*."""
        if carrier.is_link and session.link is not carrier:
            return []
        connect_only = carrier.connect_only or bool(session.traits & CONNECT_ONLY)
        if not any(turn.lets_deliver(connect_only=connect_only) for turn in turns):
            return []
        room = carrier.room(session)
        return self._take(session, room) if room > 0 else []

    def _seal(self, turn: Turn, replies: list[bytes], now: float) -> bool:
        """Complete the answers of *turn* and add them to *replies*; return whether a session begins."""
        opens, session = False, turn.session
        hooks: Sequence[OutgoingHook] = self._extensions.outgoing
        for answer in turn.answers:
            message, reply = answer.message, answer.reply
            try:
                if session is not None and session.traits & EXTENDED:
                    hooks = self._extensions.outgoing_of(session)
                for outgoing in hooks:
                    outgoing(reply, message, turn, now)
                if reply.client_id is not None:
                    opens = True
                    if turn.with_messages:
                        self._send_with_handshake(turn, reply)
                replies.append(encode(reply))
            except BaseException as error:  # an extension's fault is its message's, and no other's
                self._observers.fail("extension.failed", failure_of(error), channel=message.channel)
                replies.append(_failed(reply))
        return opens

    def _send_with_handshake(self, turn: Turn, reply: Reply) -> None:
        """Let what waits for the new session follow *reply*, which says how much that is."""
        if turn.session is not None and turn.session.outbox:
            turn.following = self._take(turn.session, MAX_HANDED_OVER)
            reply.messages = len(turn.following)


def _failed(reply: Reply) -> bytes:
    """Return what is answered instead of *reply*, which an extension spoilt."""
    failed = APPLICATION_FAILED.wire()
    try:
        return Reply(channel=reply.channel, id=reply.id, successful=False, error=failed).encode()
    except Exception:  # even its id has no JSON form any more
        return Reply(successful=False, error=failed).encode()
