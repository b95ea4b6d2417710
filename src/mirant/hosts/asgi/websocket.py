"""One WebSocket of an ASGI server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from mirant.bayeux.messages import Message
from mirant.bus.batch import Batch
from mirant.bus.request import Request
from mirant.hosts.asgi.outflow import AsgiSendQueue, Item, abort, until_first
from mirant.hosts.asgi.scope import Event, Receive, Scope, Send
from mirant.hosts.asgi.shared_frames import SharedFrames, shared_frames
from mirant.hosts.loop import Loop
from mirant.hosts.native.deadlines import Watch
from mirant.hosts.progress import LEAST_TAKEN, PeerProgress
from mirant.hosts.rfc6455.frames import TEXT, frame
from mirant.hosts.turns import PROMPT, STEPS, take_turn
from mirant.transports.websocket import POLICY_VIOLATION, UNSUPPORTED_DATA, Connection

# How long a connection may be without a session, in seconds. A client handshakes within one round trip.
HANDSHAKE_DEADLINE: Final = 10.0

# How long after its last turn a connection may take `STEPS` again without another one, in seconds.
_REST: Final = 0.01


class AsgiConnection(Connection):
    """A connection that is written by awaiting the server's ``send``, or past it where that is safe.

    Frames go past ``send`` only while none waits for it, so that they arrive in the order of their writing.
    """

    __slots__ = (
        "_frames",
        "_lacks_session",
        "_stream",
        "_watch",
        "bucket",
        "deadline",
        "is_busy",
        "outgoing",
    )

    def __init__(self, loop: Loop, request: Request, frames: SharedFrames | None) -> None:
        super().__init__(loop.core, request)
        self._frames = frames
        self._watch: Watch | None = None
        self._stream: PeerProgress | None = None
        self._lacks_session = True  # when we last looked
        self.outgoing = AsgiSendQueue()
        #: Whether a message is processed, which may wait for the application.
        self.is_busy = False
        self.deadline = 0.0
        self.bucket: int | None = None

    def expect_session(self, watch: Watch, now: float) -> None:
        """Let *watch* close the connection when it has been without a session for too long."""
        self._watch = watch
        watch.set(self, now + HANDSHAKE_DEADLINE)

    def overdue(self, now: float) -> None:
        """Close the connection if it has no session, and had none when we last looked."""
        lacked, self._lacks_session = self._lacks_session, self.session is None or self.session.ended
        if lacked and self._lacks_session and not self.is_busy:
            self.refuse(POLICY_VIOLATION, "there was no handshake in time")
        elif self._watch is not None:
            self.expect_session(self._watch, now)

    @property
    def writable(self) -> bool:
        return self.outgoing.empty

    def lasts(self, now: float) -> float:
        frames, outgoing = self._frames, self.outgoing
        waits = not outgoing.empty or (frames is not None and frames.waits() >= LEAST_TAKEN)
        mark = outgoing.taken if frames is None else frames.taken()
        if self._stream is None:
            self._stream = PeerProgress()
        return self._stream.lasts(now, waits=waits and not outgoing.gone, mark=mark)

    def push(self, batches: Sequence[Batch]) -> bool:
        frames = self._frames
        if frames is None or not self.outgoing.empty:
            self.outgoing.put(batches)
            return True
        for at, batch in enumerate(batches):
            wire = batch.wire
            if wire is None:  # the same bytes as the native host's: one bus may be behind both
                wire = batch.wire = frame(TEXT, batch.payload)
            if not frames.write(wire):
                self.outgoing.put(batches[at:])
                break
        return True

    def say(self, text: bytes) -> None:
        frames = self._frames
        if frames is None or not self.outgoing.empty or not frames.write(frame(TEXT, text)):
            self.outgoing.put([text])

    def take_back(self) -> list[Batch]:
        return self.outgoing.take_back()

    def close(self, code: int, reason: str) -> None:
        self.outgoing.close(code, reason)


async def serve_websocket(
    loop: Loop, watch: Watch, request: Request, scope: Scope, receive: Receive, send: Send
) -> None:
    """Accept the WebSocket of *scope* and run it until either side closes it. *watch* has its deadline."""
    await receive()  # websocket.connect
    offered = scope.get("subprotocols") or [None]
    # A browser that asks for a subprotocol aborts unless one is chosen; Bayeux has none of its own.
    await send({"type": "websocket.accept", "subprotocol": offered[0]})
    connection = AsgiConnection(loop, request, shared_frames(send))
    connection.expect_session(watch, loop.now())
    loop.links.add(connection)
    try:
        await until_first(
            _read(loop, connection, receive), _write(connection, send), connection.outgoing.overdue()
        )
    except OSError:
        pass  # the peer went away while we sent: ASGI servers raise one kind of OSError or another
    finally:
        connection.outgoing.end()
        watch.remove(connection)
        loop.links.discard(connection)
        loop.core.detach(connection, loop.now(), connection.take_back())
        if connection.outgoing.is_stuck:
            abort(send)


async def _read(loop: Loop, connection: AsgiConnection, receive: Receive) -> None:
    left, rested = STEPS, loop.now()
    while True:
        event = await receive()
        if event["type"] != "websocket.receive":
            return None
        now = loop.now()
        if now - rested >= _REST:
            left, rested = STEPS, now
        # A server that has several messages gives them without a pause: nobody else would have a turn.
        if left <= 0 or len(event.get("text") or "") > PROMPT:
            await take_turn(loop.turns)
            left, rested = STEPS, loop.now()
        messages = _messages_in(event, connection)
        if messages is None:
            return await until_closed()
        left -= len(messages)
        connection.is_busy = True
        await loop.run(loop.core.receive(messages, connection, loop.now()))
        connection.is_busy = False
        await connection.outgoing.drained()


def _messages_in(event: Event, connection: AsgiConnection) -> list[Message] | None:
    """Return the messages in *event*; None if nothing more is read, because the connection closes."""
    text = event.get("text")
    if connection.outgoing.closing is not None:
        return None  # the peer says it again on its next connection
    if text is None:
        connection.refuse(UNSUPPORTED_DATA, "Bayeux messages travel in text frames")
        return None
    return connection.read(text.encode())


async def until_closed() -> None:
    """Wait until the close has been sent, which cancels this."""
    await asyncio.Event().wait()


async def _write(connection: AsgiConnection, send: Send) -> None:
    async def send_text(item: Item) -> None:
        await send({"type": "websocket.send", "text": _text_of(item)})

    await connection.outgoing.run(send_text, lambda: connection.core.resume(connection))
    if connection.outgoing.closing is not None:
        code, reason = connection.outgoing.closing
        await send({"type": "websocket.close", "code": code, "reason": reason})


def _text_of(item: Item) -> str:
    # Not kept in `Batch.wire`, which is a whole frame.
    return (item if isinstance(item, bytes) else item.payload).decode()
