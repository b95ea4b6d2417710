"""What came in at once on a carrier (a body, a frame), with the answers it gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import UNSET

from mirant.bayeux.channels import CONNECT
from mirant.bayeux.messages import Delivery, Message, Reply
from mirant.bus.carrier import Carrier
from mirant.bus.session import Session

_CONNECT_NAME: Final = CONNECT.name


class Answer(msgspec.Struct, gc=False):
    """A reply, with its message until the reply leaves: extensions may complete it then."""

    message: Message
    reply: Reply


def reply_for(message: Message) -> Reply:
    """Return the reply to *message*, still to be filled."""
    given = message.id  # the property costs a call
    echoed = given if type(given) is str else message.reply_id
    return Reply(
        channel=message.channel,
        id=echoed,
        subscription=message.subscription or UNSET,
    )


class Turn:
    """Messages that came in at once, and the answers collected for them."""

    __slots__ = (
        "alone",
        "answers",
        "arrived",
        "carrier",
        "deliveries",
        "following",
        "named",
        "session",
        "with_messages",
    )

    def __init__(
        self, carrier: Carrier[Session], session: Session | None, arrived: float, *, alone: bool
    ) -> None:
        self.carrier = carrier
        self.session = session
        #: When it came: monotonic seconds.
        self.arrived = arrived
        self.alone = alone  # one message only: over HTTP, only then a /meta/connect may be held
        self.answers: list[Answer] = []
        # What is to leave before the answers, beside what waits in the session's outbox.
        self.deliveries: Sequence[Delivery] = ()
        # Whether what waits for a new session comes with its handshake's reply, and what that is.
        self.with_messages = False
        self.following: Sequence[Delivery] = ()
        self.named = 0  # patterns that its messages named so far, and past messages they were answered with

    def lets_deliver(self, *, connect_only: bool) -> bool:
        """Whether deliveries may leave with the answers; with *connect_only*, only a connect's carry them.

        A connect that was superseded carries none: its client is the least likely to be listening.
        """
        for answer in self.answers:
            message = answer.message
            # Comparing the text settles it for most, in 0.03 µs; parsing takes 0.55.
            is_connect = message.channel == _CONNECT_NAME or message.target == CONNECT
            if (is_connect and answer.reply.successful is True) or not (is_connect or connect_only):
                return True
        return False
