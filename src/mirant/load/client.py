"""A client of the load: `mirant.client.protocol` over one of two transports.

The protocol sees what concerns the session. Deliveries and replies to publishes, which are nearly all of the
traffic, do not pass through it: `intake` reads the deliveries, and the replies only need to be counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from mirant.bayeux.client_messages import ServerMessage
from mirant.client.events import (
    ClientEvent,
    RequestRefused,
    SessionOpened,
    StateChanged,
    TransportUnwanted,
    TransportWanted,
)
from mirant.client.protocol import ClientProtocol
from mirant.client.states import ACTIVE, ClientState
from mirant.load.contracts import ClientTransport, Outside, Timer, Timers
from mirant.load.messages import PUBLISH_ID
from mirant.load.target import Target


class Readiness(Enum):
    """Whether a client of the load can publish."""

    IDLE = "idle"
    COMING = "coming"  # handshakes, connects, subscribes
    READY = "ready"
    GONE = "gone"  # the server does not want it, or it has left


class LoadClient:
    """One client of the load. Its maker sets `transport` right after it is made."""

    transport: ClientTransport

    def __init__(
        self, number: int, channels: Sequence[str], target: Target, outside: Outside, loop: Timers
    ) -> None:
        self.number = number
        self.readiness = Readiness.IDLE
        self._channels = channels
        self._asks_ack = target.ack
        self._outside = outside
        self._loop = loop
        self._protocol = ClientProtocol(target.transport, target.client_options)
        self._beat = self._protocol.beat
        self._timer: Timer | None = None
        self._timer_at: float | None = None

    @property
    def client_id(self) -> str | None:
        """The session; None while there is none."""
        return self._protocol.client_id

    # --- what the worker does with it ---

    def start(self) -> None:
        """Come, for the first time or again."""
        if self.readiness in (Readiness.IDLE, Readiness.GONE):
            now = self._loop.time()
            self.readiness = Readiness.COMING
            for channel in self._channels:
                self._protocol.subscribe(channel, now)
            self._protocol.handshake(now)
            self._settle()

    def publish(self, batch: Sequence[bytes]) -> bool:
        """Send publishes, made for our `client_id`; return whether that was possible."""
        if self.readiness is not Readiness.READY or not self.transport.is_open:
            return False
        self.transport.send(batch)
        return True

    def check(self, now: float) -> None:
        """Give up on a reply that is overdue at *now*, in the loop's time."""
        deadline = self._protocol.next_deadline()
        if deadline is not None and deadline <= now:
            self._protocol.advance(now)
            self._settle()

    def leave(self) -> None:
        """Disconnect. The reply closes the transport."""
        self.readiness = Readiness.GONE
        self._protocol.disconnect(self._loop.time())
        self._settle()

    # --- what the transport tells ---

    def opened(self) -> None:
        """The transport can send."""
        self._protocol.opened(self._loop.time())
        self._settle()

    def lost(self, reason: str) -> None:
        """The connection or a request has failed; come back after a while."""
        if self._protocol.state in ACTIVE:
            self._outside.failures[reason] += 1
        self._protocol.lost(reason, self._loop.time())
        self._settle()

    def handle(self, message: ServerMessage) -> None:
        """Act on a message that is not a delivery."""
        now = self._loop.time()
        connect = self._beat(message, now)
        if connect is not None:
            self.transport.send_connect(connect)
        elif message.id is not None and message.id.startswith(PUBLISH_ID):
            refused = None if message.successful else message.error or "refused without a reason"
            self._outside.replied(message.id, refused)
        else:
            self._protocol.handle(message, now)
            self._settle()

    # --- what the protocol wants ---

    def _settle(self) -> None:
        """Do what the protocol wants done."""
        if events := self._protocol.events():
            self._count_failures(events)
            for event in events:
                if isinstance(event, TransportWanted):
                    self.transport.open()
                elif isinstance(event, TransportUnwanted):
                    self.transport.close()
            self._update()
        for envelope in self._protocol.to_send():
            if envelope.is_connect:
                self.transport.send_connect(envelope.messages[0])
            else:
                self.transport.send(envelope.messages)
        if self._protocol.retry_at != self._timer_at:
            self._set_timer(self._protocol.retry_at)

    def _count_failures(self, events: Sequence[ClientEvent]) -> None:
        """Count each failure once. A client that leaves has none."""
        if self.readiness is Readiness.GONE:
            return
        failures, was_refused = self._outside.failures, False
        for event in events:
            match event:
                case RequestRefused(request, error):
                    was_refused = True
                    failures[f"{request.channel.rpartition('/')[2]} refused: {error}"] += 1
                case TransportUnwanted(reason) if self._protocol.state in ACTIVE:
                    failures[reason] += 1
                case StateChanged(after=ClientState.DISCONNECTED, reason=reason) if not was_refused:
                    failures[reason] += 1
                case SessionOpened(is_acknowledging=False) if self._asks_ack:
                    failures["the server did not agree to the ack extension"] += 1

    def _update(self) -> None:
        state = self._protocol.state
        if state not in ACTIVE:
            self.readiness = Readiness.GONE
        elif state is ClientState.CONNECTED and self._has_everything():
            self.readiness = Readiness.READY
        else:
            self.readiness = Readiness.COMING

    def _has_everything(self) -> bool:
        return self._protocol.subscriptions.granted.issuperset(self._channels)

    def _set_timer(self, at: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = None if at is None else self._loop.call_later(at - self._loop.time(), self._advance)

    def _advance(self) -> None:
        self._timer = self._timer_at = None
        self._protocol.advance(self._loop.time())
        self._settle()
