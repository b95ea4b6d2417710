"""A client of the load with everything around it simulated: a clock, a transport, somebody to report to."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from mirant.bayeux.client_messages import decode_strictly
from mirant.load.client import LoadClient
from mirant.load.target import Target

Fields = dict[str, Any]
OK: Final = {"successful": True}


class Timer:
    """A call to be made."""

    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at = at
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Forget it."""
        self.call = None


class Timers:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        """Return the time."""
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Timer:
        """Keep a call."""
        self.timers.append(Timer(self.now + delay, callback))
        return self.timers[-1]

    def advance(self, seconds: float) -> None:
        """Make the calls that are due by then."""
        self.now += seconds
        for timer in [timer for timer in self.timers if timer.at <= self.now]:
            self.timers.remove(timer)
            if timer.call is not None:
                timer.call()


class Transport:
    """A transport that keeps what it is given."""

    def __init__(self, client: LoadClient) -> None:
        self.client = client
        self.is_open = False
        self.sent: list[Fields] = []
        self.opened = 0
        #: The last message sent on each channel.
        self.last: dict[str, Fields] = {}

    def open(self) -> None:
        """Open at once."""
        self.opened += 1
        self.is_open = True
        self.client.opened()

    def send(self, batch: Sequence[bytes]) -> None:
        """Keep messages."""
        for text in batch:
            message: Fields = json.loads(text)
            self.sent.append(message)
            name: str = message["subscription"] if "subscription" in message else message.get("channel", "")
            self.last[name] = message

    def send_connect(self, message: bytes) -> None:
        """Keep a connect."""
        self.send([message])

    def close(self, reason: str = "") -> None:
        """Close."""
        self.is_open = False
        if reason:
            self.client.lost(reason)

    def take(self) -> list[Fields]:
        """Return what was sent since the last call."""
        taken, self.sent = self.sent, []
        return taken


class Outside:
    """Keeps what a client reports."""

    def __init__(self) -> None:
        self.failures: Counter[str] = Counter()
        self.replies: list[tuple[str, str | None]] = []

    def replied(self, message_id: str, error: str | None) -> None:
        """Keep the reply."""
        self.replies.append((message_id, error))


class Stage:
    """A client with everything around it."""

    def __init__(self, target: Target | None = None) -> None:
        self.timers, self.outside = Timers(), Outside()
        target = target or Target(url="http://test/")
        self.client = LoadClient(4, ["/r/1", "/r/2"], target, self.outside, self.timers)
        self.transport = Transport(self.client)
        self.client.transport = self.transport

    def tell(self, *messages: Fields) -> list[Fields]:
        """Let the server say *messages*; return what the client sends then."""
        for message in messages:
            self.client.handle(decode_strictly(json.dumps(message).encode()))
        return self.transport.take()

    def answer(self, name: str, **fields: Any) -> list[Fields]:
        """Let the server accept the last message on a channel, or for a subscription, of that name."""
        request = self.transport.last[name]
        echoed: Fields = {
            field: request[field] for field in ("channel", "id", "subscription") if field in request
        }
        return self.tell({**echoed, **OK, **fields})

    def arrive(self, **fields: Any) -> list[Fields]:
        """Start and shake hands; return what is sent next."""
        self.client.start()
        [handshake] = self.transport.take()
        assert handshake["channel"] == "/meta/handshake"
        return self.answer("/meta/handshake", clientId="c1", **fields)

    def get_ready(self, **fields: Any) -> list[Fields]:
        """Come all the way; return the connect that is held then."""
        self.arrive(**fields)
        for name in ("/r/1", "/r/2"):
            self.answer(name)
        return self.answer("/meta/connect", ext={"ack": 1})
