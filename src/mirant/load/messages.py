"""What a client sends, as bytes, and what it reads (Bayeux 1.0, section 4 and 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from mirant.bayeux.advice import Advice
from mirant.load.scenario import Scenario
from mirant.load.schedule import Batch

_encode = msgspec.json.Encoder().encode

#: What begins the id of a publish; the rest of it is the message's number.
PUBLISH_ID: Final = "p"


class Chat(msgspec.Struct, forbid_unknown_fields=True):
    """The `data` of a message: the fields, and so the size, that CometD's benchmark sends."""

    room: int
    user: int
    chat: str
    start: int  # when it was due, in nanoseconds
    msg_id: str  # its number, a slash and the channel

    @property
    def number(self) -> int:
        """The number of the message; 0 if it has none."""
        digits = self.msg_id.partition("/")[0]
        return int(digits) if digits.isdecimal() else 0


def chat_of(scenario: Scenario, number: int, publisher: int, room: int, due: int) -> Chat:
    """Return the `data` of message *number*, which was *due* at that microsecond."""
    text = "x" * scenario.message_size
    return Chat(room, publisher, text, due * 1_000, f"{number}{scenario.channel}")


class Incoming(msgspec.Struct):
    """A message from the server: with `data` a delivery, without it a reply."""

    channel: str = ""
    data: Chat | Raw | UnsetType = UNSET
    id: str | None = None
    client_id: str | None = msgspec.field(name="clientId", default=None)
    successful: bool | None = None
    subscription: str | list[str] | None = None
    error: str | None = None
    advice: Advice | None = None
    ext: dict[str, Any] | None = None


class _Ours(Incoming):
    data: Chat | UnsetType = UNSET


class _Foreign(Incoming):
    data: Raw | UnsetType = UNSET


_decode_ours = msgspec.json.Decoder(_Ours).decode
_decode_foreign = msgspec.json.Decoder(_Foreign).decode


def decode(text: bytes) -> Incoming:
    """Return the message in *text*. `data` that is not of this scenario stays raw.

    Raises:
        ValueError: it is no Bayeux message.
    """
    try:
        return _decode_ours(text)
    except msgspec.ValidationError:
        return _decode_foreign(text)


def handshake(number: int, connection_type: str, ext: Mapping[str, object]) -> bytes:
    """Return a /meta/handshake."""
    message: dict[str, object] = {
        "channel": "/meta/handshake",
        "id": str(number),
        "version": "1.0",
        "minimumVersion": "1.0",
        "supportedConnectionTypes": [connection_type],
    }
    return _encode({**message, "ext": ext} if ext else message)


def connect(
    number: int, client_id: str, connection_type: str, *, batch: int | None, timeout: int | None = None
) -> bytes:
    """Return a /meta/connect that acknowledges *batch*, to be held for *timeout* milliseconds if given."""
    message: dict[str, object] = {
        "channel": "/meta/connect",
        "id": str(number),
        "clientId": client_id,
        "connectionType": connection_type,
    }
    if timeout is not None:
        message["advice"] = {"timeout": timeout}
    if batch is not None:
        message["ext"] = {"ack": batch}
    return _encode(message)


def connect_around_number(client_id: str, connection_type: str) -> tuple[bytes, bytes]:
    """Return what comes before and after the number in a /meta/connect that says nothing of its own."""
    before, _, after = connect(0, client_id, connection_type, batch=None).partition(b'"0"')
    return before + b'"', b'"' + after


def subscribe(number: int, client_id: str, channel: str) -> bytes:
    """Return a /meta/subscribe."""
    return _encode(
        {"channel": "/meta/subscribe", "id": str(number), "clientId": client_id, "subscription": channel}
    )


def disconnect(number: int, client_id: str) -> bytes:
    """Return a /meta/disconnect."""
    return _encode({"channel": "/meta/disconnect", "id": str(number), "clientId": client_id})


class Publisher:
    """Makes the messages of batches."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._channels = [scenario.room_name(room) for room in range(scenario.rooms)]

    def messages(self, batch: Batch, client_id: str) -> list[bytes]:
        """Return the publishes of *batch* from the session *client_id*."""
        return [
            _encode(
                {
                    "channel": self._channels[room],
                    "id": f"{PUBLISH_ID}{number}",
                    "clientId": client_id,
                    "data": chat_of(self._scenario, number, batch.publisher, room, batch.due),
                }
            )
            for number, room in enumerate(batch.rooms, batch.first)
        ]
