"""Recognising a plain connect: a /meta/connect over long-polling that says nothing of its own.

A client sends the same body with every poll, but for the message's id. So the first body is parsed, and what
is around the id is kept (`KnownConnect`). A later body that is equal byte for byte, but for an id of letters
and digits, means the same, and is not parsed. That holds only if the bytes between are the id's, which is so
if they stand once in a body without escapes.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from mirant.bayeux.messages import MAX_ID

#: Longest body that may be a plain connect; those of the clients in use have 100 to 150 bytes.
MAX_PLAIN: Final = 512


class KnownConnect:
    """The body of a plain connect, but for the id of its message."""

    __slots__ = ("_before", "_behind", "client_id", "id")

    def __init__(self, body: bytes, client_id: str, message_id: str) -> None:
        """Begin with *body*, which is ASCII, and with what it says."""
        self.client_id = client_id
        #: The id in the body that was read last, as JSON.
        self.id = _encode(message_id)
        mark = self.id
        # With escapes in the body the id may be spelt in another way, and *mark* be found in another field.
        is_alone = message_id.isalnum() and b"\\" not in body and body.count(mark) == 1
        before, _, behind = body.partition(mark) if is_alone else (b"", b"", b"")
        self._before = before + b'"'
        self._behind = b'"' + behind

    def matches(self, body: bytes) -> bool:
        """Whether *body* is the same but for its id, which is that of this object then."""
        before, behind = self._before, self._behind
        if len(before) > 1 and body.startswith(before) and body.endswith(behind):
            message_id = body[len(before) : -len(behind)]
            if message_id.isalnum() and len(message_id) <= MAX_ID:
                self.id = b'"%b"' % message_id
                return True
        return False


def read_plain_connect(body: bytes) -> KnownConnect | None:
    """Return what *body* says, if it is a plain connect and nothing else."""
    if len(body) > MAX_PLAIN or b'"/meta/connect"' not in body or not body.isascii():
        return None
    try:
        (connect,) = _decode(body)
    except msgspec.DecodeError:
        return None
    return KnownConnect(body, connect.client_id, connect.id)


class _Connect(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """What the one message of a body must be, and nothing else."""

    channel: Literal["/meta/connect"]
    client_id: str = msgspec.field(name="clientId")
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]
    connection_type: Literal["long-polling"] = msgspec.field(name="connectionType")


_decode = msgspec.json.Decoder(tuple[_Connect]).decode
_encode = msgspec.json.Encoder().encode
