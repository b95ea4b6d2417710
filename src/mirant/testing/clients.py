"""What polling and socket clients have in common: an identity, numbered messages, a memory."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mirant.bus.session import Session
from mirant.testing.frozen_host import FrozenHost

#: A message as Python's `json` reads it.
Json = dict[str, Any]

# How many digits of an integer Python reads, unless it is told otherwise.
_MAX_DIGITS: Final = 4300

#: What a handshake says unless a test says otherwise: the same as CometD's JavaScript client.
OFFER: Final[Mapping[str, object]] = {
    "version": "1.0",
    "supportedConnectionTypes": ["websocket", "long-polling"],
}


def messages_of(payload: bytes) -> list[Json]:
    """Return the messages in *payload*, a JSON array, as a browser reads them.

    The reply to a message carries its id, whatever that is. It may be a number of any length, and Python
    refuses to read one of more than some thousand digits; a browser takes it for infinite.
    """
    found: list[Json] = json.loads(payload, parse_int=_number)
    return found


def _number(digits: str) -> float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


class Client(ABC):
    """A Bayeux client that does what a test says, and remembers what came."""

    def __init__(self, world: FrozenHost) -> None:
        #: What runs the bus: a `mirant.testing.World`.
        self.world = world
        #: The id of our session; None before a handshake.
        self.client_id: str | None = None
        #: Everything that came, in order.
        self.messages: list[Json] = []
        #: The id of the message that was made last, as a number.
        self.last_id = 0

    @abstractmethod
    def ask(self, *messages: Json) -> list[Json]:
        """Send *messages* at once; return what came before anything else happened."""

    def message(self, channel: str, **fields: object) -> Json:
        """Return a message with the next id and our clientId."""
        self.last_id += 1
        identity = {} if self.client_id is None else {"clientId": self.client_id}
        return {"channel": channel, "id": str(self.last_id), **identity, **fields}

    def say(self, channel: str, **fields: object) -> Json:
        """Send one message and return its reply, which must come at once."""
        message = self.message(channel, **fields)
        return reply_to(message, self.ask(message))

    def handshake(self, **fields: object) -> Json:
        """Handshake, and be the new session from now on if it succeeds; return the reply."""
        message = {**self.message("/meta/handshake"), **OFFER, **fields}
        message.pop("clientId", None)
        reply = reply_to(message, self.ask(message))
        if reply["successful"]:
            self.client_id = reply["clientId"]
        return reply

    def subscribe(self, subscription: object) -> Json:
        """Subscribe and return the reply."""
        return self.say("/meta/subscribe", subscription=subscription)

    def unsubscribe(self, subscription: object) -> Json:
        """Unsubscribe and return the reply."""
        return self.say("/meta/unsubscribe", subscription=subscription)

    def publish(self, channel: str, data: object, **fields: object) -> Json:
        """Publish and return the reply."""
        return self.say(channel, data=data, **fields)

    def disconnect(self) -> Json:
        """End the session and return the reply."""
        return self.say("/meta/disconnect")

    @property
    def session(self) -> Session:
        """Our session, as the bus sees it. KeyError: there is none."""
        return self.world.core.sessions[self.client_id or ""]

    @property
    def alive(self) -> bool:
        """Whether the bus knows our session."""
        return self.client_id in self.world.core.sessions

    @property
    def deliveries(self) -> list[Json]:
        """The messages that came and are not replies."""
        return [message for message in self.messages if "data" in message]

    @property
    def data(self) -> list[Any]:
        """The data of all deliveries, in order."""
        return [message["data"] for message in self.deliveries]


def reply_to(message: Json, messages: Sequence[Json]) -> Json:
    """Return the one reply to *message* among *messages*."""
    [reply] = [m for m in messages if m.get("id") == message["id"] and "data" not in m]
    return reply
