"""What clients can make the server keep: heads, fields and messages that nobody takes."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from bench.attacks.attack import Aim, Attack

_HANDSHAKE: Final = b'[{"channel":"/meta/handshake","version":"1.0","id":"1"}]'
_CONNECT: Final = b'[{"channel":"/meta/connect","connectionType":"long-polling","clientId":"%b"'
_FIELDS: Final = 4_900  # the server takes 5,000 beside `data`
_HEAD: Final = "x" * 60_000
_BATCH: Final = 900  # messages in one body
_KEPT: Final = 60  # seconds for which a connection stays


def _held_fields(aim: Aim) -> None:
    """Have a connect held whose `ext` has as many fields as the server takes; then another beside it."""
    ext = b",".join(b'"%d":0' % number for number in range(_FIELDS))
    _hold(aim, b',"ext":{%b}' % ext, _held_fields)


def _held_heads(aim: Aim) -> None:
    """Have a connect held whose request has 60 KB of headers; then another beside it."""
    _hold(aim, b"", _held_heads, f"X-Padding: {_HEAD}")


def _outboxes(aim: Aim) -> None:
    """Subscribe, never poll, and publish tiny messages, each to a channel of its own."""
    with suppress(OSError), aim.connect() as slow, aim.connect() as fast:
        reader = _enter(slow, aim)
        subscribe = b'[{"channel":"/meta/subscribe","subscription":"/tiny/*","clientId":"%b"}]' % reader
        _ask(slow, aim, subscribe)
        writer, numbers = _enter(fast, aim), itertools.count()
        while True:
            one = b'{"channel":"/tiny/%d","data":1,"clientId":"%b"}'
            batch = [one % (number, writer) for number in itertools.islice(numbers, _BATCH)]
            _ask(fast, aim, b"[%b]" % b",".join(batch))


def _hold(aim: Aim, more: bytes, again: Callable[[Aim], None], *lines: str) -> None:
    with suppress(OSError), aim.connect() as connection:
        client = _enter(connection, aim)
        held = b"%b%b}]" % (_CONNECT % client, more)
        connection.sendall(aim.head(len(held), *lines) + held)
        threading.Thread(target=again, args=(aim,), daemon=True).start()
        connection.settimeout(_KEPT)
        connection.recv(1)


def _enter(connection: socket.socket, aim: Aim) -> bytes:
    """Handshake and connect once; return the clientId."""
    client = _ask(connection, aim, _HANDSHAKE).partition(b'"clientId":"')[2][:32]
    if len(client) != 32:
        raise ConnectionError("the server refuses handshakes")
    _ask(connection, aim, _CONNECT % client + b"}]")
    return client


def _ask(connection: socket.socket, aim: Aim, body: bytes) -> bytes:
    connection.sendall(aim.head(len(body)) + body)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _part(connection)
    head, _, rest = answer.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    while len(rest) < length:
        rest += _part(connection)
    return rest


def _part(connection: socket.socket) -> bytes:
    part = connection.recv(1 << 16)
    if not part:
        raise ConnectionError("the server ended the connection")
    return part


MEMORY: Final = (
    Attack("held-fields", "held connects, each with 4,900 fields of ext", _held_fields),
    Attack("held-heads", "held connects, each with 60 KB of headers", _held_heads),
    Attack("outboxes", "tiny messages for sessions that never poll, each in a channel of its own", _outboxes),
)
