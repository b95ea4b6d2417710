"""The error strings that a server answers, each with its cause and the remedy.

On the wire an error is ``code:arguments:text`` (Bayeux 1.0, section 5.8), for example
``402::session_unknown`` or ``403:not_granted:publish_denied``. The strings are the reference server's
wherever it has one, because clients compare them; the others are marked "Mirant's own".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """One row of the table: the text on the wire, why it happens, and what to do about it."""

    code: int
    text: str
    cause: str
    remedy: str

    def wire(self, argument: str = "") -> str:
        """Return the error string, with *argument* between the colons."""
        return f"{self.code}:{argument}:{self.text}"


CHANNEL_MISSING: Final = ErrorKind(
    400,
    "channel_missing",
    "The message has no channel, or an unsubscribe names a channel that nobody is subscribed to.",
    "Name the channel; for an unsubscribe there is nothing left to do.",
)
DATA_MISSING: Final = ErrorKind(  # Mirant's own: the reference distributes such a message
    400,
    "data_missing",
    "A publish has no `data` field. Receivers would take it for a reply.",
    'Send `"data": null` when there is nothing to say.',
)
FIELD_INVALID: Final = ErrorKind(  # Mirant's own: the reference answers HTTP 500 to the whole request
    400,
    "field_invalid",
    "The field named between the colons has the wrong JSON type, or is given where only the server may.",
    "`advice` and `ext` are objects; `connectionType` is a string.",
)
SESSION_UNKNOWN: Final = ErrorKind(
    402,
    "session_unknown",
    "No session has this clientId: it expired, was disconnected, never was, or belongs to another browser.",
    "Handshake again, then subscribe again.",
)
HANDSHAKE_DENIED: Final = ErrorKind(
    403,
    "handshake_denied",
    "The credentials in the handshake, or the fresh ones in a connect, are not accepted; or a rule does not "
    "admit their bearer.",
    "Handshake with other credentials.",
)
CREATE_DENIED: Final = ErrorKind(
    403,
    "create_denied",
    "Nobody is subscribed to the channel yet and a rule says who may be the first; or it is below /meta/.",
    "Subscribe once it exists, or handshake as somebody who may create it.",
)
CHANNEL_CREATE_DENIED: Final = ErrorKind(
    403,
    "channel_create_denied",
    "Nobody is subscribed to the channel and a rule says who may create it; or it is below /meta/.",
    "Publish once it exists, or handshake as somebody who may create it.",
)
SUBSCRIBE_DENIED: Final = ErrorKind(
    403,
    "subscribe_denied",
    "The session may not subscribe to this channel; the reason is between the colons.",
    "Subscribe to another channel, or handshake with other credentials.",
)
PUBLISH_DENIED: Final = ErrorKind(
    403,
    "publish_denied",
    "The session may not publish to this channel; the reason is between the colons.",
    "Publish to another channel, or handshake with other credentials.",
)
SUBSCRIPTION_MISSING: Final = ErrorKind(
    403,
    "subscription_missing",
    "A subscribe or unsubscribe has no `subscription` field, or an empty list in it.",
    "Name the channel, or a list of channels.",
)
SUBSCRIPTION_INVALID: Final = ErrorKind(
    403,
    "subscription_invalid",
    "The `subscription` field is not a channel name, a pattern or a list of these.",
    "Use names such as /a/b, /a/* or /a/**.",
)
SUBSCRIPTION_LIMIT: Final = ErrorKind(  # Mirant's own: the reference has no limit
    403,
    "subscription_limit",
    "The session has reached the limit of its subscriptions, or their names are too long for it.",
    "Unsubscribe from some, or use a wildcard.",
)
UNSUBSCRIBE_FAILED: Final = ErrorKind(
    403,
    "unsubscribe_failed",
    "The unsubscribe is from a channel below /meta/, to which nobody can be subscribed.",
    "Unsubscribe from what was subscribed to.",
)
MESSAGE_DELETED: Final = ErrorKind(
    404,
    "message_deleted",
    "An extension, a filter or the application refused the message; nobody received it.",
    "The argument between the colons, where there is one, says why.",
)
CHANNEL_INVALID: Final = ErrorKind(
    405,
    "channel_invalid",
    "The channel is not a channel name, or it is a wildcard, which cannot be published to.",
    "Use a name such as /a/b.",
)
MESSAGE_ID_INVALID: Final = ErrorKind(
    405,
    "message_id_invalid",
    "The message's id is neither a string of 1 to 128 characters nor a number.",
    "Number your messages.",
)
CONNECTION_TYPES_UNKNOWN: Final = ErrorKind(  # the reference opens a session that its client cannot use
    406,
    "connection_types_unknown",
    "The handshake offers connection types, and the server has none of them; what it has is between the "
    "colons.",
    "Offer one of those, or let the operator add yours to `transports`.",
)
CONNECT_SUPERSEDED: Final = ErrorKind(  # Mirant's own: the reference answers HTTP 500, or never
    409,
    "connect_superseded",
    "A newer /meta/connect of the same session took the place of this one, which was still held.",
    "Nothing: the newer one is being answered. Keep one /meta/connect outstanding, never two.",
)
MESSAGE_TOO_LARGE: Final = ErrorKind(  # Mirant's own
    413,
    "message_too_large",
    "The message has more bytes of JSON than the channel allows; the limit is between the colons.",
    "Send less at a time.",
)
CHANNEL_FULL: Final = ErrorKind(  # Mirant's own
    403,
    "channel_full",
    "The channel has reached the limit of its subscribers; the limit is between the colons.",
    "Try again when others have left, or subscribe to another channel.",
)
RATE_EXCEEDED: Final = ErrorKind(  # Mirant's own
    429,
    "rate_exceeded",
    "The session publishes faster than the channel allows, or subscribes faster than the bus does. The limit "
    "is between the colons.",
    "Publish less often: this message reached nobody. Or keep subscriptions instead of renewing them.",
)
CALL_LIMIT: Final = ErrorKind(  # Mirant's own
    429,
    "too_many_calls",
    "The session has reached the limit of its unanswered remote calls.",
    "Wait for an answer before calling again.",
)
APPLICATION_FAILED: Final = ErrorKind(  # Mirant's own: the reference goes on as if nothing had happened
    500,
    "application_failed",
    "The application's function for the message raised an exception, which is in the server's log.",
    "Report it to the application's maintainers. Nobody received the message.",
)
SERVER_FULL: Final = ErrorKind(  # Mirant's own
    503,
    "too_many_sessions",
    "The server has reached the limit of its sessions.",
    "Try again later; the advice says when.",
)
ADDRESS_FULL: Final = ErrorKind(  # Mirant's own
    503,
    "address_full",
    "As many sessions as one address may have, or one IPv6 network of 64 bits, are of this one; the limit is "
    "between the colons.",
    "Try again later; the advice says when. If a proxy is at that address, let the server trust it "
    "(`max_sessions_per_address` is the limit).",
)

#: Every error that a server of Mirant answers.
TABLE: Final = (
    CHANNEL_MISSING,
    DATA_MISSING,
    FIELD_INVALID,
    SESSION_UNKNOWN,
    HANDSHAKE_DENIED,
    CREATE_DENIED,
    CHANNEL_CREATE_DENIED,
    SUBSCRIBE_DENIED,
    PUBLISH_DENIED,
    SUBSCRIPTION_MISSING,
    SUBSCRIPTION_INVALID,
    SUBSCRIPTION_LIMIT,
    UNSUBSCRIBE_FAILED,
    MESSAGE_DELETED,
    CHANNEL_INVALID,
    MESSAGE_ID_INVALID,
    CONNECTION_TYPES_UNKNOWN,
    CONNECT_SUPERSEDED,
    MESSAGE_TOO_LARGE,
    CHANNEL_FULL,
    RATE_EXCEEDED,
    CALL_LIMIT,
    APPLICATION_FAILED,
    ADDRESS_FULL,
    SERVER_FULL,
)

# The arguments of the reference server's default policy, which clients' tests compare.
DENIED_BY_POLICY: Final = "denied_by_security_policy"
