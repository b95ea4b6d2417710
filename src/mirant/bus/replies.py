"""Completing replies at the moment at which they leave."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mirant.bayeux.errors import APPLICATION_FAILED
from mirant.bayeux.messages import Delivery, Reply, encode
from mirant.bus.carrier import MAX_HANDED_OVER
from mirant.bus.extension import Extensions, OutgoingHook
from mirant.bus.hooks import failure_of
from mirant.bus.observer import Observers
from mirant.bus.session import Session
from mirant.bus.traits import EXTENDED
from mirant.bus.turn import Turn


class Replies:
    """Has extensions complete replies, and encodes them."""

    __slots__ = ("_extensions", "_observers", "_take")

    def __init__(
        self, extensions: Extensions, observers: Observers, take: Callable[[Session, int], list[Delivery]]
    ) -> None:
        """*take* takes what waits for a session, up to so many bytes."""
        self._extensions = extensions
        self._observers = observers
        self._take = take

    def seal(self, turn: Turn, replies: list[bytes], now: float) -> bool:
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
