"""The client's side of messages: what a client sends, as bytes, and `ServerMessage`, what it reads.

`mirant.bayeux.messages` is the server's side. A client is lenient where a server is strict, because a client
cannot choose its server: a field of the wrong type counts as absent and does not spoil its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from msgspec import Raw

from mirant.bayeux.advice import Advice
from mirant.bayeux.surrogates import mend_surrogates

_encode = msgspec.json.Encoder().encode


class ServerBodyInvalid(ValueError):
    """What a server sent is not an array of JSON objects."""


class ServerMessage(msgspec.Struct, kw_only=True):
    """A message from a server: a reply to one of ours, or a delivery.

    A text field is None when it is absent or of the wrong type. `data` is raw JSON, and empty (false) when
    it is absent.
    """

    channel: str = ""
    data: Raw = Raw()
    id: str | None = None
    client_id: str | None = msgspec.field(name="clientId", default=None)
    successful: bool | None = None
    subscription: str | list[str] | None = None
    error: str | None = None
    advice: Advice | None = None
    ext: dict[str, Any] | None = None
    supported_connection_types: list[str] | None = msgspec.field(
        name="supportedConnectionTypes", default=None
    )

    @property
    def is_delivery(self) -> bool:
        """Whether this is a delivery. Replies have no data, and nothing is delivered on meta channels."""
        return bool(self.data) and not self.channel.startswith("/meta/")


# --- Reading ---


def decode_server(body: bytes | str) -> list[ServerMessage]:
    """Return the messages of one HTTP body or one WebSocket message.

    A single object counts as an array of one.

    Raises:
        ServerBodyInvalid: it is not JSON, or holds something that is not an object.
    """
    try:
        return _decode_array(body)
    except (ValueError, RecursionError):
        pass
    try:
        found = _decode_anything(mend_surrogates(body.encode() if isinstance(body, str) else body))
        return [_read_fields(fields) for fields in (found if isinstance(found, list) else [found])]
    except RecursionError:
        raise ServerBodyInvalid("it is nested too deeply") from None
    except ValueError as error:
        raise ServerBodyInvalid(str(error)) from None


#: Returns the message in one JSON object, for those who check servers. Raises ValueError if it is not an
#: object, or if one of its fields has the wrong type.
decode_strictly = msgspec.json.Decoder(ServerMessage).decode

_decode_array = msgspec.json.Decoder(list[ServerMessage]).decode
_decode_anything = msgspec.json.Decoder(list[dict[str, Raw]] | dict[str, Raw]).decode


def _read_id(raw: Raw) -> str | None:
    # Bayeux 1.0, section 5.4: an id is text. Some servers echo a number.
    found = _decode_id(raw)
    return found if found is None else str(found)


def _read_advice(raw: Raw) -> Advice | None:
    """Return what can be understood of an advice."""
    fields = _decode_fields(raw)
    if fields is None:
        return None
    known: dict[str, Any] = {}
    for name, value in fields.items():
        if name in _ADVICE_FIELDS:
            attribute, decode = _ADVICE_FIELDS[name]
            try:
                known[attribute] = decode(value)
            except (ValueError, OverflowError):
                continue
    return Advice(**known)


def _read_milliseconds(raw: Raw) -> int | None:
    found = _decode_number(raw)
    return None if found is None else int(found)


_decode_id = msgspec.json.Decoder(str | int | None).decode
_decode_fields = msgspec.json.Decoder(dict[str, Raw] | None).decode
_decode_number = msgspec.json.Decoder(int | float | None).decode
_decode_text = msgspec.json.Decoder(str | None).decode

_ADVICE_FIELDS: Final[Mapping[str, tuple[str, Callable[[Raw], Any]]]] = {
    "reconnect": (
        "reconnect",
        msgspec.json.Decoder(Literal["retry", "handshake", "none"] | None).decode,
    ),
    "interval": ("interval", _read_milliseconds),
    "timeout": ("timeout", _read_milliseconds),
    "multiple-clients": ("multiple_clients", msgspec.json.Decoder(bool | None).decode),
    "maxInterval": ("max_interval", _read_milliseconds),
}

# name on the wire → (attribute, how it is read)
_FIELDS: Final[Mapping[str, tuple[str, Callable[[Raw], Any]]]] = {
    "channel": ("channel", msgspec.json.Decoder(str).decode),
    "data": ("data", lambda raw: raw),
    "id": ("id", _read_id),
    "clientId": ("client_id", _decode_text),
    "successful": ("successful", msgspec.json.Decoder(bool | None).decode),
    "subscription": ("subscription", msgspec.json.Decoder(str | list[str] | None).decode),
    "error": ("error", _decode_text),
    "advice": ("advice", _read_advice),
    "ext": ("ext", msgspec.json.Decoder(dict[str, Any] | None).decode),
    "supportedConnectionTypes": (
        "supported_connection_types",
        msgspec.json.Decoder(list[str] | None).decode,
    ),
}


def _read_fields(fields: dict[str, Raw]) -> ServerMessage:
    known: dict[str, Any] = {}
    for name, raw in fields.items():
        if name in _FIELDS:
            attribute, read = _FIELDS[name]
            try:
                known[attribute] = read(raw)
            except (ValueError, RecursionError):
                continue
    return ServerMessage(**known)


# --- Writing. Each function returns one JSON object; a body is an array of them ---


def handshake(
    message_id: str, connection_types: Sequence[str], fields: Mapping[str, object] | None = None
) -> bytes:
    """Return a /meta/handshake (Bayeux 1.0, section 4.1.1) with further *fields*, such as ``ext``."""
    return _encode(
        {
            "channel": "/meta/handshake",
            "id": message_id,
            "version": "1.0",
            "minimumVersion": "1.0",
            "supportedConnectionTypes": list(connection_types),
            **(fields or {}),
        }
    )


def connect(
    message_id: str,
    client_id: str,
    connection_type: str,
    *,
    timeout: int | None = None,
    ext: Mapping[str, object] | None = None,
) -> bytes:
    """Return a /meta/connect (section 4.2.1); *timeout* is how many milliseconds it may be held."""
    message: dict[str, object] = {
        "channel": "/meta/connect",
        "id": message_id,
        "clientId": client_id,
        "connectionType": connection_type,
    }
    if timeout is not None:
        message["advice"] = {"timeout": timeout}
    if ext:
        message["ext"] = ext
    return _encode(message)


def connect_around_id(client_id: str, connection_type: str) -> tuple[bytes, bytes]:
    """Return the bytes before and after the id in a /meta/connect without advice and ext."""
    before, _, after = connect("", client_id, connection_type).partition(b'"id":""')
    return before + b'"id":"', b'"' + after


def subscribe(message_id: str, client_id: str, subscription: str | Sequence[str]) -> bytes:
    """Return a /meta/subscribe (section 4.3.1)."""
    return _on_subscription("/meta/subscribe", message_id, client_id, subscription)


def unsubscribe(message_id: str, client_id: str, subscription: str | Sequence[str]) -> bytes:
    """Return a /meta/unsubscribe (section 4.4.1)."""
    return _on_subscription("/meta/unsubscribe", message_id, client_id, subscription)


def publish(
    message_id: str,
    client_id: str,
    channel: str,
    data: object,
    *,
    ext: Mapping[str, object] | None = None,
) -> bytes:
    """Return a publish (section 5.1). *data* is a Python value, or `Raw` if it is JSON already.

    Raises:
        TypeError: *data* has no JSON form.
    """
    message = {"channel": channel, "id": message_id, "clientId": client_id, "data": data}
    try:
        return _encode({**message, "ext": ext} if ext else message)
    except (ValueError, OverflowError, RecursionError) as error:
        raise TypeError(f"this has no JSON form: {error}") from error


def disconnect(message_id: str, client_id: str) -> bytes:
    """Return a /meta/disconnect (section 4.5.1)."""
    return _encode({"channel": "/meta/disconnect", "id": message_id, "clientId": client_id})


def _on_subscription(channel: str, message_id: str, client_id: str, names: str | Sequence[str]) -> bytes:
    return _encode(
        {
            "channel": channel,
            "id": message_id,
            "clientId": client_id,
            "subscription": names if isinstance(names, str) else list(names),
        }
    )
