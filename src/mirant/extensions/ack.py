"""ack: messages from the server arrive at least once, in order, while the session lives.

The client asks for it with ``ext.ack = true`` in its handshake. From then on messages leave only with
answers to /meta/connect, each answer numbered (``ext.ack = B``), and are kept until the client says that it
has that answer (``ext.ack = N`` in its next connect). What it does not acknowledge is sent again, before
anything newer.

It covers the way from the server to the client. A client may see a message twice: if the answer reached it
and its acknowledgement did not reach the server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import msgspec

from mirant.bayeux.channels import CONNECT
from mirant.bayeux.messages import Delivery, Message, Reply
from mirant.bus.carrier import MAX_RESPONSE
from mirant.bus.extension import Extension
from mirant.bus.session import Session
from mirant.bus.traits import EXTENDED
from mirant.bus.turn import Turn

_KEY: Final = "ack"

# Most answer numbers kept per delivery. A connect is overtaken by two or three others at most.
_REMEMBERED: Final = 7

# Bytes of deliveries in one answer. What is cut off on its way has to leave again as a whole. So answers
# become smaller when they are lost twice, down to what a link of 1 KiB/s carries in 8 s. While they arrive
# they become larger.
_LEAST_SHARE: Final = 8 * 1024
_MOST_SHARE: Final = MAX_RESPONSE

_decode_number = msgspec.json.Decoder(int).decode


class Sent(msgspec.Struct, gc=False):
    """A delivery that left, with the numbers of the answers it left with."""

    delivery: Delivery
    answers: tuple[int, ...]

    def leave_again(self, answer: int) -> None:
        """Note that the delivery leaves once more."""
        self.answers = (*self.answers[-_REMEMBERED:], answer)


class DropReport(msgspec.Struct, gc=False):
    """What the answer with this number said to be dropped."""

    answer: int
    channels: dict[str, int]


class AckRecord(msgspec.Struct, gc=False):
    """What left for one session and was not acknowledged: a `mirant.bus.retention.Retention`."""

    #: The number of the answer that is being made, or was made last.
    answer: int = 0
    #: What left last, in order.
    kept: list[Sent] = []
    #: What left earlier, and is to leave again before all else.
    due_again: list[Sent] = []
    reports: list[DropReport] = []
    reserved: int = 0
    #: How many bytes leave with one answer.
    share: int = _MOST_SHARE
    #: How many answers were lost since one arrived.
    lost: int = 0

    @property
    def due(self) -> int:
        return len(self.due_again)

    @property
    def count(self) -> int:
        return len(self.kept) + len(self.due_again)

    def begin_answer(self) -> int:
        """Return the number of the answer that takes what waits."""
        self.answer += 1
        return self.answer

    def acknowledge(self, number: int | None) -> dict[str, int]:
        """Forget what the client has, having seen the answer *number* (None: none); the rest is due again.

        Everything sent in that answer is acknowledged, also what was sent again later. Earlier answers are
        not implied: they may have been lost, and this one may have been too small to hold it all again.

        Returns:
            How much was dropped of which channel, according to reports that the client may not have.
        """
        seen = -1 if number is None else number
        self._learn(seen)
        kept = [sent for sent in self.kept if seen not in sent.answers and sent.answers[-1] > seen]
        self.due_again = [*kept, *(sent for sent in self.due_again if seen not in sent.answers)]
        self.kept = []
        self.reserved = sum(len(sent.delivery.payload) for sent in self.due_again)
        unseen = [report for report in self.reports if report.answer > seen]
        self.reports = []
        dropped: dict[str, int] = {}
        for report in unseen:
            for channel, count in report.channels.items():
                dropped[channel] = dropped.get(channel, 0) + count
        return dropped

    def _learn(self, seen: int) -> None:
        """Let answers be larger if the last was large and arrived, and smaller if it was lost again."""
        if not self.kept:
            return
        if seen != self.answer:
            self.lost += 1
            if self.lost > 1:
                self.share = max(_LEAST_SHARE, self.share // 2)
            return
        self.lost = 0
        if 2 * sum(len(sent.delivery.payload) for sent in self.kept) > self.share:
            self.share = min(_MOST_SHARE, 2 * self.share)

    def again(self, most: int) -> list[Delivery]:
        count = 0
        for sent in self.due_again:
            most -= len(sent.delivery.payload)
            if count and most < 0:
                break
            sent.leave_again(self.answer)
            count += 1
        leaving, self.due_again = self.due_again[:count], self.due_again[count:]
        self.kept.extend(leaving)
        return [sent.delivery for sent in leaving]

    def left(self, deliveries: Sequence[Delivery], dropped: Mapping[str, int] | None) -> None:
        if dropped is not None:
            self.reports.append(DropReport(self.answer, dict(dropped)))
        self.kept.extend(Sent(delivery, (self.answer,)) for delivery in deliveries)
        self.reserved += sum(len(delivery.payload) for delivery in deliveries)


class Ack(Extension):
    """Keeps what was sent until the client has it, for the clients that ask for it."""

    key: ClassVar[str | None] = _KEY
    state: ClassVar[type[msgspec.Struct] | None] = AckRecord
    sees_plain_connects: ClassVar[bool] = False  # connects of sessions with an `AckRecord` are not plain

    def incoming(self, message: Message, turn: Turn, now: float) -> None:
        """Take note of what the client has, and let what it has not be sent again."""
        session = turn.session
        record = _record_of(session)
        if session is not None and record is not None and message.target == CONNECT:
            session.outbox.resend(record.acknowledge(_number_in(message)), record.share)

    def outgoing(self, reply: Reply, message: Message, turn: Turn, now: float) -> None:
        """Number the answer to a connect; accept the wish for acknowledgements in a handshake."""
        if reply.successful is not True:
            return
        record = _record_of(turn.session)
        if record is not None:
            if message.target == CONNECT:
                reply.ext = {**(reply.ext or {}), _KEY: record.begin_answer()}
        elif reply.client_id is not None and _wants(message):
            reply.ext = {**(reply.ext or {}), _KEY: _begin(turn, numbered=turn.with_messages)}


def _begin(turn: Turn, *, numbered: bool) -> object:
    """Give the session of *turn*, a handshake, a record; return what the client is told.

    *numbered*: messages may come with this very reply, so that it needs a number.
    """
    session = turn.session
    assert session is not None, "a successful handshake has a session"
    record = AckRecord()
    session.negotiate(_KEY, record)
    session.connect_only = True
    return {"enabled": True, "batch": record.begin_answer()} if numbered else True


def _record_of(session: Session | None) -> AckRecord | None:
    if session is None or not session.traits & EXTENDED:
        return None  # nearly all sessions, without a call
    record: AckRecord | None = session.negotiated(_KEY)
    return record


def _wants(message: Message) -> bool:
    return message.ext is not None and bytes(message.ext.get(_KEY, b"")) == b"true"


def _number_in(message: Message) -> int | None:
    """Return the answer that *message* acknowledges; None if it names no number."""
    try:
        return _decode_number((message.ext or {})[_KEY])
    except (KeyError, ValueError):
        return None
