"""Keeps a session: opens it, holds it with connects, brings it back after failures, and ends it.

A client with a session always has one connect under way, or knows when it sends the next (Bayeux 1.0, section
4.2). That connect is heartbeat and poll at once, and its reply alone decides about the session. So there is
one place where a handshake or connect is sent, `_proceed`, and one time at which that happens, `retry_at`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from mirant.bayeux import client_messages
from mirant.bayeux.client_messages import ServerMessage
from mirant.client.advice import CurrentAdvice
from mirant.client.backoff import Backoff
from mirant.client.events import (
    RequestFailed,
    RetryScheduled,
    SessionOpened,
    StateChanged,
)
from mirant.client.link import TransportLink
from mirant.client.options import ClientOptions
from mirant.client.requests import CONNECT, DISCONNECT, HANDSHAKE, SUBSCRIBE, PendingRequest
from mirant.client.session import ClientSession, agreed_batch
from mirant.client.states import ACTIVE, TRANSITIONS, Cause, ClientState
from mirant.client.subscriptions import WantedSubscriptions
from mirant.client.traffic import Traffic

_CONNECTED: Final = ClientState.CONNECTED
NO_TRANSPORT: Final = "405::no_transport"  # the word of CometD's Java client


class SessionKeeper:
    """The life of one client: its state, its session, and what comes next."""

    def __init__(self, connection_type: str, options: ClientOptions, traffic: Traffic) -> None:
        self.connection_type = connection_type
        self.handshake_fields: Mapping[str, object] = options.handshake()
        self.state = ClientState.UNCONNECTED
        self.session: ClientSession | None = None
        self.advice = CurrentAdvice(options.hold)
        self.subscriptions = WantedSubscriptions()
        self.retry_at: float | None = None  # when to send a handshake or connect, or to open the transport
        self._offers = options.connection_types
        self._asks_ack = options.ack
        self._traffic = traffic
        self.link = TransportLink(traffic)
        self._backoff = Backoff(options.backoff_step, options.backoff_limit, options.jitter)
        self._is_backing_off = False  # whether `retry_at` was set by a failure
        self._lost_sessions = 0  # since a connect succeeded
        self._away_since: float | None = None  # when the session was last known to live; None while it does

    @property
    def can_ask(self) -> bool:
        """Whether a request of the application can be sent now."""
        return self.session is not None and self.link.is_open and self.state in ACTIVE

    @property
    def is_steady(self) -> bool:
        """Whether a connect that succeeds is followed by the next at once, and by nothing else."""
        return self.state is _CONNECTED and not (self.advice.interval or self.subscriptions.has_new)

    # --- what the application asks for ---

    def begin(self, now: float) -> None:
        """Ask for a session. Only in a state that `TRANSITIONS` allows it in."""
        self._move(Cause.BEGUN, "")
        self._backoff.reset()
        self._lost_sessions = 0
        self._away_since = None
        self._proceed(now)

    def leave(self, now: float) -> None:
        """Say goodbye, if there is somebody to say it to."""
        if self.state is ClientState.DISCONNECTING:
            return
        if self.session is None or not self.link.is_open:
            self._end(Cause.LEFT, "the application ended it")
            return
        self.retry_at = None
        self._move(Cause.LEAVING, "the application ended it")
        write = partial(client_messages.disconnect, client_id=self.session.client_id)
        self._traffic.ask(DISCONNECT, now, write, path="/disconnect")

    def ask_for_new(self, now: float) -> None:
        """Send the subscribes that are wanted and were not sent, if they can be sent."""
        if self.session is None or not self.can_ask:
            return
        subscribe = partial(client_messages.subscribe, client_id=self.session.client_id)
        for pattern in self.subscriptions.take_new():
            write = partial(subscribe, subscription=pattern)
            self._traffic.ask(SUBSCRIBE, now, write, subscription=pattern)

    # --- what the transport and the clock tell ---

    def opened(self, now: float) -> None:
        """Go on: the transport is open."""
        self.link.opened()
        if self.state is ClientState.DISCONNECTED:
            self.link.close("the session is over")
        elif self.state in ACTIVE and self.retry_at is None:
            self._proceed(now)

    def lost(self, reason: str, now: float) -> None:
        """Come back after a while: the transport is closed, or did not open."""
        self.link.lost()
        self._traffic.fail_all(reason)
        self.subscriptions.ask_again()
        if self.state is ClientState.DISCONNECTING:
            self._end(Cause.BROKEN, reason)
        else:
            self._back_off(reason, now)

    def failed(self, request: PendingRequest, reason: str, now: float) -> None:
        """Act on a request to which no reply will come."""
        self._traffic.emit(RequestFailed(request, reason))
        if request.channel in (HANDSHAKE, CONNECT):
            self._back_off(reason, now)
        elif request.channel == DISCONNECT:
            self._end(Cause.LEFT, reason)
        elif request.channel == SUBSCRIBE and request.subscription is not None:
            self.subscriptions.ask_again(request.subscription)

    def overdue(self, request: PendingRequest, now: float) -> None:
        """Act on a request whose reply did not come in time."""
        reason = f"no reply to {request.channel} in time"
        if request.channel in (HANDSHAKE, CONNECT):
            # A connection on which the heartbeat is not answered is dead, whatever TCP says.
            self._traffic.emit(RequestFailed(request, reason))
            self.link.close(reason)
            self.lost(reason, now)
        else:
            self.failed(request, reason, now)

    def retry(self, now: float) -> None:
        """Do what waits for its time, if it has come."""
        if self.retry_at is not None and now >= self.retry_at:
            self._proceed(now)

    # --- replies ---

    def handshake_answered(self, request: PendingRequest, reply: ServerMessage, now: float) -> None:
        """Open the session, or try again later."""
        self.advice.reset()
        if reply.advice is not None:
            self.advice.merge(reply.advice)
        common = reply.supported_connection_types
        if common is not None and not set(common) & set(self._offers):
            self._traffic.refuse(request, reply, NO_TRANSPORT)
            self._end(Cause.SENT_AWAY, "the server has none of our transports")
        elif reply.successful and reply.client_id:
            self._open_session(reply.client_id, reply, now)
        else:
            error = self._traffic.refuse(request, reply)
            if self.advice.reconnect == "none":
                self._end(Cause.SENT_AWAY, error)
            else:
                self._back_off(error, now)

    def connect_answered(self, request: PendingRequest, reply: ServerMessage, now: float) -> None:
        """Send the next connect, now or after the interval, or do what the server advises instead."""
        advice = reply.advice
        if advice is not None:
            self.advice.merge(advice)
        if not reply.successful:
            self._connect_refused(request, reply, now)
            return
        self._traffic.settle(request, reply)
        if self.session is not None:
            self.session.note_batch(reply)
        if self.state is not ClientState.CONNECTED:
            if self.state is not ClientState.CONNECTING:
                return  # it says goodbye
            self._backoff.reset()
            self._lost_sessions = 0
            self._away_since = None
            self._move(Cause.ANSWERED, "")
        if advice is not None and advice.reconnect == "none":
            self._end(Cause.SENT_AWAY, "the server advises not to come back")
        elif advice is not None and advice.reconnect == "handshake":
            self._lose_session("the server advises to handshake", now)
        else:
            self._retry_in(self.advice.interval, now)

    def subscribe_answered(self, request: PendingRequest, reply: ServerMessage) -> None:
        """Note what the server granted or refused."""
        assert request.subscription is not None
        error = self._traffic.settle(request, reply)
        if error is None:
            self.subscriptions.grant(request.subscription)
        elif error.startswith("402"):
            self.subscriptions.ask_again(request.subscription)  # of the session to come
        else:
            self.subscriptions.refuse(request.subscription)

    def disconnect_answered(self, request: PendingRequest, reply: ServerMessage) -> None:
        """End; a server that refuses a goodbye does not know the session."""
        self._traffic.settle(request, reply)
        self._end(Cause.LEFT, "the server has answered the goodbye")

    def dismissed(self) -> None:
        """End: the server has sent a /meta/disconnect of its own."""
        if self.session is not None:
            self._end(Cause.SENT_AWAY, "the server ended the session")

    # --- steps ---

    def _open_session(self, client_id: str, reply: ServerMessage, now: float) -> None:
        acknowledged = agreed_batch(reply) if self._asks_ack else None
        self.session = ClientSession(client_id, self.connection_type, acknowledged)
        self._traffic.emit(SessionOpened(client_id, acknowledged is not None, reply))
        self._move(Cause.ACCEPTED, "")
        self._proceed(now)

    def _connect_refused(self, request: PendingRequest, reply: ServerMessage, now: float) -> None:
        error = self._traffic.refuse(request, reply)
        if self.state not in ACTIVE:
            return
        advised = None if reply.advice is None else reply.advice.reconnect
        if advised is None:  # not every server advises with 402, and only a handshake helps then
            advised = "handshake" if error.startswith("402") else self.advice.reconnect
        if advised == "none":
            self._end(Cause.SENT_AWAY, error)
        elif advised == "handshake":
            self._lose_session(error, now)
        else:
            self._back_off(error, now)

    def _proceed(self, now: float) -> None:
        """Open the transport, handshake or connect: the next of these that is missing."""
        self.retry_at = None
        self._is_backing_off = False
        if not self.link.is_open:
            self.link.want()
        elif self.session is None:
            if not self._traffic.requests.has(HANDSHAKE):
                self._traffic.ask(HANDSHAKE, now, self._write_handshake, path="/handshake")
        else:
            if self.subscriptions.has_new:
                self.ask_for_new(now)
            if self._traffic.requests.connect is None:
                self._connect(self.session, now)

    def _connect(self, session: ClientSession, now: float) -> None:
        # The first connect is answered at once, and says that the session lives.
        is_first = self.state is not ClientState.CONNECTED
        timeout, held = (0, 0.0) if is_first else (None, self.advice.timeout)
        self._traffic.ask(CONNECT, now, partial(session.connect, timeout=timeout), path="/connect", held=held)

    def _write_handshake(self, name: str) -> bytes:
        return client_messages.handshake(name, self._offers, self.handshake_fields)

    def _retry_in(self, delay: float, now: float) -> None:
        if delay > 0:
            self.retry_at = now + delay
        else:
            self._proceed(now)

    def _back_off(self, reason: str, now: float) -> None:
        """Try again later, and later still after each failure in a row."""
        if self.state not in ACTIVE or self._is_backing_off:
            return  # one failure takes both connections of a polling client, and is one failure
        if self._away_since is None:
            self._away_since = now
        self._move(Cause.BROKEN, reason)
        delay = max(self.advice.interval, self._backoff.next())
        if self.session is not None and self.advice.has_expired(now + delay - self._away_since):
            self._drop_session(reason)
        self._is_backing_off, self.retry_at = True, now + delay
        self._traffic.emit(RetryScheduled(reason, self.retry_at))

    def _lose_session(self, reason: str, now: float) -> None:
        """Handshake anew: at once, but not again and again at a server that takes none of its sessions."""
        self._drop_session(reason)
        self._lost_sessions += 1
        delay = self.advice.interval
        self._retry_in(delay if self._lost_sessions == 1 else max(delay, self._backoff.next()), now)

    def _drop_session(self, reason: str) -> None:
        self.session = None
        self._traffic.fail_all(reason)
        self.subscriptions.begin_again()
        self._move(Cause.SESSION_LOST, reason)

    def _end(self, cause: Cause, reason: str) -> None:
        self.session = None
        self.retry_at = None
        self._is_backing_off = False
        self._move(cause, reason)
        self._traffic.fail_all(reason)
        self.subscriptions.begin_again()
        self.link.close(reason)

    def _move(self, cause: Cause, reason: str) -> None:
        before, self.state = self.state, TRANSITIONS[self.state][cause]
        if self.state is not before:
            self._traffic.emit(StateChanged(before, self.state, reason or cause.value))
