"""One WebSocket on a connection of our own: our frames, the transport's buffer, and no task."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import Final

from mirant.bus.carrier import Outgoing
from mirant.bus.outbox import Batch
from mirant.bus.request import Request
from mirant.hosts.native.lane import Lane
from mirant.hosts.rfc6455.frames import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    FrameInvalid,
    FrameReader,
    close_payload,
    frame,
)
from mirant.transports.websocket import GOING_AWAY, POLICY_VIOLATION, UNSUPPORTED_DATA, Connection

log = logging.getLogger("mirant")

# How much waits in a connection's own buffer before the rest waits in the session's outbox, where it is
# counted and survives a connection that breaks. Two full frames: enough to keep a fast reader busy.
HIGH_WATER: Final = 64 * 1024
LOW_WATER: Final = 16 * 1024


def _frame_of(batch: Batch) -> bytes:
    wire: bytes
    wire = batch.wire = frame(TEXT, batch.payload)
    return wire


class NativeConnection(Connection, asyncio.Protocol):
    """A connection that has become a WebSocket. It is the transport's protocol from then on."""

    __slots__ = (
        "_alone",
        "_busy",
        "_closing",
        "_deaf",
        "_frames",
        "_heard",
        "_lane",
        "_pinged",
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
        self._frames = FrameReader(lane.core.settings.max_body)
        self._waiting: deque[Batch | bytes] | None = None  # to be sent when the peer has read more
        self._closing: bytes | None = None  # the close frame, once there is to be one; empty when it was sent
        self._busy = False  # whether a hook of the application must end before the next message
        self._deaf = False  # whether what comes does not matter any more
        self._pinged = False
        self._heard = lane.now()
        self._alone: float | None = self._heard  # since when there is no session; None while there is one
        self.writable = True
        self.deadline = 0.0
        self.bucket: int | None = None

    def begin(self, rest: bytes) -> None:
        """Take over the transport; *rest* came with the handshake already."""
        self._transport.set_write_buffer_limits(HIGH_WATER, LOW_WATER)
        self._transport.set_protocol(self)
        self._lane.state.connections.add(self)  # type: ignore[arg-type]  # all it needs is `shutdown`
        self._lane.watch.set(self, self._heard + self._lane.limits.session)
        if rest:
            self.data_received(rest)

    # --- What comes in ---

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._heard = self._lane.now()
        self._pinged = False
        self._frames.feed(data)
        self._read()

    def _read(self) -> None:
        """Take what has come, unless a hook must end before or the peer does not read our answers."""
        try:
            while not (self._busy or self._deaf) and (self._waiting is None or self._closing is not None):
                event = self._frames.next()
                if event is None:
                    break
                self._take(*event)
        except FrameInvalid as invalid:
            self._fail(invalid)
        if self.session is not None:
            self._alone = None
        elif self._alone is None and self._closing is None:
            self._expect_session()

    def _expect_session(self) -> None:
        """Give the peer its time for a handshake. Nothing else that it says brings it more."""
        self._alone = self._lane.now()
        self._lane.watch.set(self, self._alone + self._lane.limits.session)

    def eof_received(self) -> None:
        self._leave()  # at once: what this turn of the event loop publishes is not for this connection

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == CLOSE:
            self._part(payload)
        elif self._closing is not None:
            pass  # too late: what the peer says now belongs to its next connection
        elif opcode == PING:
            self._put(frame(PONG, payload))
        elif opcode != PONG:
            self.take_message(opcode, payload)

    def take_message(self, opcode: int, payload: bytes) -> None:
        """Process one message of the peer's."""
        if opcode == BINARY:
            self.refuse(UNSUPPORTED_DATA, "Bayeux messages travel in text frames")
            return
        messages = self.read(payload)
        if messages is not None:
            pipeline = self.core.receive(messages, self, self._lane.now())
            task = self._lane.loop.start(pipeline, self._lane.state.tasks)
            if task is not None:
                self._busy = True
                self._transport.pause_reading()
                task.add_done_callback(self._go_on)

    def _go_on(self, _: object) -> None:
        self._busy = False
        if not self._transport.is_closing():
            if self._waiting is None:
                self._transport.resume_reading()
            self._read()

    # --- What goes out ---

    def send(self, out: Outgoing) -> bool:
        if out.replies:
            if len(out.replies) == 1 and not (out.before or out.after):
                self._put(frame(TEXT, b"[%b]" % out.replies[0]))
                return True
            return super().send(out)
        # A fan-out is mostly one batch and nothing else, so this is `push` without a call: once per delivery.
        if len(out.before) != 1 or self._waiting is not None or self._transport.is_closing():
            return self.push(out.before)
        batch = out.before[0]
        # The first of its subscribers makes the frame, all others send the same bytes.
        self._transport.write(batch.wire or _frame_of(batch))
        return True

    def push(self, batches: Sequence[Batch]) -> bool:
        if self._waiting is None and self._transport.is_closing():
            self.writable = False  # the peer is gone, which we are told after this turn of the event loop
            return False
        for batch in batches:
            if self._waiting is None:
                self._transport.write(batch.wire or _frame_of(batch))
            else:
                self._waiting.append(batch)
        return True

    def say(self, text: bytes) -> None:
        self._put(frame(TEXT, text))

    def _put(self, item: Batch | bytes) -> None:
        if self._waiting is not None:
            self._waiting.append(item)
        else:
            self._transport.write(item.wire if isinstance(item, Batch) else item)

    @property
    def _is_paused(self) -> bool:
        return self._waiting is not None

    def take_back(self) -> list[Batch]:
        waiting = self._waiting or ()
        unsent = [item for item in waiting if isinstance(item, Batch)]
        if unsent:
            self._waiting = deque(item for item in waiting if not isinstance(item, Batch))
        return unsent

    def pause_writing(self) -> None:
        if self._waiting is None:
            self._waiting = deque()
        self.writable = False
        self._transport.pause_reading()  # who reads no answers is not read from

    def resume_writing(self) -> None:
        if self._closing == b"" or self._waiting is None:
            return
        waiting, self._waiting = self._waiting, None
        for item in waiting:  # on the way writing may be paused again
            self._put(item)
        if self._is_paused:
            return
        if not self._busy:
            self._transport.resume_reading()
        if self._closing is not None:
            self._send_close()
            return
        self.writable = True
        self.core.resume(self)
        self._read()

    # --- The end ---

    def close(self, code: int, reason: str) -> None:
        if self._closing is None:
            self._closing = frame(CLOSE, close_payload(code, reason))
            self.writable = False
            self._expect_end(self._lane.limits.closing)
            # What was answered in this turn of the event loop goes before it.
            self._lane.event_loop.call_soon(self._send_close)

    def shutdown(self) -> None:
        """Close the connection: uvicorn calls this when the server ends."""
        self.close(GOING_AWAY, "the server is going away")
        self._expect_end(self._lane.limits.leaving)  # it may have been closing already, with more patience

    def overdue(self, now: float) -> None:
        """Close the connection or have a sign of life, if nothing was heard for too long."""
        limits = self._lane.limits
        due = self._heard + limits.silence + (limits.pong if self._pinged else 0.0)
        if self._closing is not None or self._deaf:
            self._transport.abort()
        elif self.session is None and self._alone is None:
            self._expect_session()
        elif self.session is None and not self._busy:
            self.refuse(POLICY_VIOLATION, "there was no handshake in time")
        elif due > now or self._busy:
            self._lane.watch.set(self, max(due, now + limits.session))
        elif self._pinged:
            self._transport.abort()
        else:
            self._pinged = True
            self._put(frame(PING, b""))
            self._lane.watch.set(self, now + limits.pong)

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        self._closing = b""  # a close frame that was to be sent has nowhere to go
        self._lane.state.connections.discard(self)
        self._lane.watch.remove(self)

    def _part(self, payload: bytes) -> None:
        """Answer the peer's close frame, or take it as the answer to ours, and end the connection."""
        self._leave()
        # RFC 6455, section 5.5.1: a close frame that was not sent before is answered by one with its code.
        if self._closing is None:
            self._closing = frame(CLOSE, payload[:2])
        self._send_close()
        # Section 7.1.1: the server closes the connection first.
        self._transport.close()
        self._expect_end(self._lane.limits.closing)

    def _fail(self, invalid: FrameInvalid) -> None:
        """Section 7.1.7: close the connection of a peer that broke the protocol, and read no more of it."""
        log.debug("websocket.invalid %s", invalid)
        self.close(invalid.code, invalid.reason)
        self._leave()

    def _send_close(self) -> None:
        if not self._closing or self._waiting is not None:
            return  # it was sent already, or will be when what waits has been
        self._transport.write(self._closing)
        self._closing = b""
        self._waiting = deque()  # nothing may follow it
        if self._deaf and self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()  # not `close`: a reset would destroy what the peer has not read

    def _leave(self) -> None:
        """Let the session wait for its next connection, with what was not sent on this one."""
        self._deaf = True
        self._lane.core.detach(self, self._lane.now(), self.take_back())

    def _expect_end(self, seconds: float) -> None:
        self._lane.watch.set(self, self._lane.now() + seconds)
