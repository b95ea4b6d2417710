"""The server's side of a WebSocket's opening handshake (RFC 6455, section 4), without I/O."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha1
from typing import Final

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # section 1.3
_TOKENS: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[ \t]*,[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+)*")


def is_handshake(method: str, version: str, headers: Mapping[str, str]) -> bool:
    """Whether a request is the opening handshake of version 13, complete and correct (section 4.2.1)."""
    offered = headers.get("sec-websocket-protocol")
    return (
        method == "GET"
        and version == "1.1"
        and headers.get("upgrade", "").lower() == "websocket"
        and "upgrade" in [token.strip().lower() for token in headers.get("connection", "").split(",")]
        and headers.get("sec-websocket-version") == "13"
        and "host" in headers
        and "content-length" not in headers
        and "transfer-encoding" not in headers
        and _is_key(headers.get("sec-websocket-key", ""))
        and (offered is None or _TOKENS.fullmatch(offered) is not None)
    )


def accept_headers(headers: Mapping[str, str]) -> bytes:
    """Return the lines of the response that accept the handshake with *headers* (section 4.2.2).

    The first subprotocol that is offered is chosen: a browser that asks for one aborts otherwise.
    """
    lines = b"upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: %b\r\n" % accept_key(
        headers["sec-websocket-key"]
    )
    offered = headers.get("sec-websocket-protocol")
    if offered is not None:
        lines += b"sec-websocket-protocol: %b\r\n" % offered.partition(",")[0].strip().encode("ascii")
    return lines


def accept_key(key: str) -> bytes:
    """Return the proof that a server has read the client's *key* (section 4.2.2, item 5.4)."""
    return b64encode(sha1(key.encode("ascii") + _GUID, usedforsecurity=False).digest())


def _is_key(key: str) -> bool:
    # A nonce of 16 bytes, base64-encoded.
    try:
        return len(b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False
