"""One event stream of an ASGI server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from mirant.bus.batch import Batch
from mirant.bus.request import Request
from mirant.hosts.asgi.exchange import until_gone
from mirant.hosts.asgi.outflow import AsgiSendQueue, Item, abort, until_first
from mirant.hosts.asgi.scope import Receive, Send
from mirant.hosts.loop import Loop
from mirant.hosts.progress import PeerProgress
from mirant.transports.eventsource import EventStream, event, session_lost, session_of
from mirant.transports.response import Headers, Response

_UNCACHED: Final = (("cache-control", "no-cache, no-store"),)


# How often a comment is sent, in seconds. A proxy that waits 30 for the next byte closes a silent stream, and
# a server that never writes does not learn that its peer is gone.
_BEAT: Final = 15.0

# Stands for a comment, which browsers ignore.
_COMMENT: Final = b""


class AsgiStream(EventStream):
    """A stream that is written by awaiting the server's ``send``."""

    __slots__ = ("_beat", "_stream", "outgoing")

    def __init__(self, loop: Loop, request: Request) -> None:
        super().__init__(loop.core, request)
        self._stream: PeerProgress | None = None
        self.outgoing = AsgiSendQueue()
        self._beat: asyncio.TimerHandle | None = None

    def begin_beat(self) -> None:
        """Send a comment now and then, unless the peer has not read what was sent before."""
        self._beat = asyncio.get_running_loop().call_later(_BEAT, self._send_beat)

    def end_beat(self) -> None:
        """Send no more comments."""
        if self._beat is not None:
            self._beat.cancel()

    def _send_beat(self) -> None:
        if self.outgoing.empty:
            self.outgoing.put([_COMMENT])
        self.begin_beat()

    @property
    def writable(self) -> bool:
        return self.outgoing.empty

    def lasts(self, now: float) -> float:
        if self._stream is None:
            self._stream = PeerProgress()
        waits = not (self.outgoing.empty or self.outgoing.gone)
        return self._stream.lasts(now, waits=waits, mark=self.outgoing.taken)

    def push(self, batches: Sequence[Batch]) -> None:
        self.outgoing.put(batches)

    def take_back(self) -> list[Batch]:
        return self.outgoing.take_back()

    def close(self, code: int, reason: str) -> None:
        self.outgoing.close(code, reason)


async def serve_stream(
    loop: Loop, request: Request, path: str, headers: Headers, receive: Receive, send: Send
) -> Response | None:
    """Stream to the session that *path* names until either side ends it.

    If there is no such session, return the response that says so.
    """
    stream = AsgiStream(loop, request)
    session = session_of(loop.core, path, stream)
    if session is None:
        return Response(200, event(session_lost(loop.core, path, stream)), "text/event-stream", _UNCACHED)
    await send({"type": "http.response.start", "status": 200, "headers": _headers(headers)})
    # Something must come at once, or the browser's "open" waits for the first delivery.
    await send({"type": "http.response.body", "body": b":\n\n", "more_body": True})
    loop.links.add(stream)
    stream.begin_beat()
    if session.ended:  # while the response began
        stream.close(1000, "the session has ended")
    else:
        loop.core.attach(session, stream)
    try:
        await until_first(until_gone(receive), _write(stream, send), stream.outgoing.overdue())
        await send({"type": "http.response.body", "body": b""})
    except OSError:
        pass  # the peer went away while we sent
    finally:
        stream.end_beat()
        stream.outgoing.end()
        loop.links.discard(stream)
        loop.core.detach(stream, loop.now(), stream.take_back())
        if stream.outgoing.is_stuck:
            abort(send)
    return None


async def _write(stream: AsgiStream, send: Send) -> None:
    async def send_event(item: Item) -> None:
        body = event(item.payload) if isinstance(item, Batch) else b":\n\n"  # a comment
        await send({"type": "http.response.body", "body": body, "more_body": True})

    await stream.outgoing.run(send_event, lambda: stream.core.resume(stream))


def _headers(headers: Headers) -> list[tuple[bytes, bytes]]:
    own = (
        ("content-type", "text/event-stream"),
        *_UNCACHED,
        ("x-accel-buffering", "no"),  # nginx would keep events back
    )
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (*own, *headers)]
