"""One HTTP connection of the native host: its requests, and what answers each of them in its turn."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

from mirant.bus.request import Request
from mirant.hosts.native.application import AppAnswer
from mirant.hosts.native.connection_life import ConnectionLife
from mirant.hosts.native.connection_states import DISCARDS, HttpEvent, HttpState
from mirant.hosts.native.exchange import Answering, BusAnswer, KnownAnswer, head_to_know
from mirant.hosts.native.headers import PackedHeaders
from mirant.hosts.native.lane import Lane
from mirant.hosts.native.requests import HttpRequest, RequestInvalid
from mirant.hosts.native.websocket import NativeWebSocket
from mirant.hosts.progress import LARGE, Download
from mirant.hosts.rfc6455.handshake import accept_headers
from mirant.hosts.turns import BYTES_PER_STEP, PROMPT, STEPS
from mirant.transports.response import refuse

# Longest line of a head that uvicorn's WebSockets take. A longer one they never answer.
_MAX_UPGRADE_LINE: Final = 8 * 1024

_STEPS_OF_REQUEST: Final = 4  # what a request takes of `STEPS`: its head is judged, its answer has one too
_IN_STEP: Final = HttpState.IN_STEP  # a member of an enumeration takes 0.1 µs to find


class HttpConnection(ConnectionLife):
    """The protocol of one connection, as uvicorn's server and the event loop see it."""

    __slots__ = ("_answering", "_app", "_known", "_left", "_websocket")

    def __init__(self, lane: Lane, websocket: type[NativeWebSocket]) -> None:
        super().__init__(lane)
        self._websocket = websocket  # what it becomes when it is upgraded
        self._answering: Answering | None = None
        self._app: AppAnswer | None = None
        self._left = STEPS  # steps until others have their turn
        self._known: KnownAnswer | None = None  # answers requests with the same head as the last one

    # --- What uvicorn's server and the event loop call ---

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # it is one
        self._transport = transport
        connections = self._lane.state.connections
        if len(connections) >= self._lane.limits.connections:
            self._end_with(refuse(503, "The server has as many connections as it takes."))
            return
        connections.add(self)  # type: ignore[arg-type]  # all it needs is `shutdown`
        self._lane.watch.set(self, self._since + self._lane.limits.head)

    def data_received(self, data: bytes) -> None:
        known = self._known
        if (
            self._state is _IN_STEP
            and known is not None
            and self._answering is None
            and not self._write_paused
            and len(data) == known.size
            and known.gate is self._lane.loop.gate
            and data.startswith(known.head)
        ):
            self._answering = known
            known.serve(data)
            return
        if self._state in DISCARDS:
            self._discard(data)
            return
        self._on(HttpEvent.DATA)
        self._inflow.add(data)
        turns, size = self._lane.turns, len(data)
        if self._queued or size > turns.prompt or self._inflow.waiting > PROMPT:
            self._pause_reading(when=True)
            self._queue()
        else:
            self._left = steps = turns.steps
            self._read_on()
            turns.spend(steps - self._left + size // BYTES_PER_STEP)

    def eof_received(self) -> bool:
        """Keep the connection for an answer that is due soon.

        A client that ends its side while its poll is held has gone: nobody would read the answer.
        """
        if self._answering is not None:
            waits = not self._answering.is_held
            if waits:
                self._answering.half_close()
            else:
                self._answering.hang_up()  # now: what this turn still publishes waits for another poll
        else:
            waits = self._inflow.has_more
        # Over TLS a connection cannot be half closed.
        if waits and not self._inflow.unfinished and self._transport.can_write_eof():
            self._on(HttpEvent.END_OF_INPUT)
            return True
        self._on(HttpEvent.CLOSE)  # which the transport does when we return
        self._watch_output()  # the client may not have taken all that was sent
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answering is not None:
            self._answering.hang_up()
            self._answering = None
        if self._app is not None:
            self._app.connection_lost(exc)
            self._app = None
        self._inflow.arrived.clear()
        self._on(HttpEvent.LOST)
        self._forget()

    def pause_writing(self) -> None:
        self._write_paused = True
        self._watch_output()
        if self._app is not None:
            self._app.pause_writing()

    def resume_writing(self) -> None:
        self._write_paused = False
        if self._app is not None:
            self._app.resume_writing()
        if not self._queued:
            self._lane.event_loop.call_soon(self._go_on)

    def shutdown(self) -> None:
        """End the connection, after what is being answered: uvicorn calls this when the server ends."""
        self._server_ends = True
        self._on(HttpEvent.SHUTDOWN)
        answering = self._answering
        if self._only_sends:
            self._watch_output()
        elif answering is not None and answering.reads:
            answering.hang_up()  # the rest of it may never come
            self._part()
        elif answering is self._app is not None:
            self._app.shutdown()
        elif answering is None and not self._inflow.arrived:
            self._part()

    # --- What the client waits for, or is waited for ---

    @property
    def _is_ours_to_act(self) -> bool:
        return self._answering is not None and not self._answering.reads

    @property
    def _is_with_app(self) -> bool:
        return self._answering is not None and self._answering is self._app

    def _app_reads(self) -> bool:
        return self._app is None or not self._app.flow.read_paused

    # --- Requests in ---

    def take_turn(self) -> bool:
        """Go on with what had to wait; return whether there was anything."""
        self._go_on()
        discards = self._state in DISCARDS and not self._inflow.arrived
        self._queued = self._left < STEPS and not discards
        return self._queued

    def _go_on(self) -> None:
        """Go on with what had to wait."""
        self._left = STEPS
        self._advance()
        self._read_on()

    def _read_on(self) -> None:
        """Read what has come and have it answered, until something has to wait."""
        inflow = self._inflow
        while self._left > 0 and inflow.wants_reading and self._state not in DISCARDS:
            self._left -= inflow.read(alone=self._answering is None and not self._write_paused)
            if inflow.invalid is not None:
                self._on(HttpEvent.INVALID)
            self._advance()
        if self._left <= 0:
            self._queue()
        self._pause_reading(when=inflow.has_unread and inflow.invalid is None and self._state not in DISCARDS)
        if inflow.unfinished:
            app = self._app
            self._expect_rest(again=self._answering is app is not None and not app.has_responded)
        else:
            self._patience = None

    def _advance(self) -> None:
        """Go on with the request that is being answered, or with those after it."""
        arrived, invalid = self._inflow.arrived, self._inflow.invalid
        if self._answering is not None:
            self._answering.proceed()
        while arrived and self._left > 0 and self._answering is None and self._is_read_by_client:
            self._left -= _STEPS_OF_REQUEST
            self._begin(arrived.popleft())
        if invalid is not None and not arrived:
            if self._answering is None:
                self._end_with(refuse(invalid.status, invalid.sentence))
            elif self._answering.reads:
                self._give_up(invalid)

    def _begin(self, incoming: HttpRequest) -> None:
        lane = self._lane
        found = lane.destination(incoming, self._transport)
        if found is None:
            self._pass_on(incoming)
            return
        transport, request = found
        if transport == "websocket":
            self._upgrade(incoming, request)
            return
        fed = self._inflow.take_fed()
        head = head_to_know(fed, incoming)
        answer = BusAnswer(
            lane, incoming, request, transport, write=self._transport.write, answered=self._answered
        )
        self._answering = answer
        if self._state is HttpState.HALF_CLOSED:
            answer.half_close()
        if answer.begin() and head is not None:
            self._known = KnownAnswer(lane, head, len(fed), request, self._answered)

    def _pass_on(self, incoming: HttpRequest) -> None:
        """Let the application answer *incoming*."""
        if incoming.upgrades and incoming.longest_line > _MAX_UPGRADE_LINE:
            self._end_with(refuse(431, f"A line of the head is longer than {_MAX_UPGRADE_LINE} bytes."))
            return
        if self._app is None:
            self._app = AppAnswer(
                self._lane,
                self._transport,
                is_read_paused=lambda: self._inflow.read_paused,
                answered=self._turn_over,
                left=self._switch,
            )
        self._answering = self._app
        self._app.begin(incoming)

    def _upgrade(self, incoming: HttpRequest, request: Request) -> None:
        """Become a WebSocket, which takes over the transport."""
        self._transport.write(self._lane.upgraded(accept_headers(request.headers)))
        kept = replace(request, headers=PackedHeaders(incoming.headers, request.headers))
        websocket = self._websocket(self._lane, kept, self._transport)
        self._pause_reading(when=False)
        self._switch()
        websocket.begin(incoming.rest + self._inflow.unread)

    # --- Answers out ---

    def _answered(self, response: bytes, *, last: bool) -> bool:
        """Send *response*, and end the connection after the *last*; return whether the client is there."""
        if self._transport.is_closing():
            return False  # `connection_lost` forgets the request
        self._transport.write(response)
        if len(response) >= LARGE and isinstance(self._answering, BusAnswer | KnownAnswer):
            download = Download(len(response), self._lane.now(), self._transport)
            self._lane.core.watch(self._answering.session, download)
        if self._state is _IN_STEP and not last:
            self._count()
        else:
            self._turn_over(last=last)
        return True

    def _turn_over(self, *, last: bool = False) -> None:
        """Go on with the next request after an answer."""
        self._count()
        more = self._inflow.has_more
        if last or self._server_ends or (self._state is HttpState.HALF_CLOSED and not more):
            self._end()
        elif more:
            self._queue()  # who does not wait for answers waits for its turn
        elif self._inflow.unfinished:
            self._expect_rest(again=True)  # its turn has come only now
        else:
            self._on(HttpEvent.ALL_ANSWERED)

    def _count(self) -> None:
        """Count an answered request."""
        self._answering = None
        self._lane.state.total_requests += 1
        self._since = self._lane.now()

    def _give_up(self, invalid: RequestInvalid) -> None:
        """End the connection: the rest of the request that is being answered is not HTTP."""
        if self._answering is not self._app and self._answering is not None:
            self._answering.hang_up()
            self._answering = None
            self._end_with(refuse(invalid.status, invalid.sentence))
        else:
            self._part()

    def _switch(self) -> None:
        self._on(HttpEvent.UPGRADE)
        self._forget()

    def _forget(self) -> None:
        """Let the server forget this object: the connection is gone, or another object has it."""
        self._known = None  # it refers to this object, and only the garbage collector would free the two
        self._inflow.close()
        self._lane.watch.remove(self)
        self._lane.state.connections.discard(self)
