"""The life of one HTTP connection: its state, the time that its client has, and its end.

Tests: `tests/hosts/native/test_connection.py`.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod

from mirant.hosts.native.connection_states import AFTER, DISCARDS, HttpEvent, HttpState
from mirant.hosts.native.deadlines import LEAST_SENT
from mirant.hosts.native.inflow import Inflow
from mirant.hosts.native.lane import Lane
from mirant.hosts.progress import LEAST_TAKEN, unsent
from mirant.hosts.turns import PROMPT
from mirant.transports.response import Response, refuse


class ConnectionLife(asyncio.Protocol):
    """An HTTP connection without its answers, which a subclass gives."""

    __slots__ = (
        "_had",
        "_inflow",
        "_lane",
        "_patience",
        "_queued",
        "_server_ends",
        "_since",
        "_state",
        "_transport",
        "_unsent",
        "_write_paused",
        "bucket",
        "deadline",
    )

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._inflow = Inflow()
        self._transport: asyncio.Transport = None  # type: ignore[assignment]  # there is one all its life
        self._state = HttpState.IN_STEP
        self._queued = False  # whether it waits for its turn, because it has more to say than others
        self._write_paused = False  # whether the client does not read our answers
        self._server_ends = False
        self._patience: float | None = lane.limits.head  # seconds for the rest of a request, if one has begun
        self._since = lane.now()
        self._had = 0  # bytes of an unfinished body that had come when we last looked
        self._unsent = 0  # bytes that waited for the client to take them when we last looked
        self.deadline = 0.0
        self.bucket: int | None = None

    def _on(self, event: HttpEvent) -> None:
        self._state = AFTER.get((self._state, event), self._state)

    @property
    def _only_sends(self) -> bool:
        """Whether all that matters is that the client takes what was sent to it."""
        return self._state in DISCARDS or self._write_paused or self._transport.is_closing()

    @property
    def _is_read_by_client(self) -> bool:
        """Whether the client takes what is written."""
        return not (self._write_paused or self._transport.is_closing())

    # --- Time ---

    @property
    @abstractmethod
    def _is_ours_to_act(self) -> bool:
        """Whether the client waits for an answer whose request it has sent whole."""

    @property
    @abstractmethod
    def _is_with_app(self) -> bool:
        """Whether the application answers the request whose turn it is."""

    def overdue(self, now: float) -> None:
        """End the connection if the client takes too long."""
        limits = self._lane.limits
        due = self._since + (limits.idle if self._patience is None else self._patience)
        if self._only_sends:
            self._check_output()
        elif self._is_ours_to_act or not self._transport.is_reading():
            self._lane.watch.set(self, now + limits.idle)
        elif due > now:
            self._lane.watch.set(self, due)
        elif self._inflow.waiting - self._had >= LEAST_SENT:
            self._had, self._since = self._inflow.waiting, now
            self._lane.watch.set(self, now + limits.body)
        elif self._inflow.unfinished and not self._is_with_app:
            self._end_with(refuse(408, "The request did not come in time."))
        else:
            self._part()

    def _expect_rest(self, *, again: bool) -> None:
        """Give the rest of a request its time: from its first byte on, or *again* from now on."""
        limits = self._lane.limits
        patience = limits.head if self._inflow.in_head else limits.body
        if again or patience != self._patience:
            self._patience, self._had = patience, 0
            self._since = self._lane.now()
            self._lane.watch.set(self, self._since + patience)

    def _watch_output(self) -> None:
        """Look, after a while, whether the client takes what is being sent to it."""
        limits = self._lane.limits
        self._unsent = unsent(self._transport)
        waits = self._transport.get_write_buffer_size() > 0
        patience = limits.leaving if self._server_ends else limits.body if waits else limits.closing
        self._lane.watch.set(self, self._lane.now() + patience)

    def _check_output(self) -> None:
        """Drop the connection unless the client has taken something of what is being sent to it."""
        # uvicorn closes connections too
        is_first_look = self._transport.get_write_buffer_size() > 0 and not self._unsent
        taken = self._unsent - unsent(self._transport)
        if self._server_ends or not (is_first_look or taken >= LEAST_TAKEN):
            self._transport.abort()
        else:
            self._watch_output()

    # --- Reading from the socket ---

    @abstractmethod
    def _app_reads(self) -> bool:
        """Whether the application has not paused the reading of a body."""

    def _pause_reading(self, *, when: bool) -> None:
        """Read nothing from the socket *when* enough is unread, and read on when it is not."""
        if when != self._inflow.read_paused:
            self._inflow.read_paused = when
            if when:
                self._transport.pause_reading()
            elif self._app_reads():
                self._transport.resume_reading()

    @abstractmethod
    def take_turn(self) -> bool:
        """Go on with what had to wait; return whether there was anything."""

    def _queue(self) -> None:
        """Go on when its turn comes."""
        if not self._queued:
            self._queued = True
            self._lane.turns.add(self)

    def _discard(self, data: bytes) -> None:
        """Ignore *data*. To read it takes time too, so a client that sends much waits for its turns."""
        if self._queued:
            self._pause_reading(when=True)
        elif len(data) > PROMPT:
            self._queue()

    # --- The end ---

    def _end_with(self, response: Response) -> None:
        """Send *response*, which says why the connection ends, and end it."""
        self._transport.write(self._lane.encode(response, (), close=True))
        self._end()

    def _end(self) -> None:
        """End the connection so that the client can read what was answered last."""
        if not (self._state in DISCARDS or self._inflow.has_unread or self._inflow.unfinished):
            self._part()
            return
        self._on(HttpEvent.LINGER)
        # The client may still be sending: if we closed at once, the kernel would answer that with a reset,
        # which destroys what the client has not read yet (RFC 9112, section 9.6).
        self._inflow.drop()
        if self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()
        self._pause_reading(when=False)
        self._watch_output()

    def _part(self) -> None:
        """Close the connection as soon as the client has taken what was sent, or takes no more of it."""
        self._on(HttpEvent.CLOSE)
        self._transport.close()
        self._watch_output()
