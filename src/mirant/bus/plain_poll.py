"""The short way of the commonest message there is: a /meta/connect over HTTP that says nothing of its own.

A server of polling clients does little else: each message to 1,000 of them is 1,000 such connects. With so
many sessions none of their objects is in the processor's cache any more, so what counts is how many are
touched. This way makes one that stays for a poll that is held, the long way (`receive`, `meta`, `Flush`)
several. With 1,000 sessions a poll took 18 to 20 µs of the server instead of 48 to 55, 9 of them the
kernel's.

It decides nothing itself: whatever is in the least unusual goes the long way, and so does a poll that is held
here as soon as something else than plain deliveries is to be said to it.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeGuard

import msgspec
from msgspec import Raw

from mirant.bayeux.channels import CONNECT
from mirant.bayeux.messages import MAX_ID, Message, Reply
from mirant.bus.carrier import Carrier, Turn
from mirant.bus.outbox import Batch, Outbox
from mirant.bus.session import Session, State

if TYPE_CHECKING:
    from mirant.bus.core import Core

#: Longest body that may be a plain connect; those of the clients in use have 100 to 150 bytes.
MAX_PLAIN: Final = 512

_CONNECTED: Final = State.CONNECTED  # a member of an enumeration costs 0.1 µs to find
_TRANSPORT: Final = "long-polling"
_CONNECTION_TYPE: Final = Raw(b'"long-polling"')


class Poller(Carrier):
    """A carrier whose plain polls can go the short way: an exchange over HTTP/1.1."""

    __slots__ = ()

    @abstractmethod
    def answer_poll(self, opening: bytes, reply: bytes) -> bool:
        """Answer with the JSON array that has *opening*, but for its end, and then *reply*.

        Return whether that can be sent.
        """


class PlainPoll(Turn):
    """A plain connect that is held. It keeps its reply, encoded, which also tells what the message was."""

    __slots__ = ("poller", "reply")

    def __init__(self, poller: Poller, session: Session, arrived: float, reply: bytes) -> None:
        super().__init__(poller, session, arrived, alone=True)
        self._answers = None
        self.poller = poller
        self.reply = reply

    def slim(self, session: Session) -> None:
        """Nothing is there that is not needed."""

    def _spell_out(self) -> list[tuple[Message, Reply]]:
        reply = _decode_reply(self.reply)
        client_id = None if self.session is None else self.session.id
        message = Message(
            channel=CONNECT.name, id=reply.id, client_id=client_id, connection_type=_CONNECTION_TYPE
        )
        return [(message, reply)]


def hold(core: Core, body: bytes, poller: Poller, now: float) -> bool:
    """Hold the connect in *body*, which came at *now* and is ASCII, if it is plain and would be held.

    Return whether it is; if not, nothing was done.
    """
    try:
        (connect,) = _decode(body)
    except msgspec.DecodeError:
        return False
    session = core.sessions.get(connect.client_id)
    if session is None or not _would_hold(core, session, poller):
        return False
    core.now = now
    poller.session = session
    session.interval = core.settings.interval
    # The order of fields is that of `Reply`, whose encoding this is.
    reply = b'{"channel":"/meta/connect","id":%b,"successful":true}' % _encode(connect.id)
    core.hold(session, PlainPoll(poller, session, now, reply), session.timeout)
    return True


def may_answer(session: Session, poll: PlainPoll, batch: Batch) -> bool:
    """Whether *poll*, which *session* holds, can be answered with *batch* alone."""
    return (
        poll.is_plain
        and session.outbox.idle
        and session.link is None
        and not session.connect_only
        and len(batch.payload) <= session.outbox.limit
    )


def is_plain(poll: Turn | None, session: Session) -> TypeGuard[PlainPoll]:
    """Whether *poll*, which *session* holds, can be answered with what waits for it and no more."""
    return (
        type(poll) is PlainPoll
        and poll.is_plain
        and not poll.deliveries
        and not session.extensions
        and type(session.outbox) is Outbox
    )


def _would_hold(core: Core, session: Session, poller: Poller) -> bool:
    """Whether the long way would do no more than hold a plain connect of *session*."""
    return (
        session.state is _CONNECTED
        and session.held is None
        and session.link is None
        and session.advised == _TRANSPORT
        and session.browser == poller.browser
        and session.timeout > 0
        and not session.connect_only
        and not session.crowded
        and not session.extensions
        and type(session.outbox) is Outbox
        and core.hooks.renew is None
        and not core.closing
        and core.extensions.let_plain_connects_pass
        and core.windows.admits(session)
    )


class _Connect(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """What the one message of a body must be, and nothing else."""

    channel: Literal["/meta/connect"]
    client_id: str = msgspec.field(name="clientId")
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]
    connection_type: Literal["long-polling"] = msgspec.field(name="connectionType")


_decode = msgspec.json.Decoder(tuple[_Connect]).decode
_decode_reply = msgspec.json.Decoder(Reply).decode
_encode = msgspec.json.Encoder().encode
