"""Every MUST and SHOULD of the Bayeux 1.0 document, in our words, each with its check."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.conformance import checks
from tests.conformance.checks import Bench
from tests.conformance.party import TRANSPORTS

Check = Callable[[Bench], Awaitable[None]]

MUST, SHOULD = "MUST", "SHOULD"


@dataclass(frozen=True)
class Requirement:
    """One requirement on a server. *unmet* says which servers do not meet it, and why."""

    section: str
    level: str
    text: str
    check: Check
    unmet: Mapping[str, str] = field(default_factory=dict)
    transports: tuple[str, ...] = TRANSPORTS

    @property
    def name(self) -> str:
        """The name of its check."""
        return self.check.__name__

    def expected_to_fail(self, server: str, transport: str) -> bool:
        """Whether *server* is known not to meet it over *transport*."""
        return server in self.unmet or f"{server} {transport}" in self.unmet


POLLING = ("long-polling",)

REQUIREMENTS: Final = (
    Requirement(
        "HTTP Transport; Two connection operation",
        MUST,
        "Two requests at a time are enough for a client: while one is held, another is answered.",
        checks.two_requests_suffice,
    ),
    Requirement(
        "Non HTTP Transports",
        MUST,
        "Over other transports than HTTP, messages mean the same.",
        checks.the_semantics_are_the_same,
    ),
    Requirement(
        "Polling transports; supportedConnectionTypes",
        MUST,
        "Long-polling is supported.",
        checks.long_polling_is_supported,
    ),
    Requirement(
        "supportedConnectionTypes",
        SHOULD,
        "Callback-polling is supported.",
        checks.callback_polling_is_supported,
        {"mirant": "It is supported, but off by default, because any page can include its answers."},
    ),
    Requirement(
        "Unconnected operation",
        MUST,
        "Messages of clients without a handshake are answered, at least with an error.",
        checks.unconnected_messages_are_answered,
    ),
    Requirement(
        "Meta Channels",
        MUST,
        "Messages that are published to meta channels are not distributed to clients.",
        checks.meta_messages_are_not_distributed,
    ),
    Requirement(
        "Meta Channels",
        SHOULD,
        "Remote clients do not subscribe to meta channels; a server refuses it.",
        checks.meta_channels_cannot_be_subscribed_to,
    ),
    Requirement(
        "Meta Channels; id",
        MUST,
        "The reply to a message on a meta channel has its id.",
        checks.meta_replies_have_the_id_of_the_request,
    ),
    Requirement(
        "Service Channels",
        SHOULD,
        "Subscriptions to service channels are not recorded.",
        checks.service_messages_are_not_distributed,
        {"faye": "It distributes messages on service channels to `/**`."},
    ),
    Requirement(
        "Service Channels; id",
        SHOULD,
        "The reply to a message on a service channel has its id.",
        checks.service_replies_have_the_id_of_the_request,
    ),
    Requirement(
        "Client ID", SHOULD, "Client ids hold at least 128 random bits.", checks.client_ids_are_random
    ),
    Requirement("Client ID", MUST, "Client ids are unique and are not reused.", checks.client_ids_are_unique),
    Requirement(
        "Messages; channel",
        MUST,
        "A message has a channel. A message without one is not accepted.",
        checks.a_message_without_channel_is_refused,
    ),
    Requirement(
        "Messages; channel",
        MUST,
        "Every message that a server sends has a channel.",
        checks.every_message_has_a_channel,
    ),
    Requirement("Messages", MUST, "Arrays of messages are accepted.", checks.arrays_of_messages_are_accepted),
    Requirement("Messages", SHOULD, "Messages are sent in arrays.", checks.what_is_sent_is_an_array),
    Requirement(
        "clientId",
        MUST,
        "A message other than a handshake or a publish has a clientId. Without one it is refused.",
        checks.messages_without_client_id_are_refused,
    ),
    Requirement(
        "timeout advice field",
        SHOULD,
        "The timeout that a client advises is honoured.",
        checks.timeout_advice_of_clients_is_honoured,
    ),
    Requirement(
        "data; Delivery",
        MUST,
        "An event has its channel and its data, of any type.",
        checks.events_have_channel_and_data,
    ),
    Requirement(
        "successful",
        MUST,
        "Every reply, to messages on meta channels and to a publish, says whether it was successful.",
        checks.replies_say_whether_they_were_successful,
    ),
    Requirement(
        "subscription",
        MUST,
        "Replies to subscribe and unsubscribe name the subscription.",
        checks.subscription_replies_name_the_subscription,
    ),
    Requirement(
        "connectionId; json-comment-filtered",
        SHOULD,
        "Deprecated fields are not used.",
        checks.deprecated_fields_are_not_used,
    ),
    Requirement(
        "version",
        MUST,
        "The reply to a handshake names the protocol version.",
        checks.a_handshake_names_the_version,
    ),
    Requirement(
        "Handshake Request",
        MUST,
        "Other messages beside a handshake are ignored.",
        checks.company_of_a_handshake_is_ignored,
        {"faye": "It distributes a publish that comes beside a handshake."},
    ),
    Requirement(
        "Handshake Response",
        MUST,
        "A handshake is answered, with channel, version, connection types, clientId and success.",
        checks.a_handshake_has_the_fields,
    ),
    Requirement(
        "Successful Handshake Response",
        MUST,
        "One of the connection types in the reply is among those that the client offered.",
        checks.there_is_a_connection_type_in_common,
    ),
    Requirement(
        "Successful Handshake Response",
        MUST,
        "Without a connection type in common, the handshake fails.",
        checks.without_a_common_type_the_handshake_fails,
    ),
    Requirement(
        "Unsuccessful Handshake Response",
        MUST,
        "A handshake that fails is answered with channel, an error and no success.",
        checks.a_failed_handshake_has_the_fields,
    ),
    Requirement(
        "Connect Response",
        MUST,
        "A connect is answered over the same transport, with channel and success.",
        checks.connects_are_answered,
    ),
    Requirement(
        "Connect Request",
        MUST,
        "One connect is outstanding, not two.",
        checks.one_connect_is_outstanding,
        {"faye": "It holds both."},
    ),
    Requirement(
        "Connect Response; Disconnect Request",
        SHOULD,
        "A session whose client is silent for too long ends as if it had disconnected.",
        checks.silence_ends_a_session,
    ),
    Requirement(
        "Disconnect Request",
        SHOULD,
        "A disconnect releases the connect that is held.",
        checks.disconnect_releases_the_held_connect,
        {"faye websocket": "It leaves the connect unanswered."},
    ),
    Requirement(
        "Disconnect Response",
        MUST,
        "A disconnect is answered, with channel and success.",
        checks.disconnects_are_answered,
    ),
    Requirement(
        "Subscribe Response",
        MUST,
        "A subscribe is answered, with channel, success and subscription.",
        checks.subscribes_are_answered,
    ),
    Requirement(
        "Unsubscribe Response",
        MUST,
        "An unsubscribe is answered, with channel, success and subscription.",
        checks.unsubscribes_are_answered,
    ),
    Requirement(
        "Publish Response",
        MUST,
        "The reply to a publish has channel and success.",
        checks.publish_replies_have_the_fields,
    ),
    Requirement(
        "Delivery",
        MUST,
        "An event reaches each client that subscribed to its channel, and no other.",
        checks.events_reach_the_subscribers,
    ),
    Requirement(
        "Delivery",
        SHOULD,
        "Events leave with an answer that is sent at once, if there is one, and do not end a held connect.",
        checks.events_prefer_the_answer_that_is_sent_at_once,
        {"faye": "It answers the held connect."},
        POLLING,
    ),
    Requirement(
        "The long-polling request messages",
        SHOULD,
        "Messages come as application/json in UTF-8.",
        checks.requests_are_json_in_utf8,
    ),
    Requirement(
        "The long-polling response messages",
        SHOULD,
        "Messages are sent as application/json in UTF-8.",
        checks.responses_are_json_in_utf8,
        {},
        POLLING,
    ),
    Requirement(
        "Server-side Multiple clients detection",
        SHOULD,
        "Browsers are told apart by the cookie BAYEUX_BROWSER.",
        checks.browsers_are_told_apart_by_a_cookie,
        {"faye": "It sets no cookie."},
        POLLING,
    ),
    Requirement(
        "Server-side Multiple clients detection",
        SHOULD,
        "The connects of a browser's second window are not held. They are answered with an interval.",
        checks.a_second_window_is_not_held,
        {"faye": "It does not tell windows apart."},
        POLLING,
    ),
)

#: Requirements for clients and applications alone. No server can meet or miss them.
ELSEWHERE: Final = (
    (
        "Two connection operation",
        MUST,
        "Requests are not pipelined in a way that makes one wait for the answer to another.",
    ),
    ("JavaScript", MUST, "Clients in browsers keep to the browser's rules: same origin, CORS, threads."),
    (
        "reconnect advice field",
        MUST,
        "A client obeys `none` and `handshake`, and then does not retry by itself.",
    ),
    ("interval advice field", MUST, "A client waits for the interval it was told."),
    ("interval advice field", SHOULD, "A client backs off when requests fail without new advice."),
    (
        "hosts advice field",
        SHOULD,
        "A client tries the hosts it was told. Mirant sends none, and neither does CometD.",
    ),
    (
        "connectionType",
        MUST,
        "A connect names its connection type. Mirant does not need it, nor does the reference server.",
    ),
    ("data", MUST, "A publish has data. Mirant refuses a publish without data."),
    ("id", SHOULD, "Ids of messages to meta and service channels are unique within a connection."),
    (
        "timestamp",
        SHOULD,
        "A timestamp is written as ISO 8601 in GMT. Mirant sends one if the application wants it.",
    ),
    ("ext", SHOULD, "The fields of `ext` are named for who defined them."),
    (
        "Handshake Request",
        MUST,
        "Within a domain, handshakes are sent by long-polling, with the fields that the document lists.",
    ),
    ("Handshake Request", SHOULD, "A client sends nothing else beside a handshake."),
    (
        "Connect Request",
        MUST,
        "A client keeps one connect outstanding, and waits for the interval before the next.",
    ),
    ("Disconnect Request", SHOULD, "A client says goodbye when its page is left."),
    (
        "The callback-polling request messages",
        SHOULD,
        "Messages are the parameter `message` of a GET. `tests/recordings` has such dialogues.",
    ),
    (
        "Client-side Multiple clients handling",
        SHOULD,
        "A client finds out by itself about other windows of its browser.",
    ),
)
