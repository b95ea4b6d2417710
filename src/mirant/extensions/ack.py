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

from mirant.bayeux.channels import CONNECT
from mirant.bayeux.messages import Delivery, Message, Reply
from mirant.bus.carrier import Turn
from mirant.bus.extension import Extension
from mirant.bus.outbox import Outbox

_KEY: Final = "ack"

_decode_batch = msgspec.json.Decoder(int).decode


class Ack(Extension):
    """Keeps what was sent until the client has it, for the clients that ask for it."""

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


class AckStore(Outbox):
    """An outbox that keeps what it gave until it is acknowledged.

    Both what waits and what is kept count towards its limit: a client that never acknowledges is no different
    from one that never reads.
    """

    __slots__ = ("_batch", "_kept", "_reported")

    def __init__(self, former: Outbox) -> None:
        """Take over what waits in *former*."""
        super().__init__(former.limit, former.overflow)
        self._batch = 0  # the number of the answer that is being made, or was made last
        self._kept: list[tuple[int, Delivery]] = []  # with the number of the answer each left with last
        self._reported: list[tuple[int, dict[str, int]]] = []  # what was said to be dropped, likewise
        for delivery in former.take(former.size):
            self.put(delivery)

    def begin_batch(self) -> int:
        """Return the number of the answer that takes what waits."""
        self._batch += 1
        return self._batch

    def acknowledge(self, batch: int | None) -> None:
        """Forget what left with answers up to *batch* (None: with none), and let the rest wait once more."""
        again = [delivery for number, delivery in self._kept if batch is None or number > batch]
        self._kept = []
        self.reserved = 0
        super().put_back(again)
        reported, self._reported = self._reported, []
        for number, channels in reported:
            if batch is None or number > batch:
                self.urgent = True
                for channel, count in channels.items():
                    self._count_dropped(channel, count)

    def take(self, most: int) -> list[Delivery]:
        """Return what waits, up to *most* bytes, and keep it."""
        dropped = self._dropped
        taken = super().take(most)
        if dropped is not None:  # the first says so; it is made anew if need be
            self._reported.append((self._batch, dropped))
        new = taken if dropped is None else taken[1:]
        self._kept.extend((self._batch, delivery) for delivery in new)
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
