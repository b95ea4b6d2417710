"""A session: a Bayeux client of the load, over whichever carrier.

It behaves as CometD's clients do: handshake, subscribe and connect, obey advice, come back after failures
(1 s later for each in a row, up to 10 s), handshake again when its session is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final

from mirant.load import messages
from mirant.load.contracts import Carrier, Outside, Timer, Timers
from mirant.load.messages import Incoming
from mirant.load.target import Target

_BACKOFF: Final = 1.0  # seconds, for each failure in a row
_LONGEST_BACKOFF: Final = 10.0
_NETWORK_DELAY: Final = 10.0  # seconds that a reply may be late: CometD's maxNetworkDelay
_HELD: Final = 30.0  # seconds a connect is held, until a server says otherwise


class State(Enum):
    """Where a session is on its way to be of use."""

    IDLE = "idle"
    COMING = "coming"  # handshakes, connects, subscribes
    READY = "ready"
    GONE = "gone"  # the server does not want it, or it has left


class Session:
    """One client of the load. `carrier` is set right after it is made, by whoever makes it."""

    carrier: Carrier

    def __init__(
        self,
        client: int,
        channels: Sequence[str],
        target: Target,
        outside: Outside,
        loop: Timers,
    ) -> None:
        self.client = client
        self.client_id: str | None = None
        self.state = State.IDLE
        self._channels = channels
        self._target = target
        self._outside = outside
        self._loop = loop
        self._numbers = 0
        self._before = self._after = b""  # what is around the number in a plain connect
        self._acknowledged: int | None = None  # the batch last seen; None without the extension
        self._subscribed: set[str] = set()
        self._connecting = False
        self._connected = False  # whether a connect was answered since the handshake or a failure
        self._failed = 0  # times in a row
        self._interval = 0.0
        self._held = _HELD
        self._deadline: float | None = None  # when the reply we wait for is overdue
        self._timer: Timer | None = None

    # --- what the worker does with it ---

    def start(self) -> None:
        """Come, for the first time or again."""
        self.state = State.COMING
        self.client_id = None
        self.carrier.open()

    def publish(self, batch: Sequence[bytes]) -> bool:
        """Send publishes, made for our `client_id`; return whether that was possible."""
        if self.client_id is None or self.state is not State.READY or not self.carrier.is_open:
            return False
        self.carrier.send(batch)
        return True

    def check(self, now: float) -> None:
        """Give up on a reply that is overdue at *now*, in the loop's time."""
        if self._deadline is not None and now > self._deadline:
            self._deadline = None
            self.carrier.close("no reply to a handshake or connect in time")

    def leave(self) -> None:
        """Disconnect. The reply closes the carrier."""
        if self.client_id is not None and self.carrier.is_open:
            self.carrier.send([messages.disconnect(self._number(), self.client_id)])
        self._retire()

    # --- what the carrier tells ---

    def opened(self) -> None:
        """The carrier can send."""
        if self.state is State.GONE:
            self.carrier.close()
        elif self.client_id is None:
            self._handshake()
        else:
            self._connecting = False
            self._connect()

    def lost(self, reason: str) -> None:
        """The connection or a request has failed; come back after a while."""
        if self.state is State.GONE:
            return
        self._outside.failures[reason] += 1
        self.state = State.COMING
        self._deadline = None
        # The first connect after it is answered at once, and says that we are back.
        self._connecting = self._connected = False
        self._later(self._backoff(), self.carrier.open)

    def handle(self, message: Incoming) -> None:
        """Act on a message that is no delivery."""
        if message.advice is not None:
            self._heed(message)
        match message.channel:
            case "/meta/handshake":
                self._handshaken(message)
            case "/meta/connect":
                self._connected_again(message)
            case "/meta/subscribe":
                self._subscribed_to(message)
            case "/meta/disconnect":
                self._disconnected()
            case _ if message.id is not None and message.id.startswith(messages.PUBLISH_ID):
                refused = None if message.successful else message.error or "refused without a reason"
                self._outside.replied(message.id, refused)

    # --- replies ---

    def _handshaken(self, reply: Incoming) -> None:
        self._deadline = None
        if not reply.successful or reply.client_id is None:
            self._refused("handshake", reply)
            return
        self.client_id = reply.client_id
        self._before, self._after = messages.connect_around_number(self.client_id, self._target.transport)
        self._acknowledged = _agreed_batch(reply) if self._target.ack else None
        if self._target.ack and self._acknowledged is None:
            self._outside.failures["the server did not agree to the ack extension"] += 1
        self._subscribed.clear()
        self._connecting = self._connected = False
        subscribes = [messages.subscribe(self._number(), self.client_id, name) for name in self._channels]
        self.carrier.send(subscribes)
        self._connect()

    def _connected_again(self, reply: Incoming) -> None:
        if reply.id is None:  # not a reply of ours
            return
        self._connecting = False
        self._deadline = None
        if not reply.successful:
            self._refused("connect", reply)
            return
        self._failed = 0
        self._connected = True
        if self._acknowledged is not None and reply.ext is not None:
            batch = reply.ext.get("ack")
            self._acknowledged = batch if isinstance(batch, int) else self._acknowledged
        if self.state is State.GONE:
            return
        self._settle()
        if self._interval:
            self._later(self._interval, self._connect)
        else:
            self._connect()

    def _subscribed_to(self, reply: Incoming) -> None:
        if not reply.successful:
            self._refused("subscribe", reply)
            return
        names = reply.subscription if isinstance(reply.subscription, list) else [reply.subscription or ""]
        self._subscribed.update(names)
        self._settle()

    def _disconnected(self) -> None:
        if self.state is not State.GONE:  # it is no reply: the server ends the session
            self._outside.failures["the server ended a session"] += 1
            self._retire()
        self.carrier.close()

    def _refused(self, what: str, reply: Incoming) -> None:
        if self.state is State.GONE:
            return
        self._outside.failures[f"{what} refused: {reply.error or 'without a reason'}"] += 1
        advice = reply.advice.reconnect if reply.advice is not None else None
        if advice == "none":
            self._retire()
            self.carrier.close()
        elif what == "handshake" or advice == "handshake":
            self._come_anew(self._backoff() if what == "handshake" else self._interval)
        elif what == "connect":
            self._later(max(self._interval, self._backoff()), self._connect)

    def _heed(self, message: Incoming) -> None:
        advice = message.advice
        assert advice is not None
        if advice.interval is not None:
            self._interval = advice.interval / 1_000
        if advice.timeout is not None:
            self._held = advice.timeout / 1_000
        if advice.reconnect == "none" and message.successful and self.state is not State.GONE:
            self._outside.failures["the server told a client not to come back"] += 1
            self._retire()

    # --- steps ---

    def _handshake(self) -> None:
        self._expect_reply(0)
        ext = self._target.handshake_ext
        self.carrier.send([messages.handshake(self._number(), self._target.transport, ext)])

    def _connect(self) -> None:
        if self.client_id is None or self._connecting or not self.carrier.is_open:
            return
        self._connecting = True
        # The first connect is answered at once: so the session is settled before anything happens.
        first = None if self._connected else 0
        self._expect_reply(self._held if self._connected else 0)
        self.carrier.send_connect(self._connect_message(first))

    def _connect_message(self, timeout: int | None) -> bytes:
        """Return the next /meta/connect, to be held for *timeout* milliseconds instead of as advised."""
        number, client_id = self._number(), self.client_id or ""
        if timeout is None and self._acknowledged is None:
            return b"%b%d%b" % (self._before, number, self._after)  # 0.1 µs, where encoding takes 0.3
        return messages.connect(
            number, client_id, self._target.transport, batch=self._acknowledged, timeout=timeout
        )

    def _come_anew(self, delay: float) -> None:
        self.client_id = None
        self.state = State.COMING
        self._later(delay, self._handshake)

    def _settle(self) -> None:
        if self.state is State.COMING and self._connected and len(self._subscribed) == len(self._channels):
            self.state = State.READY

    def _retire(self) -> None:
        self.state = State.GONE
        self.client_id = None
        self._deadline = None
        if self._timer is not None:
            self._timer.cancel()

    def _expect_reply(self, held: float) -> None:
        self._deadline = self._loop.time() + held + _NETWORK_DELAY

    def _backoff(self) -> float:
        self._failed += 1
        return min(self._failed * _BACKOFF, _LONGEST_BACKOFF)

    def _later(self, delay: float, step: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(delay, step)

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers


def _agreed_batch(reply: Incoming) -> int | None:
    """Return the batch to acknowledge first if the server agreed to acknowledge; else None."""
    ack = (reply.ext or {}).get("ack")
    if isinstance(ack, dict):
        batch = ack.get("batch", 0)
        return batch if ack.get("enabled") and isinstance(batch, int) else None
    return 0 if ack is True else None
