"""The life of one native WebSocket: its state, what its peer must do in time, and its closing handshake.

Tests: `tests/hosts/native/test_websocket.py`.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections import deque
from typing import Final

from mirant.bus.batch import Batch
from mirant.bus.request import Request
from mirant.hosts.native.deadlines import LEAST_SENT
from mirant.hosts.native.lane import Lane
from mirant.hosts.native.websocket_states import (
    AFTER,
    AWAITED_AFTER,
    OWES_CLOSE,
    Awaited,
    Sign,
    SocketEvent,
    SocketState,
)
from mirant.hosts.progress import LEAST_TAKEN, PeerProgress, taken, unsent
from mirant.hosts.rfc6455.frames import CLOSE, PING, FrameReader, close_payload, frame
from mirant.transports.websocket import GOING_AWAY, POLICY_VIOLATION, Connection

# Members of enumerations take 0.1 µs to find in their class.
_OPEN: Final = SocketState.OPEN
_SESSION: Final = Awaited.SESSION
_PONG: Final = Awaited.PONG


class SocketLife(Connection, asyncio.Protocol):
    """A WebSocket without its messages, which a subclass reads and writes."""

    __slots__ = (
        "_awaited",
        "_begun",
        "_close_frame",
        "_frames",
        "_had",
        "_heard",
        "_hook_runs",
        "_lane",
        "_queued",
        "_state",
        "_stream",
        "_transport",
        "_waiting",
        "bucket",
        "deadline",
        "writable",
    )

    # A plain attribute where others compute: it is read once per subscriber and publish.
    writable: bool

    def __init__(self, lane: Lane, request: Request, transport: asyncio.Transport) -> None:
        super().__init__(lane.core, request)
        self._lane = lane
        self._transport = transport
        self._waiting: deque[Batch | bytes] | None = None  # to be sent when the peer has read more
        self._state = _OPEN
        self._close_frame = b""  # what is to be sent where the state says that a close frame is due
        self._frames = FrameReader(lane.core.settings.max_body)
        self._begun: float | None = None  # since when a message is unfinished, or when we last looked at it
        self._had = 0  # bytes of it that had come then
        self._hook_runs = False  # a hook of the application, which must end before the next message
        self._stream: PeerProgress | None = None  # what its peer takes and sends, once somebody has asked
        self._queued = False  # whether it waits for its turn, because it has more to say than others
        self._heard = lane.now()
        self._awaited = _SESSION
        self.writable = True
        self.deadline = 0.0
        self.bucket: int | None = None

    def _on(self, event: SocketEvent) -> None:
        self._state = AFTER.get((self._state, event), self._state)

    @property
    def _is_open_or_gone(self) -> bool:
        """Whether no close frame is due or was sent."""
        return self._state is _OPEN or self._state is SocketState.PEER_GONE

    @property
    def _has_session(self) -> bool:
        return self.session is not None and not self.session.ended

    @abstractmethod
    def _put(self, item: Batch | bytes) -> None:
        """Send *item*, after what waits."""

    # --- Time ---

    def _look_for_session(self) -> None:
        """Take note of whether there is a session, now that messages were processed."""
        if self._has_session:
            if self._awaited is _SESSION:
                self._await_after(Sign.SESSION_BOUND)
        elif self._awaited is not _SESSION and self._is_open_or_gone:
            self._expect_session()

    def _expect_session(self) -> None:
        """Give the peer its time for a handshake. Nothing else that it sends prolongs that."""
        self._await_after(Sign.SESSION_MISSING)
        self._expect_within(self._lane.limits.session)

    def _expect_within(self, seconds: float) -> None:
        self._lane.watch.set(self, self._lane.now() + seconds)

    def _await_after(self, sign: Sign) -> None:
        self._awaited = AWAITED_AFTER.get((self._awaited, sign), self._awaited)

    def overdue(self, now: float) -> None:
        """Send a ping, or close the connection, if nothing was heard for too long."""
        limits = self._lane.limits
        due = self._heard + limits.silence + (limits.pong if self._awaited is _PONG else 0.0)
        if self._state is not _OPEN:
            self._transport.abort()
        elif not self._has_session and self._awaited is not _SESSION:
            self._expect_session()
        elif not self._has_session and not self._hook_runs:
            self.refuse(POLICY_VIOLATION, "there was no handshake in time")
        elif self._is_late(now):
            self.refuse(POLICY_VIOLATION, "a message did not come whole in time")
        elif due > now or self._hook_runs:
            self._look_again(max(due, now + limits.session))
        elif self.lasts(now) > 0.0:
            self._look_again(now + limits.session)  # its pong would have to wait for what it takes or sends
        elif self._awaited is _PONG:
            self._transport.abort()
        else:
            self._await_after(Sign.PING_SENT)
            self._put(frame(PING, b""))
            self._look_again(now + limits.pong)

    def lasts(self, now: float) -> float:
        if self._stream is None:
            self._stream = PeerProgress()
        waiting = self._frames.waiting
        waits = max(unsent(self._transport), waiting) >= LEAST_TAKEN
        return self._stream.lasts(now, waits=waits, mark=taken(self._transport) + waiting)

    def _look_again(self, when: float) -> None:
        """Look at the connection at *when*, or when an unfinished message has to be there."""
        if self._begun is not None:
            when = min(when, self._begun + self._lane.limits.body)
        self._lane.watch.set(self, when)

    def _note_unfinished(self) -> None:
        """Give what is left of a message its time, or take note that nothing is left."""
        if not self._frames.unfinished:
            self._begun = None
        elif self._begun is None:
            self._begun, self._had = self._heard, self._frames.waiting
            self._look_again(self.deadline)

    def _is_late(self, now: float) -> bool:
        """Whether too little of an unfinished message has come, which we wait for."""
        if self._begun is None or now < self._begun + self._lane.limits.body:
            return False
        had, self._had, self._begun = self._had, self._frames.waiting, now
        waits_for_us = self._hook_runs or self._queued or self._waiting is not None
        return not waits_for_us and self._had - had < LEAST_SENT

    # --- The end ---

    def close(self, code: int, reason: str) -> None:
        if self._is_open_or_gone:
            self._on(SocketEvent.CLOSE)
            self._close_frame = frame(CLOSE, close_payload(code, reason))
            self.writable = False
            self._expect_within(self._lane.limits.closing)
            # What was answered in this turn of the event loop goes before it.
            self._lane.event_loop.call_soon(self._send_close)

    def shutdown(self) -> None:
        """Close the connection: uvicorn calls this when the server ends."""
        self.close(GOING_AWAY, "the server is going away")
        self._expect_within(self._lane.limits.leaving)  # it may have been closing already, with more time

    def _send_close(self) -> None:
        if self._state not in OWES_CLOSE or self._waiting is not None:
            return  # it was sent already, or will be when what waits has been
        self._transport.write(self._close_frame)
        self._on(SocketEvent.CLOSE_WRITTEN)
        self._waiting = deque()  # nothing may follow it
        ended = self._state is SocketState.ENDED
        if ended and self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()  # not `close`: a reset would destroy what the peer has not read
