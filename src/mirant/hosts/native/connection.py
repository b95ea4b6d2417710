"""One connection of the native host: its requests, and who answers each of them in its turn."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

from mirant.bus.request import Request
from mirant.hosts.native.application import AppAnswer
from mirant.hosts.native.exchange import Answering, BusAnswer, KnownAnswer, head_to_know
from mirant.hosts.native.headers import PackedHeaders
from mirant.hosts.native.inflow import Inflow
from mirant.hosts.native.lane import Lane
from mirant.hosts.native.requests import Incoming, RequestInvalid
from mirant.hosts.native.websocket import NativeConnection
from mirant.hosts.rfc6455.handshake import accept_headers
from mirant.transports.response import Response, refuse

# Longest line of a head that uvicorn's WebSockets take; of a longer one they never say that it is too long.
_MAX_UPGRADE_LINE: Final = 8 * 1024

# How much a client has to take, each time its output is looked at, for the connection to be kept.
_LEAST_TAKEN: Final = 4 * 1024


class NativeProtocol(asyncio.Protocol):
    """One connection that speaks HTTP: its requests, one answered after the other."""

    __slots__ = (
        "_answering",
        "_app",
        "_connection",
        "_deaf",
        "_half_closed",
        "_inflow",
        "_known",
        "_lane",
        "_leaving",
        "_patience",
        "_paused",
        "_quiet",
        "_since",
        "_transport",
        "_unsent",
        "bucket",
        "deadline",
    )

    def __init__(self, lane: Lane, connection: type[NativeConnection]) -> None:
        self._lane = lane
        self._connection = connection  # what it becomes when it is upgraded
        self._inflow = Inflow()
        self._transport: asyncio.Transport = None  # type: ignore[assignment]  # there is one all its life
        self._answering: Answering | None = None
        self._app: AppAnswer | None = None
        self._known: KnownAnswer | None = None  # for requests like the last, if that can be recognised
        # Whether nothing has come beside the request that is being answered, or is awaited. One attribute
        # instead of seven in two objects; `mirant.bus.plain_poll` says why that counts.
        self._quiet = False
        self._deaf = False  # whether what comes does not matter any more
        self._half_closed = False  # whether the client has said that it sends no more
        self._leaving = False  # whether the server ends
        self._paused = False  # whether the client does not read our answers
        self._patience: float | None = lane.limits.head  # for the rest of a request; None if there is none
        self._since = lane.now()
        self._unsent = 0  # bytes that waited for the client to take them when we last looked
        self.deadline = 0.0
        self.bucket: int | None = None

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
            self._quiet
            and known is not None
            and self._answering is None
            and not self._paused
            and len(data) == known.size
            and known.gate is self._lane.loop.gate
            and data.startswith(known.head)
        ):
            self._answering = known
            known.serve(data)
            return
        if self._deaf:
            return
        self._quiet = False
        self._inflow.add(data)
        self._read_on()

    def eof_received(self) -> bool:
        """Keep the connection for what is being answered, unless that may take long: then nobody is there."""
        self._quiet = False
        if self._answering is not None:
            waits = not self._answering.is_held
            if waits:
                self._answering.spare()
            else:
                self._answering.hang_up()  # at once: what this turn of the event loop publishes is not for it
        else:
            waits = self._inflow.has_more
        self._half_closed = (
            waits
            and not self._inflow.unfinished
            and self._transport.can_write_eof()  # over TLS there is no half of a connection
        )
        if not self._half_closed:
            self._watch_output()  # of what was said the client may not have taken all
        return self._half_closed

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answering is not None:
            self._answering.hang_up()
            self._answering = None
        if self._app is not None:
            self._app.connection_lost(exc)
            self._app = None
        self._inflow.arrived.clear()
        self._deaf, self._quiet = True, False
        self._forget()

    def pause_writing(self) -> None:
        self._paused = True
        self._watch_output()
        if self._app is not None:
            self._app.pause_writing()

    def resume_writing(self) -> None:
        self._paused = False
        if self._app is not None:
            self._app.resume_writing()
        self._lane.event_loop.call_soon(self._go_on)

    def shutdown(self) -> None:
        """End the connection, after what is being answered: uvicorn calls this when the server ends."""
        self._leaving, self._quiet = True, False
        answering = self._answering
        if self._deaf or self._paused or self._transport.is_closing():
            self._watch_output()
        elif answering is not None and answering.reads:
            answering.hang_up()  # the rest of it may never come
            self._part()
        elif answering is self._app is not None:
            self._app.shutdown()
        elif answering is None and not self._inflow.arrived:
            self._part()

    def overdue(self, now: float) -> None:
        """End the connection if the client takes too long."""
        limits = self._lane.limits
        due = self._since + (limits.idle if self._patience is None else self._patience)
        if self._deaf or self._paused or self._transport.is_closing():
            self._check_output()
        elif (self._answering is not None and not self._answering.reads) or not self._transport.is_reading():
            self._lane.watch.set(self, now + limits.idle)  # it is ours to act
        elif due > now:
            self._lane.watch.set(self, due)
        elif self._inflow.unfinished and (self._answering is None or self._answering is not self._app):
            self._end_with(refuse(408, "The request did not come in time."))
        else:
            self._part()

    def _watch_output(self) -> None:
        """Have a look, after a while, whether the client takes what is being sent to it."""
        limits = self._lane.limits
        self._unsent = self._transport.get_write_buffer_size()
        patience = limits.leaving if self._leaving else limits.body if self._unsent else limits.closing
        self._lane.watch.set(self, self._lane.now() + patience)

    def _check_output(self) -> None:
        """Drop the connection unless the client has taken something of what is being sent to it."""
        unsent = self._transport.get_write_buffer_size()
        is_first_look = unsent > 0 and not self._unsent  # uvicorn closes connections too
        if self._leaving or not (is_first_look or self._unsent - unsent >= _LEAST_TAKEN):
            self._transport.abort()
        else:
            self._watch_output()

    # --- Requests in ---

    def _go_on(self) -> None:
        """Go on where there was reason to wait."""
        self._advance()
        self._read_on()

    def _read_on(self) -> None:
        """Read what has come, and have it answered, as far as that goes."""
        inflow = self._inflow
        while inflow.wants_reading and not self._deaf:
            if not inflow.read(alone=self._answering is None and not self._paused):
                self._deaf = True
            self._advance()
        self._hold(enough=bool(inflow.unread) and not self._deaf)
        if inflow.unfinished:
            self._expect_rest()
        else:
            self._patience = None

    def _hold(self, *, enough: bool) -> None:
        """Stop reading from the socket when there is *enough*, and go on when there is not."""
        if enough != self._inflow.holding:
            self._inflow.holding = enough
            if enough:
                self._transport.pause_reading()
            elif self._app is None or not self._app.flow.read_paused:
                self._transport.resume_reading()

    def _holds(self) -> bool:
        return self._inflow.holding

    def _expect_rest(self) -> None:
        """Give the rest of a request its time: of a head or a body of ours all in all, else between reads."""
        limits = self._lane.limits
        patience = limits.head if self._inflow.in_head else limits.body
        app = self._app
        if patience != self._patience or (self._answering is app is not None and not app.has_responded):
            self._patience = patience
            self._since = self._lane.now()
            self._lane.watch.set(self, self._since + patience)

    def _advance(self) -> None:
        """Go on with the request that is being answered, or with those after it."""
        arrived, invalid = self._inflow.arrived, self._inflow.invalid
        if self._answering is not None:
            self._answering.proceed()
        while arrived and self._answering is None and not (self._paused or self._transport.is_closing()):
            self._begin(arrived.popleft())
        if invalid is not None and not arrived:
            if self._answering is None:
                self._end_with(refuse(invalid.status, invalid.sentence))
            elif self._answering.reads:
                self._give_up(invalid)

    def _begin(self, incoming: Incoming) -> None:
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
        if self._half_closed:
            answer.spare()
        if answer.begin() and head is not None:
            self._known = KnownAnswer(lane, head, len(fed), request, self._answered)

    def _pass_on(self, incoming: Incoming) -> None:
        """Let the application answer *incoming*."""
        if incoming.upgrades and incoming.longest_line > _MAX_UPGRADE_LINE:
            self._end_with(refuse(431, f"A line of the head is longer than {_MAX_UPGRADE_LINE} bytes."))
            return
        if self._app is None:
            self._app = AppAnswer(
                self._lane,
                self._transport,
                holds=self._holds,
                answered=self._turn_over,
                left=self._forget,
            )
        self._answering = self._app
        self._app.begin(incoming)

    def _upgrade(self, incoming: Incoming, request: Request) -> None:
        """Become a WebSocket; this object is of no use then."""
        self._transport.write(self._lane.upgraded(accept_headers(request.headers)))
        kept = replace(request, headers=PackedHeaders(incoming.headers))
        connection = self._connection(self._lane, kept, self._transport)
        self._forget()
        connection.begin(incoming.rest + self._inflow.unread)

    # --- Answers out ---

    def _answered(self, response: bytes, *, last: bool) -> bool:
        """Send *response*, if the client is still there, and say so; with *last* the connection ends then."""
        if self._transport.is_closing():
            return False  # what became of that request we are told by `connection_lost`
        self._transport.write(response)
        if self._quiet and not last:
            self._count()
        else:
            self._turn_over(last=last)
        return True

    def _turn_over(self, *, last: bool = False) -> None:
        """Go on with the next request, now that one has been answered."""
        self._count()
        more = self._inflow.has_more
        if last or self._leaving or (self._half_closed and not more):
            self._end()
        elif more:
            self._lane.event_loop.call_soon(self._go_on)
        elif self._inflow.unfinished:
            self._patience = None  # its turn has come only now
            self._expect_rest()
        else:
            self._quiet = not (self._deaf or self._half_closed)

    def _count(self) -> None:
        """Take note that a request has been answered."""
        self._answering = None
        self._lane.state.total_requests += 1
        self._since = self._lane.now()

    def _end_with(self, response: Response) -> None:
        """Say why this connection ends."""
        self._transport.write(self._lane.encode(response, (), close=True))
        self._end()

    def _end(self) -> None:
        """End the connection so that the client can read what was answered last."""
        if not (self._deaf or self._inflow.unread or self._inflow.unfinished):
            self._part()
            return
        self._deaf, self._quiet = True, False
        # It may still be sending: closed at once, the kernel would answer that with a reset, which destroys
        # what the client has not read yet (RFC 9112, section 9.6).
        self._inflow.drop()
        if self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()
        self._hold(enough=False)
        self._watch_output()

    def _part(self) -> None:
        """Close the connection when the client has taken what is being sent to it, or takes no more."""
        self._deaf, self._quiet = True, False
        self._transport.close()
        self._watch_output()

    def _give_up(self, invalid: RequestInvalid) -> None:
        """End the connection, because the rest of the request that is being answered makes no sense."""
        if self._answering is not self._app and self._answering is not None:
            self._answering.hang_up()
            self._answering = None
            self._end_with(refuse(invalid.status, invalid.sentence))
        else:
            self._part()

    def _forget(self) -> None:
        """Let the server forget this object: the connection is gone, or somebody else's."""
        self._known = None  # it knows us: a circle
        self._inflow.close()
        self._lane.watch.remove(self)
        self._lane.state.connections.discard(self)
