"""What a client is told when its session ends, or its /meta/connect is not wanted any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mirant.bayeux.advice import GO_AWAY, HANDSHAKE_NOW, Advice
from mirant.bayeux.errors import SESSION_UNKNOWN, ErrorKind
from mirant.bayeux.messages import Delivery, Message, Reply
from mirant.bus.outbox import coalesce
from mirant.bus.session import Ending, Session

if TYPE_CHECKING:
    from mirant.bus.core import Core

#: Told to clients of sessions that the server ends (Bayeux 1.0 has no word for it; the reference does this).
DISMISSAL: Final = Delivery("/meta/disconnect", b'{"channel":"/meta/disconnect","successful":true}')


def part(core: Core, session: Session, ending: Ending) -> None:
    """Take *session* from its carriers, and tell its client in the way that suits the *ending*."""
    link, turn = session.link, session.held
    if ending in (Ending.OUTBOX_FULL, Ending.IDENTITY_EXPIRED):
        refuse_held(core, session, SESSION_UNKNOWN, HANDSHAKE_NOW)
        if link is not None and ending is Ending.OUTBOX_FULL:
            link.close(1008, "the session's outbox is full: it reads too slowly")
    elif turn is not None:
        turn.answers[0][1].advice = GO_AWAY
        if ending is Ending.DISMISSED:
            turn.deliveries = [*turn.deliveries, *session.outbox.take(session.outbox.size)]
            # First, as in the reference. But over a WebSocket CometD's client closes only if no connect
            # is outstanding when it reads it.
            turn.answers.insert(1 if turn.carrier.is_link else 0, farewell())
        core.complete(turn)
    elif ending is Ending.DISMISSED and link is not None:
        link.write(coalesce([*session.outbox.take(session.outbox.size), DISMISSAL]))
    elif ending is Ending.EXPIRED and link is not None:
        link.close(1000, "the session expired: nothing was heard of the client")
    session.held = session.link = None
    if link is not None:
        link.session = None
        if link.ends_with_session:
            link.close(1000, "the session has ended")


def refuse_held(core: Core, session: Session, error: ErrorKind, advice: Advice | None) -> None:
    """Answer the /meta/connect that is held with *error*."""
    turn, session.held = session.held, None
    if turn is not None:
        reply = turn.answers[0][1]
        reply.successful, reply.error, reply.advice = False, error.wire(), advice
        core.complete(turn)


def farewell() -> tuple[Message, Reply]:
    """Return what ends a session on behalf of the server, as an answer that no message asked for."""
    return Message(), Reply(channel="/meta/disconnect", successful=True)
