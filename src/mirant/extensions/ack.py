"""ack: messages from the server arrive at least once, in order, while the session lives.

The client asks for it with ``ext.ack = true`` in its handshake. From then on messages leave only with
answers to /meta/connect, each answer numbered (``ext.ack = B``), and are kept until the client says that it
has that answer (``ext.ack = N`` in its next connect). What it does not acknowledge is sent again, before
anything newer.

It covers the way from the server to the client. A client may see a message twice: if the answer reached it
and its acknowledgement did not reach the server.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from mirant.bayeux.channels import Channel, ChannelInvalid
from mirant.bayeux.messages import Delivery, Message, Reply
from mirant.bus.carrier import Turn
from mirant.bus.extension import Extension
from mirant.bus.outbox import Outbox

_KEY: Final = "ack"
_CONNECT: Final = Channel.parse("/meta/connect")

_decode_batch = msgspec.json.Decoder(int).decode


class Ack(Extension):
    """Keeps what was sent until the client has it, for the clients that ask for it."""

    def incoming(self, message: Message, turn: Turn, now: float) -> None:
        """Take note of what the client has, and let what it has not be sent again."""
        store = _store_of(turn)
        if store is not None and _is(message, _CONNECT):
            store.acknowledge(_batch_in(message))

    def outgoing(self, reply: Reply, message: Message, turn: Turn, now: float) -> None:
        """Number the answer to a connect; accept the wish for acknowledgements in a handshake."""
        if reply.successful is not True:
            return
        store = _store_of(turn)
        if store is not None and _is(message, _CONNECT):
            reply.ext = {**(reply.ext or {}), _KEY: store.begin_batch()}
        elif store is None and reply.client_id is not None and _wants(message):
            reply.ext = {**(reply.ext or {}), _KEY: _begin(turn)}


class AckStore(Outbox):
    """An outbox that keeps what it gave until it is acknowledged.

    Both what waits and what is kept count towards its limit: a client that never acknowledges is no different
    from one that never reads.
    """

    __slots__ = ("_again", "_batch", "_kept")

    def __init__(self, former: Outbox) -> None:
        """Take over what waits in *former*."""
        super().__init__(former.limit, former.overflow)
        self._batch = 0  # the number of the answer that is being made, or was made last
        self._kept: list[tuple[int, Delivery]] = []  # with the number of the answer each left with first
        self._again = 0  # how many of these, from the end, are to be given once more
        for delivery in former.take(former.size):
            self.put(delivery)

    def __len__(self) -> int:
        return self._again + super().__len__()

    def begin_batch(self) -> int:
        """Return the number of the answer that takes what waits."""
        self._batch += 1
        return self._batch

    def acknowledge(self, batch: int | None) -> None:
        """Forget what left with answers up to *batch* (None: with none), and give the rest once more."""
        if batch is not None:
            self._kept = [(number, delivery) for number, delivery in self._kept if number > batch]
        self.reserved = sum(len(delivery.payload) for _, delivery in self._kept)
        self._again = len(self._kept)
        self.urgent = self.urgent or self._again > 0

    def take(self, most: int) -> list[Delivery]:
        """Return what is to be given again, then what waits, up to *most* bytes, and keep it all."""
        taken: list[Delivery] = []
        while self._again and (not taken or most > 0):
            delivery = self._kept[-self._again][1]
            self._again -= 1
            taken.append(delivery)
            most -= len(delivery.payload)
        if most > 0 and not self._again:
            new = super().take(most)
            self._kept.extend((self._batch, delivery) for delivery in new)
            self.reserved += sum(len(delivery.payload) for delivery in new)
            taken += new
        self.urgent = len(self) > 0
        return taken

    def put_back(self, deliveries: Iterable[Delivery]) -> None:
        """Do nothing: what could not be sent is kept like all that is not acknowledged."""


def _begin(turn: Turn) -> object:
    """Give the session of *turn*, a handshake, a store; return what the client is told."""
    session = turn.session
    assert session is not None, "a successful handshake has a session"
    store = session.outbox = AckStore(session.outbox)
    session.connect_only = True
    if len(store) == 0:
        return True
    return {"enabled": True, "batch": store.begin_batch()}  # what waits comes with this very reply


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


def _is(message: Message, channel: Channel) -> bool:
    try:
        return message.channel is not None and Channel.parse(message.channel) == channel
    except ChannelInvalid:
        return False
