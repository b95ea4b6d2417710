"""What a client tells its application, and the two things it asks of the owner of its transport."""

from __future__ import annotations

from dataclasses import dataclass

from mirant.bayeux.client_messages import ServerMessage
from mirant.client.requests import PendingRequest
from mirant.client.states import ClientState


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The client went from one state to another."""

    before: ClientState
    after: ClientState
    reason: str


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """The server accepted a handshake. Everything subscribed to is subscribed to again."""

    client_id: str
    is_acknowledging: bool  # whether the server agreed to the ack extension
    reply: ServerMessage


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message for the application: an event of a channel, or the result of a remote call."""

    message: ServerMessage


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """The server accepted a request. `SessionOpened` says so of a handshake.

    When it is a connect, everything that the server had sent before has come: the session lives.
    """

    request: PendingRequest
    reply: ServerMessage


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """The server refused a request; *error* is its word, such as ``403::subscribe_denied``."""

    request: PendingRequest
    error: str
    reply: ServerMessage


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """No reply came to a request. The server may have acted on it or not."""

    request: PendingRequest
    reason: str


@dataclass(frozen=True, slots=True)
class RetryScheduled:
    """The connection, a handshake or a connect failed. The client tries again at that time, in seconds."""

    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class ReplyUnexpected:
    """A reply to nothing that waits for one: it is late, or the server invented it. It changes nothing."""

    message: ServerMessage


@dataclass(frozen=True, slots=True)
class BodyRejected:
    """The server sent what is not Bayeux. It changes nothing."""

    reason: str


@dataclass(frozen=True, slots=True)
class TransportWanted:
    """Open the transport, and call `ClientProtocol.opened`, or `ClientProtocol.lost` if that fails."""


@dataclass(frozen=True, slots=True)
class TransportUnwanted:
    """Close the transport and drop what is under way on it. `ClientProtocol.lost` need not be called."""

    reason: str


ClientEvent = (
    StateChanged
    | SessionOpened
    | Delivered
    | RequestAnswered
    | RequestRefused
    | RequestFailed
    | RetryScheduled
    | ReplyUnexpected
    | BodyRejected
    | TransportWanted
    | TransportUnwanted
)
