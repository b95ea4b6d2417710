"""The states of a native HTTP connection, and what each event does to them.

A client sends requests and the server answers them in their order (RFC 9112, section 9.3.2). Nearly every
client waits for each answer before it sends more. Then nothing is queued and nothing is half read: that is
`IN_STEP`, and one comparison with it replaces seven checks on the way of a poll. A client that does otherwise
is in `OPEN` until all that it sent has been answered.

What comes is read in the first three states. In the others it is discarded (`DISCARDS`): the connection ends,
has ended, or speaks another protocol.

Two facts are not states, because each of them can be true in any state: whether the transport has asked not
to be written to (`write_paused`, uvicorn's word), and whether the server ends (`OutputWatch.server_ends`).

Tests: `tests/hosts/native/test_states.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mirant.hosts.native.states import Label, Row, transitions


class HttpState(Label):
    """What may still happen on an HTTP connection."""

    IN_STEP = "Nothing has come but the request that is being answered, or is awaited."
    OPEN = "Requests come, or parts of them; each is answered in its turn."
    HALF_CLOSED = "The client sends no more. What it has asked for is answered."
    REFUSING = "What came is not HTTP. The requests before it are answered, then it is refused."
    LINGERING = "The last answer was sent. What the client still sends is read and discarded."
    CLOSING = "The transport closes as soon as the client has taken what was written."
    CLOSED = "The connection is gone."
    SWITCHED = "The connection has become a WebSocket; another object has it."


class HttpEvent(Label):
    """What happens to an HTTP connection."""

    DATA = "bytes that have to be parsed"
    ALL_ANSWERED = "the last request that had come is answered"
    INVALID = "bytes that are not HTTP"
    END_OF_INPUT = "the client ends its side and waits for answers"
    SHUTDOWN = "the server ends"
    LINGER = "the last answer is written while the client may be sending"
    CLOSE = "nothing is left to be sent or read"
    LOST = "the transport is gone"
    UPGRADE = "the client is accepted as a WebSocket"


_STATE, _EVENT = HttpState, HttpEvent

_PIPELINING = (
    "RFC 9112, 9.3.2: a client may send several requests without waiting; the server must answer in order."
)
_HALF_CLOSE = "RFC 9293, 3.6: who has closed its side of a TCP connection may still receive."
_LINGER = (
    "RFC 9112, 9.6: a server that closes at once may destroy the last answer by a reset; so it ends its own "
    "side first, and reads on."
)
_TEAR_DOWN = "RFC 9112, 9.6: the server closes after the last answer, or at the end of the idle time (9.5)."

ROWS: Final = (
    Row(_STATE.IN_STEP, _EVENT.DATA, _STATE.OPEN, _PIPELINING),
    Row(_STATE.OPEN, _EVENT.ALL_ANSWERED, _STATE.IN_STEP, "RFC 9112, 9.3: the connection persists."),
    Row(
        _STATE.IN_STEP,
        _EVENT.SHUTDOWN,
        _STATE.OPEN,
        "The answer that is due is the last one, which only the long way knows.",
    ),
    Row(
        _STATE.OPEN,
        _EVENT.INVALID,
        _STATE.REFUSING,
        "RFC 9112, 2.2: answer 400 and close; nobody can tell where the next request would begin.",
    ),
    Row(_STATE.IN_STEP, _EVENT.END_OF_INPUT, _STATE.HALF_CLOSED, _HALF_CLOSE),
    Row(_STATE.OPEN, _EVENT.END_OF_INPUT, _STATE.HALF_CLOSED, _HALF_CLOSE),
    Row(_STATE.REFUSING, _EVENT.END_OF_INPUT, _STATE.HALF_CLOSED, _HALF_CLOSE),
    Row(_STATE.IN_STEP, _EVENT.LINGER, _STATE.LINGERING, _LINGER),
    Row(_STATE.OPEN, _EVENT.LINGER, _STATE.LINGERING, _LINGER),
    Row(_STATE.HALF_CLOSED, _EVENT.LINGER, _STATE.LINGERING, _LINGER),
    Row(_STATE.REFUSING, _EVENT.LINGER, _STATE.LINGERING, _LINGER),
    Row(_STATE.IN_STEP, _EVENT.CLOSE, _STATE.CLOSING, _TEAR_DOWN),
    Row(_STATE.OPEN, _EVENT.CLOSE, _STATE.CLOSING, _TEAR_DOWN),
    Row(_STATE.HALF_CLOSED, _EVENT.CLOSE, _STATE.CLOSING, _TEAR_DOWN),
    Row(_STATE.REFUSING, _EVENT.CLOSE, _STATE.CLOSING, _TEAR_DOWN),
    Row(_STATE.LINGERING, _EVENT.CLOSE, _STATE.CLOSING, _TEAR_DOWN),
    Row(
        _STATE.OPEN,
        _EVENT.UPGRADE,
        _STATE.SWITCHED,
        "RFC 9110, 7.8: after 101 the connection speaks the other protocol.",
    ),
    Row(_STATE.HALF_CLOSED, _EVENT.UPGRADE, _STATE.SWITCHED, "The WebSocket learns of the end by itself."),
    *(
        Row(state, _EVENT.LOST, _STATE.CLOSED, "Nothing can be sent or read any more.")
        for state in _STATE
        if state not in (_STATE.CLOSED, _STATE.SWITCHED)
    ),
)

AFTER: Final[Mapping[tuple[HttpState, HttpEvent], HttpState]] = transitions(ROWS)

#: Where nothing that comes matters any more.
DISCARDS: Final = frozenset(
    {_STATE.REFUSING, _STATE.LINGERING, _STATE.CLOSING, _STATE.CLOSED, _STATE.SWITCHED}
)
