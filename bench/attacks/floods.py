"""Floods: as much as a connection carries, of what is small and costs a step each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bench.attacks.attack import CONTINUATION, PING, TEXT, Aim, Attack, flood, frame

_BLAST: Final = 4 * 1024 * 1024  # bytes that are sent in one call


def _of_frames(unit: bytes, opening: bytes = b"") -> Callable[[Aim], None]:
    """Return an attack that repeats the frame *unit* on a WebSocket, after *opening*."""

    def run(aim: Aim) -> None:
        connection = aim.upgrade()
        connection.sendall(opening)
        flood(connection, unit * (_BLAST // len(unit)))

    return run


def _refused_requests(aim: Aim) -> None:
    """Send POSTs of another site one after the other, without waiting for answers."""
    body = b'[{"channel":"/meta/handshake","version":"1.0"}]'
    request = aim.head(len(body), "Origin: http://elsewhere.example") + body
    flood(aim.connect(), request * (_BLAST // len(request)))


def _good_requests(aim: Aim) -> None:
    """Send POSTs with a message that needs no session, without waiting for answers."""
    body = b"[{}]"
    request = aim.head(len(body)) + body
    flood(aim.connect(), request * (_BLAST // len(request)))


def _heads(aim: Aim) -> None:
    """Send POSTs with heads as large as they may be, without waiting for answers."""
    body = b"[{}]"
    request = aim.head(len(body), "Cookie: " + "; ".join(f"name={number}" for number in range(4_500))) + body
    flood(aim.connect(), request * (_BLAST // len(request)))


def _pages(aim: Aim) -> None:
    """Ask for a page of the application again and again, without waiting for answers."""
    request = f"GET /nowhere HTTP/1.1\r\nHost: {aim.host}\r\n\r\n".encode()
    flood(aim.connect(), request * (_BLAST // len(request)))


def _chunks(aim: Aim) -> None:
    """Send bodies in chunks of one byte."""
    head = aim.head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    body = b"1\r\n \r\n" * 100_000
    flood(aim.connect(), head + body + b"4\r\n[{}]\r\n0\r\n\r\n")


FLOODS: Final = (
    Attack(
        "messages", "WebSocket messages of two bytes, {}, without a session", _of_frames(frame(TEXT, b"{}"))
    ),
    Attack("pings", "WebSocket pings without a payload", _of_frames(frame(PING, b""))),
    Attack(
        "fragments",
        "empty fragments of one WebSocket message",
        _of_frames(frame(CONTINUATION, b"", final=False), frame(TEXT, b"", final=False)),
    ),
    Attack("refused", "pipelined POSTs that are refused for their origin", _refused_requests),
    Attack("requests", "pipelined POSTs with one message each", _good_requests),
    Attack("heads", "pipelined POSTs with large heads", _heads),
    Attack("pages", "pipelined GETs of a page that is not there", _pages),
    Attack("chunks", "bodies in chunks of one byte", _chunks),
)
