"""ack: messages from the server arrive at least once, in order, while the session lives.

The client asks for it with ``ext.ack = true`` in its handshake. From then on messages leave only with
answers to /meta/connect, each answer numbered (``ext.ack = B``), and are kept until the client says that it
has that answer (``ext.ack = N`` in its next connect). What it does not acknowledge is sent again, before
anything newer.

It covers the way from the server to the client. A client may see a message twice: if the answer reached it
and its acknowledgement did not reach the server.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import ClassVar, Final

import msgspec

from mirant.bayeux.channels import CONNECT
from mirant.bayeux.messages import Delivery, Message, Reply
from mirant.bus.carrier import Turn
from mirant.bus.extension import Extension
from mirant.bus.outbox import Outbox

_KEY: Final = "ack"

# How many answers are remembered of a delivery that leaves again and again: connects are overtaken by few.
_REMEMBERED: Final = 7

_decode_batch = msgspec.json.Decoder(int).decode


class Ack(Extension):
    """Keeps what was sent until the client has it, for the clients that ask for it."""

    sees_plain_connects: ClassVar[bool] = False  # those of a session that has an `AckStore` are not plain

    def incoming(self, message: Message, turn: Turn, now: float) -> None:
        """Take note of what the client has, and let what it has not be sent again."""
        store = _store_of(turn)
        if store is not None and message.target == CONNECT:
            store.acknowledge(_batch_in(message))

    def outgoing(self, reply: Reply, message: Message, turn: Turn, now: float) -> None:
        """Number the answer to a connect; accept the wish for acknowledgements in a handshake."""
        if reply.successful is not True:
            return
        store = _store_of(turn)
        if store is not None and message.target == CONNECT:
            reply.ext = {**(reply.ext or {}), _KEY: store.begin_batch()}
        elif store is None and reply.client_id is not None and _wants(message):
            reply.ext = {**(reply.ext or {}), _KEY: _begin(turn, numbered=turn.with_messages)}


class Sent:
    """A delivery that left, with the numbers of the answers it left with."""

    __slots__ = ("answers", "delivery")

    def __init__(self, delivery: Delivery, answer: int) -> None:
        self.delivery = delivery
        self.answers: tuple[int, ...] = (answer,)

    def leave_again(self, answer: int) -> None:
        """Note that the delivery leaves once more."""
        self.answers = (*self.answers[-_REMEMBERED:], answer)


class AckStore(Outbox):
    """An outbox that keeps what it gave until it is acknowledged.

    Both what waits and what is kept count towards its limit: a client that never acknowledges is no different
    from one that never reads.
    """

    __slots__ = ("_again", "_batch", "_kept", "_reported")

    def __init__(self, former: Outbox) -> None:
        """Take over what waits in *former*."""
        super().__init__(former.limit, former.overflow)
        self._batch = 0  # the number of the answer that is being made, or was made last
        self._kept: list[Sent] = []  # what left last
        self._again: deque[Sent] = deque()  # what left earlier, and is to leave again before all else
        # What was said to be dropped, with the number of the answer that said so.
        self._reported: list[tuple[int, dict[str, int]]] = []
        for delivery in former.take(former.size):
            self.put(delivery)

    def __len__(self) -> int:
        return len(self._again) + super().__len__()

    def begin_batch(self) -> int:
        """Return the number of the answer that takes what waits."""
        self._batch += 1
        return self._batch

    def acknowledge(self, batch: int | None) -> None:
        """Forget what the client has, having seen the answer *batch* (None: none); let the rest leave again.

        It has what left with that very answer, even if it left again since: a connect may be overtaken. Of
        other answers, those before it, it need not have all: they may have been lost, and *batch* been too
        small to hold it all again.
        """
        seen = -1 if batch is None else batch
        kept = [sent for sent in self._kept if seen not in sent.answers and sent.answers[-1] > seen]
        self._again = deque([*kept, *(sent for sent in self._again if seen not in sent.answers)])
        self._kept = []
        self.reserved = sum(len(sent.delivery.payload) for sent in self._again)
        reported, self._reported = self._reported, []
        for number, channels in reported:
            if number > seen:
                for channel, count in channels.items():
                    self._count_dropped(channel, count)
        self.urgent = self.urgent or len(self) > 0

    def take(self, most: int) -> list[Delivery]:
        """Return what is to leave again, then what waits, up to *most* bytes, and keep it all."""
        taken: list[Delivery] = []
        while self._again and (not taken or most >= len(self._again[0].delivery.payload)):
            sent = self._again.popleft()
            sent.leave_again(self._batch)
            self._kept.append(sent)
            taken.append(sent.delivery)
            most -= len(sent.delivery.payload)
        if not self._again and (most > 0 or not taken):
            taken += self._take_new(most)
        self.urgent = len(self) > 0
        return taken

    def _take_new(self, most: int) -> list[Delivery]:
        dropped = self._dropped
        taken = super().take(most)
        if dropped is not None:  # the first says so; it is made anew if need be
            self._reported.append((self._batch, dropped))
        new = taken if dropped is None else taken[1:]
        self._kept.extend(Sent(delivery, self._batch) for delivery in new)
        self.reserved += sum(len(delivery.payload) for delivery in new)
        return taken

    def put_back(self, deliveries: Iterable[Delivery]) -> None:
        """Do nothing: what could not be sent is kept like all that is not acknowledged."""


def _begin(turn: Turn, *, numbered: bool) -> object:
    """Give the session of *turn*, a handshake, a store; return what the client is told.

    *numbered*: messages may come with this very reply, so that it needs a number.
    """
    session = turn.session
    assert session is not None, "a successful handshake has a session"
    store = session.outbox = AckStore(session.outbox)
    session.connect_only = True
    return {"enabled": True, "batch": store.begin_batch()} if numbered else True


def _store_of(turn: Turn) -> AckStore | None:
    store = None if turn.session is None else turn.session.outbox
    return store if isinstance(store, AckStore) else None


def _wants(message: Message) -> bool:
    return message.ext is not None and bytes(message.ext.get(_KEY, b"")) == b"true"


def _batch_in(message: Message) -> int | None:
    """Return the batch that *message* acknowledges; None if it says nothing, or no number."""
    try:
        return _decode_batch((message.ext or {})[_KEY])
    except (KeyError, ValueError):
        return None
