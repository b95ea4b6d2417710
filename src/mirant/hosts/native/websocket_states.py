"""The states of a native WebSocket, and what each event does to them.

RFC 6455 names OPEN, CLOSING and CLOSED (section 7.1). CLOSING falls in four here, by two questions: whether
our close frame was sent, or is still due behind what waits to be sent; and whether the peer may still send
its close frame, or nothing more is read.

    ours is               the peer's close frame is awaited    nothing more is read
    due                   `CLOSE_DUE`                          `ENDING`
    sent                  `CLOSE_SENT`                         `ENDED`

Beside it stands what the peer must do before the connection's deadline (`Awaited`).

Tests: `tests/hosts/native/test_states.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mirant.hosts.native.states import Label, Row, transitions


class SocketState(Label):
    """How far a WebSocket is from its end."""

    OPEN = "Messages go both ways."
    CLOSE_DUE = "Our close frame follows what waits to be sent. Messages of the peer come too late."
    CLOSE_SENT = "Our close frame was sent. The peer's is awaited."
    ENDING = "Our close frame follows what waits to be sent. Nothing more is read."
    ENDED = "Our close frame was sent. Nothing more is read; the transport is closed by either side."
    PEER_GONE = "The peer has gone without a close frame; the transport is about to say so."
    CLOSED = "The connection is gone."


class SocketEvent(Label):
    """What happens to a WebSocket."""

    CLOSE = "the bus or the server closes it"
    CLOSE_WRITTEN = "our close frame is written"
    PEER_CLOSE = "the peer's close frame"
    INVALID = "a frame that breaks the protocol"
    END_OF_INPUT = "the peer ends its side"
    LOST = "the transport is gone"


_STATE, _EVENT = SocketState, SocketEvent

_START_CLOSE = "RFC 6455, 7.1.2: to start the closing handshake, send a close frame."
_CLOSE_STARTED = "RFC 6455, 7.1.3: once a close frame was sent or received, the connection is CLOSING."
_ANSWER_CLOSE = "RFC 6455, 5.5.1: who has sent no close frame must answer one with one."
_CLOSE_DONE = "RFC 6455, 5.5.1: after a close frame was sent and received, the connection is closed."
_FAIL = "RFC 6455, 7.1.7: fail the connection: send a close frame, and process nothing more of the peer's."
_GONE = "RFC 6455, 7.1.5: without a close frame the connection closed abnormally (1006)."

ROWS: Final = (
    Row(_STATE.OPEN, _EVENT.CLOSE, _STATE.CLOSE_DUE, _START_CLOSE),
    Row(_STATE.PEER_GONE, _EVENT.CLOSE, _STATE.ENDING, _START_CLOSE),
    Row(_STATE.CLOSE_DUE, _EVENT.CLOSE_WRITTEN, _STATE.CLOSE_SENT, _CLOSE_STARTED),
    Row(_STATE.ENDING, _EVENT.CLOSE_WRITTEN, _STATE.ENDED, _CLOSE_STARTED),
    Row(_STATE.OPEN, _EVENT.PEER_CLOSE, _STATE.ENDING, _ANSWER_CLOSE),
    Row(_STATE.CLOSE_DUE, _EVENT.PEER_CLOSE, _STATE.ENDING, _ANSWER_CLOSE),
    Row(_STATE.CLOSE_SENT, _EVENT.PEER_CLOSE, _STATE.ENDED, _CLOSE_DONE),
    Row(_STATE.OPEN, _EVENT.INVALID, _STATE.ENDING, _FAIL),
    Row(_STATE.CLOSE_DUE, _EVENT.INVALID, _STATE.ENDING, _FAIL),
    Row(_STATE.CLOSE_SENT, _EVENT.INVALID, _STATE.ENDED, _FAIL),
    Row(_STATE.OPEN, _EVENT.END_OF_INPUT, _STATE.PEER_GONE, _GONE),
    Row(_STATE.CLOSE_DUE, _EVENT.END_OF_INPUT, _STATE.ENDING, _GONE),
    Row(_STATE.CLOSE_SENT, _EVENT.END_OF_INPUT, _STATE.ENDED, _GONE),
    *(
        Row(state, _EVENT.LOST, _STATE.CLOSED, "RFC 6455, 7.1.4: the connection is CLOSED.")
        for state in _STATE
        if state is not _STATE.CLOSED
    ),
)

AFTER: Final[Mapping[tuple[SocketState, SocketEvent], SocketState]] = transitions(ROWS)

#: Where frames of the peer are read.
READS: Final = frozenset({_STATE.OPEN, _STATE.CLOSE_DUE, _STATE.CLOSE_SENT})

#: Where our close frame is still to be sent.
OWES_CLOSE: Final = frozenset({_STATE.CLOSE_DUE, _STATE.ENDING})


class Awaited(Label):
    """What the peer must do before the deadline, and what happens if it does not."""

    SESSION = "A handshake or a connect that gives the connection a session; without it 1008 is sent."
    SIGN_OF_LIFE = "Any bytes at all; without them a ping is sent."
    PONG = "Any bytes at all, after a ping; without them the connection is dropped."


class Sign(Label):
    """What decides what is awaited."""

    SESSION_BOUND = "the connection has a session"
    SESSION_MISSING = "the connection has no session"
    DATA = "bytes of the peer"
    PING_SENT = "a ping is sent"


AWAITED_ROWS: Final = (
    Row(
        Awaited.SESSION,
        Sign.SESSION_BOUND,
        Awaited.SIGN_OF_LIFE,
        "Who has a session may be silent for as long as it answers pings.",
    ),
    Row(
        Awaited.SIGN_OF_LIFE,
        Sign.SESSION_MISSING,
        Awaited.SESSION,
        "A session may end, or move to another connection; its client may handshake again.",
    ),
    Row(
        Awaited.PONG,
        Sign.SESSION_MISSING,
        Awaited.SESSION,
        "A session may end, or move to another connection; its client may handshake again.",
    ),
    Row(
        Awaited.SIGN_OF_LIFE,
        Sign.PING_SENT,
        Awaited.PONG,
        "RFC 6455, 5.5.2: a ping serves to verify that the peer still responds.",
    ),
    Row(
        Awaited.PONG,
        Sign.DATA,
        Awaited.SIGN_OF_LIFE,
        "RFC 6455, 5.5.2: a ping is answered by a pong; any other bytes prove the same.",
    ),
)

AWAITED_AFTER: Final[Mapping[tuple[Awaited, Sign], Awaited]] = transitions(AWAITED_ROWS)
