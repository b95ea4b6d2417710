"""A client and its server, played by the test: no network, and time is a number."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from mirant.client.events import (
    ClientEvent,
    RequestAnswered,
    RequestFailed,
    RequestRefused,
    TransportUnwanted,
    TransportWanted,
)
from mirant.client.options import ClientOptions
from mirant.client.protocol import ClientProtocol
from mirant.client.sending import Envelope
from mirant.client.states import ClientState

Fields = dict[str, Any]
E = TypeVar("E")

OK: Mapping[str, object] = {"successful": True}


class Dialogue:
    """Drives one `ClientProtocol`. Its transport opens when it is wanted, unless `opens` is False."""

    def __init__(self, connection_type: str = "websocket", **options: Any) -> None:
        self.protocol = ClientProtocol(connection_type, ClientOptions(**options))
        self.now = 0.0
        self.opens = True
        self.is_open = False
        self.seen: list[ClientEvent] = []
        #: What was sent, as messages, and as the bodies they travelled in.
        self.sent: list[Fields] = []
        self.envelopes: list[Envelope] = []

    # --- the application ---

    def handshake(self) -> list[Fields]:
        """Ask for a session; return what is sent then."""
        self.protocol.handshake(self.now)
        return self.settle()

    def subscribe(self, pattern: str) -> list[Fields]:
        """Subscribe; return what is sent then."""
        self.protocol.subscribe(pattern, self.now)
        return self.settle()

    def unsubscribe(self, pattern: str) -> list[Fields]:
        """Unsubscribe; return what is sent then."""
        self.protocol.unsubscribe(pattern, self.now)
        return self.settle()

    def publish(self, channel: str, data: object) -> list[Fields]:
        """Publish; return what is sent then."""
        self.protocol.publish(channel, data, self.now)
        return self.settle()

    def disconnect(self) -> list[Fields]:
        """Say goodbye; return what is sent then."""
        self.protocol.disconnect(self.now)
        return self.settle()

    # --- the server and the network ---

    def tell(self, *messages: Mapping[str, object]) -> list[Fields]:
        """Let the server send *messages* in one body; return what the client sends then."""
        return self.tell_raw(json.dumps(messages).encode())

    def tell_raw(self, body: bytes | str) -> list[Fields]:
        """Let the server send *body*."""
        self.protocol.receive(body, self.now)
        return self.settle()

    def answer(self, channel: str, **fields: object) -> list[Fields]:
        """Let the server accept the last request on *channel*, unless *fields* say otherwise."""
        return self.tell({**self.reply(channel), **fields})

    def reply(self, channel: str) -> Fields:
        """Return a reply that accepts the last request on *channel*."""
        request = self.last(channel)
        echoed: Fields = {
            name: request[name] for name in ("channel", "id", "subscription") if name in request
        }
        return {**echoed, **OK}

    def last(self, channel: str) -> Fields:
        """Return the last request on *channel*."""
        return next(message for message in reversed(self.sent) if message["channel"] == channel)

    def enter(self, **fields: object) -> list[Fields]:
        """Come all the way, to a handshake answered with *fields*; return the connect that is held then."""
        self.handshake()
        self.answer("/meta/handshake", clientId="c1", **fields)
        return self.answer("/meta/connect")

    def lose(self, reason: str = "it broke") -> list[Fields]:
        """Break the connection."""
        self.is_open = False
        self.protocol.lost(reason, self.now)
        return self.settle()

    def open(self) -> list[Fields]:
        """Open the transport."""
        self.is_open = True
        self.protocol.opened(self.now)
        return self.settle()

    def advance(self, seconds: float) -> list[Fields]:
        """Let time pass, from deadline to deadline; return what is sent meanwhile."""
        end, before = self.now + seconds, len(self.sent)
        while (deadline := self.protocol.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.protocol.advance(self.now)
            self.settle()
        self.now = end
        return self.sent[before:]

    def wait(self) -> list[Fields]:
        """Let time pass until the next deadline; return what is sent then."""
        deadline = self.protocol.next_deadline()
        assert deadline is not None, "nothing is awaited"
        return self.advance(deadline - self.now)

    # --- what came of it ---

    def state(self) -> ClientState:
        """Return the client's state."""
        return self.protocol.state

    def settle(self) -> list[Fields]:
        """Take what the protocol wants done, and do it; return what is sent."""
        before = len(self.sent)
        while events := self.protocol.events():
            self.seen += events
            for event in events:
                if isinstance(event, TransportUnwanted):
                    self.is_open = False
                elif isinstance(event, TransportWanted) and self.opens:
                    self.is_open = True
                    self.protocol.opened(self.now)
        for envelope in self.protocol.to_send():
            assert self.is_open, "nothing is sent on a transport that is closed"
            self.envelopes.append(envelope)
            self.sent += json.loads(envelope.body)
        return self.sent[before:]

    def take(self, kind: type[E]) -> list[E]:
        """Return the events of one kind that came since the last call for them, and forget them."""
        found: list[E] = [event for event in self.seen if isinstance(event, kind)]
        self.seen = [event for event in self.seen if not isinstance(event, kind)]
        return found

    def outcomes(self) -> dict[str, list[str]]:
        """Return what became of each request, by id; each id has one outcome at most."""
        found: dict[str, list[str]] = {}
        for event in self.seen:
            if isinstance(event, RequestAnswered | RequestRefused | RequestFailed):
                found.setdefault(event.request.id, []).append(type(event).__name__)
        return found


def channels(messages: list[Fields]) -> list[str]:
    """Return the channels of *messages*."""
    return [message["channel"] for message in messages]
