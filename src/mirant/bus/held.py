"""A /meta/connect that is held: kept small, because a server of polling clients holds little else."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw

from mirant.bayeux.channels import CONNECT
from mirant.bayeux.messages import Message, OddMessage, Reply
from mirant.bus.carrier import Carrier
from mirant.options.values import TRANSPORTS

_CONNECT_NAME: Final = CONNECT.name
_NOTHING: Final = Raw()
_LONG_POLLING: Final = Raw(b'"long-polling"')

# As clients write them in a /meta/connect.
_CONNECTION_TYPES: Final = {
    bytes(json): json for json in (Raw(b'"%b"' % name.encode()) for name in TRANSPORTS)
}

# How much of a held connect's `ext` is kept: fields, and bytes of their names and values. Clients that poll
# with acknowledgements, time sync and a token send three, of some hundred bytes. Each field is four objects.
_MAX_FIELDS: Final = 16
_MAX_BYTES: Final = 4 * 1024

_decode_reply = msgspec.json.Decoder(Reply).decode


class HeldConnect(msgspec.Struct, gc=False, eq=False):
    """A connect that waits for its answer.

    A plain one keeps its encoded reply only, which also tells what the message was.
    """

    # A struct that the garbage collector does not see: one is made for each poll. Its circle (session, held
    # connect, carrier, session) is cut when the connect is answered or given up.
    carrier: Carrier[Any]
    arrived: float
    message: Message | None
    reply: Reply | bytes

    def spell_out(self, client_id: str) -> tuple[Message, Reply]:
        """Return message and reply as values, the message as the session *client_id* sent it."""
        reply, message = self.reply, self.message
        if isinstance(reply, bytes):
            reply = _decode_reply(reply)
        if message is None:
            message = Message(
                channel=_CONNECT_NAME,
                id=None if isinstance(reply.id, Raw) else reply.id,
                client_id=client_id,
                connection_type=_LONG_POLLING,
            )
        return message, reply


def slim(message: Message, reply: Reply, client_id: str) -> None:
    """Let go of what *message* and *reply* do not need while they are held.

    Raw JSON keeps its whole request body alive, up to 1 MiB, and duplicate strings are 340 of an idle
    session's 1,900 bytes. Of the message's free fields `ext` stays, as far as extensions can want it.
    """
    message.client_id = client_id
    if message.channel == _CONNECT_NAME:
        message.channel = reply.channel = _CONNECT_NAME
    message.data = message.subscription = message.timestamp = _NOTHING
    reply.subscription = UNSET
    message.version = message.minimum_version = message.supported_connection_types = _NOTHING
    message.connection_type = _CONNECTION_TYPES.get(bytes(message.connection_type), _NOTHING)
    if message.ext is not None:
        message.ext = _shorten(message.ext)
    if isinstance(message, OddMessage):
        message.odd_fields = {}


def _shorten(ext: dict[str, Raw]) -> dict[str, Raw]:
    """Return a copy of the first fields of *ext* that are within bounds; they keep no body alive."""
    kept: dict[str, Raw] = {}
    room = _MAX_BYTES
    for name, raw in ext.items():
        value = bytes(raw)
        if len(name) + len(value) <= room and len(kept) < _MAX_FIELDS:
            room -= len(name) + len(value)
            kept[name] = Raw(value)
    return kept
