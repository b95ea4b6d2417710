"""One WebSocket of the native host: frames are read and written in place, without a task."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from typing import Final

from mirant.bus.batch import Batch
from mirant.bus.carrier import Outgoing
from mirant.hosts.native.websocket_life import SocketLife
from mirant.hosts.native.websocket_states import (
    OWES_CLOSE,
    READS,
    Awaited,
    Sign,
    SocketEvent,
    SocketState,
)
from mirant.hosts.rfc6455.frames import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    FrameInvalid,
    frame,
)
from mirant.hosts.turns import BYTES_PER_STEP, PROMPT, STEPS
from mirant.transports.websocket import UNSUPPORTED_DATA

log = logging.getLogger("mirant")

# Bytes in the transport's buffer above which the rest waits in the session's outbox. There it is counted, and
# it survives a connection that breaks. This is two full frames, which keep a fast reader busy.
HIGH_WATER: Final = 64 * 1024
LOW_WATER: Final = 16 * 1024

# Members of enumerations take 0.1 µs to find in their class.
_OPEN: Final = SocketState.OPEN
_SESSION: Final = Awaited.SESSION
_PONG_DUE: Final = Awaited.PONG


def _frame_of(batch: Batch) -> bytes:
    wire: bytes
    wire = batch.wire = frame(TEXT, batch.payload)
    return wire


class NativeWebSocket(SocketLife):
    """The protocol of a transport from its upgrade to a WebSocket on."""

    __slots__ = ()

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
        if self._state not in READS:
            if len(data) > PROMPT:
                self._queue()  # to read and discard takes time too
            return
        self._heard = self._lane.now()
        if self._awaited is _PONG_DUE:
            self._await_after(Sign.DATA)
        self._frames.feed(data)
        turns, size = self._lane.turns, len(data)
        if self._queued or size > turns.prompt or (self._begun is not None and self._frames.waiting > PROMPT):
            self._queue()
            return
        steps = turns.steps
        turns.spend(steps - self._read(steps) + size // BYTES_PER_STEP)

    def take_turn(self) -> bool:
        """Take some of the frames that have come; return whether there were any."""
        left = self._read()
        self._queued = left < STEPS
        waits = self._hook_runs or (self._waiting is not None and self._state is _OPEN)
        if left > 0 and not (waits or self._transport.is_closing()):
            self._transport.resume_reading()
        return self._queued

    def _queue(self) -> None:
        """Read nothing from the peer until its turn comes."""
        self._transport.pause_reading()
        if not self._queued:
            self._queued = True
            self._lane.turns.add(self)

    def _read(self, left: int = STEPS) -> int:
        """Take frames that have come, unless a hook must end first or the peer reads no answers.

        Return how many of the steps that were *left* are left still: at none, the rest waits for a turn.
        """
        try:
            while not self._hook_runs:
                state = self._state
                # When we close, the peer's close frame is looked for, even if it takes nothing of ours.
                if self._waiting is not None if state is _OPEN else state not in READS:
                    break
                if left <= 0:
                    self._queue()
                    break
                event = self._frames.next_frame()
                if event is None:
                    break
                left -= self._take(*event)
        except FrameInvalid as invalid:
            self._fail(invalid)
        if self._begun is not None or self._frames.unfinished:
            self._note_unfinished()
        if self.session is None or self._awaited is _SESSION:
            self._look_for_session()
        return left

    def eof_received(self) -> None:
        self._on(SocketEvent.END_OF_INPUT)
        self._leave()  # now: what this turn still publishes waits for another connection

    def _take(self, opcode: int, payload: bytes) -> int:
        """Act on a frame; return how many steps that is."""
        if opcode == CLOSE:
            self._part(payload)
        elif self._state is not _OPEN:
            pass  # the connection closes: the peer says it again on its next one
        elif opcode == PING:
            self._put(frame(PONG, payload))
        elif opcode in (TEXT, BINARY):
            self._begun = None  # what is unfinished now is another message
            return max(self.take_message(opcode, payload) or 1, len(payload) // BYTES_PER_STEP)
        return 1

    def take_message(self, opcode: int, payload: bytes) -> int | None:
        """Process one message of the peer; return how many Bayeux messages are in it, if it has any."""
        if opcode == BINARY:
            self.refuse(UNSUPPORTED_DATA, "Bayeux messages travel in text frames")
            return None
        messages = self.read(payload)
        if messages is None:
            return None
        pipeline = self.core.receive(messages, self, self._lane.now())
        task = self._lane.loop.start(pipeline, self._lane.state.tasks)
        if task is not None:
            self._hook_runs = True
            self._transport.pause_reading()
            task.add_done_callback(self._go_on)
        return len(messages)

    def _go_on(self, _: object) -> None:
        self._hook_runs = False
        if self._transport.is_closing():
            return
        if self._frames.has_unread and self._waiting is None:
            self._queue()  # what came meanwhile waits for its turn
            return
        if self._waiting is None and not self._queued:
            self._transport.resume_reading()
        self._read()

    # --- What goes out ---

    def send(self, out: Outgoing) -> bool:
        batch = out.alone
        if batch is not None:  # `push` without a call: once per delivery of a fan-out
            if self._waiting is not None or self._transport.is_closing():
                return self.push(out.before)
            # The first of its subscribers makes the frame, all others send the same bytes.
            self._transport.write(batch.wire or _frame_of(batch))
            return True
        if len(out.replies) == 1 and not (out.before or out.after):
            self._put(frame(TEXT, b"[%b]" % out.replies[0]))
            return True
        return super().send(out)

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
            self._transport.write((item.wire or _frame_of(item)) if isinstance(item, Batch) else item)

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
        self._transport.pause_reading()  # a peer that does not read answers is not read from

    def resume_writing(self) -> None:
        if self._waiting is None or not (self._state in OWES_CLOSE or self._is_open_or_gone):
            return  # nothing waits, or nothing may follow our close frame
        waiting, self._waiting = self._waiting, None
        for item in waiting:  # on the way writing may be paused again
            self._put(item)
        if self._is_paused:
            return
        if not (self._hook_runs or self._queued):
            self._transport.resume_reading()
        if self._state in OWES_CLOSE:
            self._send_close()
            return
        self.writable = True
        self.core.resume(self)
        self._read()

    # --- The end ---

    def connection_lost(self, exc: Exception | None) -> None:
        self._on(SocketEvent.LOST)  # a close frame that was to be sent has nowhere to go
        self._leave()
        self._lane.state.connections.discard(self)
        self._lane.watch.remove(self)

    def _part(self, payload: bytes) -> None:
        """Answer the peer's close frame, or take it as the answer to ours, and end the connection."""
        # RFC 6455, section 5.5.1: the peer's close frame is answered by one with its code.
        if self._state is _OPEN:
            self._close_frame = frame(CLOSE, payload[:2])
        self._on(SocketEvent.PEER_CLOSE)
        self._leave()
        self._send_close()
        # Section 7.1.1: the server closes the connection first.
        self._transport.close()
        self._expect_within(self._lane.limits.closing)

    def _fail(self, invalid: FrameInvalid) -> None:
        """Close the connection of a peer that broke the protocol, and read no more (section 7.1.7)."""
        log.debug("websocket.invalid %s", invalid)
        self.close(invalid.code, invalid.reason)
        self._on(SocketEvent.INVALID)
        self._leave()

    def _leave(self) -> None:
        """Let the session wait for its next connection, with what was not sent on this one."""
        self._lane.core.detach(self, self._lane.now(), self.take_back())
