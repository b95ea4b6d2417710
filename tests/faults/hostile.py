"""First words of peers that mean no good, or speak no HTTP, no WebSocket, no JSON, no Bayeux."""

import asyncio
import base64
import json
import random
from typing import Any

from websockets.frames import Frame, Opcode

LIMIT = 1024 * 1024  # the bus's max_body

_UPGRADE = (
    b"GET /cometd HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + base64.b64encode(b"0" * 16) + b"\r\n\r\n"
)


def http_words(dice: random.Random) -> bytes:
    """Return what is sent over a new HTTP connection."""
    kind = dice.randrange(13)
    if kind == 0:
        return dice.randbytes(dice.randint(1, 2_000))
    if kind == 1:
        return b"POST /cometd HTTP/1.1\r\n" + b"x-%d: y\r\n" % kind * dice.randint(1, 3_000) + b"\r\n"
    if kind == 2:
        return _post(b"[" * dice.randint(100, 5_000))
    if kind == 3:  # more than is allowed is announced, and little of it sent
        return b"POST /cometd HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n[" % (
            LIMIT + dice.randint(1, 10**15)
        )
    if kind == 4 and dice.random() < 0.1:  # more than is allowed is sent, unannounced
        part = b"%x\r\n%b\r\n" % (64 * 1024, b" " * 64 * 1024)
        return b"POST /cometd HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + part * 17
    if kind == 5:
        return _post(json.dumps([{"channel": "/a"}] * 1_001).encode())
    if kind == 6:
        return b"GET /cometd?jsonp=%b&message=%b HTTP/1.1\r\nHost: localhost\r\n\r\n" % (
            b"a" * dice.randint(1, 300),
            b"%5B%7B" * dice.randint(1, 1_000),
        )
    if kind == 7:
        return _post(b"message=" + dice.randbytes(50).hex().encode(), b"application/x-www-form-urlencoded")
    if kind == 8:  # as a browser asks whose page had the name of its site point here
        return _post(_body(dice)).replace(b"Host: localhost", b"Host: a")
    return _post(_body(dice), dice.choice([b"application/json", b"text/plain;charset=utf-16", b"x"]))


def websocket_words(dice: random.Random) -> bytes:
    """Return what is sent over a new connection that becomes a WebSocket."""
    kind = dice.randrange(9)
    if kind == 0:  # an upgrade that is none
        return _UPGRADE.replace(dice.choice([b"Version: 13", b"Key: MD", b"websocket", b"GET"]), b"x", 1)
    if kind == 1:
        return _UPGRADE + dice.randbytes(dice.randint(1, 500))
    if kind == 2:  # a frame that announces more than is allowed
        return _UPGRADE + b"\x81\xff" + (LIMIT + dice.randint(1, 2**40)).to_bytes(8, "big") + b"\0\0\0\0x"
    if kind == 3:  # not masked
        return _UPGRADE + Frame(Opcode.TEXT, _body(dice)).serialize(mask=False)
    if kind == 4:
        return _UPGRADE + Frame(Opcode.BINARY, _body(dice)).serialize(mask=True)
    if kind == 5:  # a message in pieces that never ends
        piece = Frame(Opcode.TEXT, b"[", fin=False).serialize(mask=True)
        return _UPGRADE + piece + Frame(Opcode.CONT, b" ", fin=False).serialize(mask=True) * 50
    if kind == 6:
        return _UPGRADE + Frame(Opcode.TEXT, b"[" * dice.randint(100, 5_000)).serialize(mask=True)
    return _UPGRADE + Frame(Opcode.TEXT, _body(dice)).serialize(mask=True)


def _body(dice: random.Random) -> bytes:
    kind = dice.randrange(5)
    if kind == 0:
        return dice.randbytes(dice.randint(0, 300))
    message = json.dumps([_message(dice) for _ in range(dice.randint(1, 3))]).encode()
    if kind == 1:
        return message[: dice.randrange(len(message))]
    if kind == 2:
        place = dice.randrange(len(message))
        return message[:place] + dice.randbytes(1) + message[place + 1 :]
    return message


def _message(dice: random.Random) -> Any:
    # Never a whole handshake: what is asked here is what those cost who get no session.
    odd: list[Any] = [
        None,
        1,
        "x",
        [],
        {},
        True,
        -1e308,
        "\ud800",
        "x" * 200,
        {"ack": 1},
        "/meta/connect",
        "/**",
    ]
    names = [
        "channel",
        "id",
        "clientId",
        "data",
        "ext",
        "advice",
        "subscription",
        "connectionType",
        "version",
    ]
    return {dice.choice(names): dice.choice(odd) for _ in range(dice.randint(0, 5))}


def _post(body: bytes, kind: bytes = b"application/json") -> bytes:
    return b"POST /cometd HTTP/1.1\r\nHost: localhost\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (
        kind,
        len(body),
        body,
    )


async def attack(port: int, words: bytes) -> bytes:
    """Say *words* on a new connection; return the beginning of what is answered, if anything is."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(words)
            async with asyncio.timeout(0.3):  # who says half a word is not answered
                return await reader.read(500)
        finally:
            writer.transport.abort()
    except (OSError, TimeoutError):
        return b""
