"""A session with everything around it simulated: a clock, a carrier, somebody to report to."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from mirant.load.messages import decode
from mirant.load.session import Session
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


class Carrier:
    """A carrier that keeps what it is given."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.is_open = False
        self.sent: list[Fields] = []
        self.opened = 0

    def open(self) -> None:
        """Open at once."""
        self.opened += 1
        self.is_open = True
        self.session.opened()

    def send(self, batch: Sequence[bytes]) -> None:
        """Keep messages."""
        self.sent += [json.loads(message) for message in batch]

    def send_connect(self, message: bytes) -> None:
        """Keep a connect."""
        self.send([message])

    def close(self, reason: str = "") -> None:
        """Close."""
        self.is_open = False
        if reason:
            self.session.lost(reason)

    def take(self) -> list[Fields]:
        """Return what was sent since the last call."""
        taken, self.sent = self.sent, []
        return taken


class Outside:
    """Keeps what a session reports."""

    def __init__(self) -> None:
        self.failures: Counter[str] = Counter()
        self.replies: list[tuple[str, str | None]] = []

    def replied(self, message_id: str, error: str | None) -> None:
        """Keep the reply."""
        self.replies.append((message_id, error))


class Stage:
    """A session with everything around it."""

    def __init__(self, target: Target | None = None) -> None:
        self.timers, self.outside = Timers(), Outside()
        target = target or Target(url="http://test/")
        self.session = Session(4, ["/r/1", "/r/2"], target, self.outside, self.timers)
        self.carrier = Carrier(self.session)
        self.session.carrier = self.carrier

    def tell(self, *messages: Fields) -> list[Fields]:
        """Let the server say *messages*; return what the session sends then."""
        for message in messages:
            self.session.handle(decode(json.dumps(message).encode()))
        return self.carrier.take()

    def arrive(self, **fields: Any) -> list[Fields]:
        """Start and shake hands; return what is sent next."""
        self.session.start()
        [handshake] = self.carrier.take()
        assert handshake["channel"] == "/meta/handshake"
        return self.tell({"channel": "/meta/handshake", "clientId": "c1", **OK, **fields})

    def get_ready(self, **fields: Any) -> list[Fields]:
        """Come all the way; return the connect that is held then."""
        self.arrive(**fields)
        for name in ("/r/1", "/r/2"):
            self.tell({"channel": "/meta/subscribe", "subscription": name, "id": "2", **OK})
        return self.tell({"channel": "/meta/connect", "id": "3", **OK, "ext": {"ack": 1}})
