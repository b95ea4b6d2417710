"""Where Mirant answers other than the reference server did: on purpose, and nowhere else in the recordings.

Each difference has its reason and, by recording and step, what of the outcome is different. A value None
means that the reference's field is absent here.
"""

from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]
Change = Json | str


@dataclass(frozen=True)
class Difference:
    """One intended difference."""

    reason: str
    changes: dict[tuple[str, str], Change]


LONG, HTTP, LIFE = "1-long-polling", "2-http", "3-lifetime"
SOCKET, CROSSING, GAP = "4-websocket", "5-ack-callback-crossing", "6-websocket-gap"

_ADVICE = {"reconnect": "retry", "interval": 0, "timeout": 2000}
_CROWDED = {"reconnect": "retry", "interval": 1000, "multiple-clients": True}
_HANDSHAKE_AGAIN = {"reconnect": "handshake", "interval": 0}


def _at(recording: str, *steps: str, **change: Any) -> dict[tuple[str, str], Change]:
    return {(recording, step): change for step in steps}


def _reply(channel: str, number: str | None = None, error: str | None = None, **fields: Any) -> Json:
    named = {} if number is None else {"id": number}
    failed = {} if error is None else {"error": error}
    return {"channel": channel, **named, "successful": error is None, **failed, **fields}


def _connect(number: str, error: str | None = None, **fields: Any) -> Json:
    return _reply("/meta/connect", number, error, **fields)


def _refused_subscription(number: str, name: str) -> Json:
    return _reply("/meta/subscribe", number, "403::subscription_invalid", subscription=name)


def _handshaken(session: str) -> Json:
    types = ["websocket", "long-polling", "callback-polling"]
    return _reply(
        "/meta/handshake",
        clientId=f"${session}",
        version="1.0",
        minimumVersion="1.0",
        supportedConnectionTypes=types,
        advice=_ADVICE,
    )


DIFFERENCES: Final = (
    Difference(
        "What does not parse is the client's error: 400, not 500; and null is no message either.",
        {
            **_at(HTTP, "half an array", "no JSON", "an empty body", status=400),
            **_at(HTTP, "a number", "a string", "an array of numbers", status=400),
            **_at(HTTP, "an array of null", "an array in an array", status=400),
            **_at(HTTP, "POST with the messages in the query", status=400),
            **_at(HTTP, "callback-polling: no message", status=400),
            **_at(HTTP, "null", status=400, empty=None),
        },
    ),
    Difference(
        "The same on a WebSocket: 1007 (invalid payload) rather than 1011 (the server's error).",
        _at(
            *(SOCKET, "half an array", "null", "a number", "an array of numbers"),
            closed=1007,
        ),
    ),
    Difference(
        "An empty array is a sign of life of Faye's clients up to 1.2.5, and harmless.",
        {
            **_at(HTTP, "an empty array", status=None, messages=[]),
            **_at(SOCKET, "an empty array", closed=None),
        },
    ),
    Difference(
        "Bayeux 1.0, section 4.1.2: without a transport in common there is no session.",
        _at(
            *(LONG, "handshake offering no transport of the server"),
            cookie=None,
            messages=[
                _reply(
                    "/meta/handshake",
                    error="406:websocket,long-polling,callback-polling:connection_types_unknown",
                    supportedConnectionTypes=["websocket", "long-polling", "callback-polling"],
                    advice={"reconnect": "none"},
                )
            ],
        ),
    ),
    Difference(
        "Bayeux 1.0, section 6.3.1: a script calls jsonpcallback unless it is told otherwise.",
        _at(
            *(HTTP, "callback-polling: no callback"),
            status=None,
            cookie=True,
            script="/**/jsonpcallback({});",
            messages=[_handshaken("new") | {"id": "1"}],
        ),
    ),
    Difference(
        "A client that sends binary frames would wait for ever: it is told (1003).",
        _at(SOCKET, "a binary frame", closed=1003),
    ),
    Difference(
        "A body that is too large has a status of its own, so that the client can tell.",
        _at(HTTP, "a body above the limit", status=413),
    ),
    Difference(
        "A name that is none spoils its own message only, not the whole body.",
        {
            **_at(
                LONG, "subscribe to two slashes", status=None, messages=[_refused_subscription("17", "//")]
            ),
            **_at(
                *(LONG, "subscribe to an empty segment"),
                status=None,
                messages=[_refused_subscription("18", "/a//b")],
            ),
            **_at(
                *(LONG, "subscribe to a wildcard in the middle"),
                status=None,
                messages=[_refused_subscription("19", "/a/*/b")],
            ),
        },
    ),
    Difference(
        "A reply says whether it was successful.",
        _at(
            *(LONG, "subscribe to an empty list"),
            messages=[_reply("/meta/subscribe", "11", "403::subscription_missing", subscription=[])],
        ),
    ),
    Difference(
        "Receivers take a message without data for a reply, and a wildcard is no place to publish to.",
        {
            **_at(LONG, "publish without data", messages=[_reply("/foo", "30", "400::data_missing")]),
            **_at(LONG, "publish to a wildcard", messages=[_reply("/foo/*", "32", "405::channel_invalid")]),
        },
    ),
    Difference(
        "Any string will do as an id: those of some clients have dashes.",
        _at(
            *(LONG, "publish with an id that has a dash"),
            messages=[{"channel": "/foo", "data": 1}, _reply("/foo", "a-b")],
        ),
    ),
    Difference(
        "Clients obey advice wherever they find it, so publishers cannot give any.",
        _at(
            *(LONG, "publish with more fields"),
            messages=[
                {"channel": "/foo", "data": 1, "ext": {"k": 1}, "custom": "zz"},
                _reply("/foo", "35"),
            ],
        ),
    ),
    Difference(
        "Section 4.1 of Bayeux 1.0: ignore what comes with a handshake, not the handshake.",
        {
            **_at(
                *(HTTP, "a handshake before another message"),
                status=None,
                cookie=True,
                messages=[_handshaken("new"), _reply("/meta/connect", None, "402::session_unknown")],
            ),
            **_at(
                *(HTTP, "a handshake after another message"),
                status=None,
                cookie=True,
                messages=[_reply("/foo", None, "402::session_unknown"), _handshaken("new")],
            ),
            **_at(
                *(SOCKET, "a handshake before another message"),
                closed=None,
                messages=[_handshaken("hm"), _reply("/foo", None, "402::session_unknown")],
            ),
        },
    ),
    Difference(
        "dojox.cometd sends forms, and the protocol allows them (section 6.1).",
        _at(HTTP, "a form", status=None, cookie=True, messages=[_handshaken("new")]),
    ),
    Difference(
        "What is no Bayeux is a request for a page (404), or of a method that there is not (405).",
        {
            **_at(HTTP, "GET without parameters", status=404),
            **_at(HTTP, "callback-polling: a callback that is none", status=404),
            **_at(HTTP, "callback-polling: an empty callback", status=404),
            **_at(HTTP, "HEAD", status=404, empty=True),
            **_at(HTTP, "PUT", status=405),
            **_at(HTTP, "OPTIONS", status=204),
        },
    ),
    Difference(
        "dojo's callbacks have long names with dots: up to 128 characters are taken.",
        _at(
            *(HTTP, "callback-polling: a callback of 65 characters"),
            status=None,
            cookie=True,
            script="/**/" + "a" * 65 + "({});",
            messages=[_handshaken("new") | {"id": "1"}],
        ),
    ),
    Difference(
        "A script must not begin with bytes of the caller's choice.",
        {
            **_at(HTTP, "callback-polling: handshake", script="/**/cb_1({});"),
            **_at(HTTP, "callback-polling: two parameters", script="/**/cb({});"),
            **_at(
                CROSSING,
                *(f"callback-polling: {step}" for step in ("handshake", "connect", "subscribe")),
                "callback-polling: the reply to a publish brings no messages",
                "callback-polling: the connect does",
                "callback-polling: a publish to a service",
                "callback-polling: did not wake it",
                script="/**/cb({});",
            ),
        },
    ),
    Difference(
        "Numbers travel as they were written: the reference wraps large ones and writes Infinity.",
        _at(
            *(HTTP, "numbers that are hard to represent"),
            messages=[
                {"channel": "/foo", "data": ["12345678901234567890", "1e400", "1.0", "0.1", "-0"]},
                _reply("/foo", "9"),
            ],
        ),
    ),
    Difference(
        "Each request is answered, also a connect whose place a newer one took.",
        {
            **_at(
                *(LIFE, "the first is let go"),
                status=None,
                messages=[_connect("3", "409::connect_superseded")],
            ),
            **_at(SOCKET, "a second one comes", messages=[_connect("7", "409::connect_superseded")]),
        },
    ),
    Difference(
        "A client that the application sent away between two polls is told so, and stays away.",
        _at(
            *(LIFE, "dan learns of it when he connects"),
            messages=[
                {"channel": "/meta/disconnect", "successful": True},
                _connect("3", "402::session_unknown", advice={"reconnect": "none"}),
            ],
        ),
    ),
    Difference(
        "Listeners compare names, so a name has one spelling.",
        _at(
            *(LIFE, "and publishes with one"),
            messages=[{"channel": "/tr", "data": "t"}, _reply("/tr/", "12")],
        ),
    ),
    Difference(
        "The oldest window of a browser keeps the long poll, else two would take turns at random.",
        {
            (LIFE, "the second window polls when the first does not"): {
                "messages": [_connect("5", advice=_CROWDED)]
            },
            **_at(LIFE, "its poll is answered", messages=[_connect("5", advice=_CROWDED)]),
        },
    ),
    Difference(
        "Clients wait for their replies: those beside a connect that is held are not held with it.",
        {
            **_at(
                *(SOCKET, "a connect and a publish in one frame"),
                messages=[{"channel": "/w", "data": "z"}, _reply("/w", "10")],
            ),
            **_at(SOCKET, "what was held with the connect comes", messages=[_connect("9")]),
            **_at(
                *(SOCKET, "a publish and a connect in one frame"),
                messages=[{"channel": "/w", "data": "z"}, _reply("/w", "11")],
            ),
            **_at(SOCKET, "what was held with this connect comes", messages=[_connect("12")]),
        },
    ),
    Difference(
        "A message with a wrong clientId spoils itself; the connection stays with its session.",
        {
            **_at(
                *(SOCKET, "the right clientId, in a single object"),
                messages=[{"channel": "/w", "data": "z"}, _reply("/w", "15")],
            ),
            **_at(SOCKET, "a connect", messages=[]),
            **_at(
                *(SOCKET, "a disconnect"),
                messages=[_connect("16", advice={"reconnect": "none"}), _reply("/meta/disconnect", "17")],
            ),
        },
    ),
    Difference(
        "CometD's client closes its WebSocket only if no connect is outstanding when it reads the farewell.",
        _at(
            *(SOCKET, "it is told so"),
            messages=[_connect("21", advice={"reconnect": "none"}), _reply("/meta/disconnect")],
        ),
    ),
    Difference(
        "With ack the reference adds an empty ext to other replies, and advice that is no news.",
        {
            **_at(*(CROSSING, "subscribe"), messages=[_reply("/meta/subscribe", "3", subscription="/k")]),
            **_at(
                *(CROSSING, "subscribe over websocket"),
                messages=[_reply("/meta/subscribe", "3", subscription="/m")],
            ),
            **_at(
                *(CROSSING, "if the answer was lost it comes again"),
                messages=[{"channel": "/k", "data": "A"}, _connect("6", ext={"ack": 3})],
            ),
            **_at(
                *(CROSSING, "and again, if that is not acknowledged"),
                messages=[
                    {"channel": "/m", "data": 1},
                    {"channel": "/m", "data": 2},
                    _connect("6", ext={"ack": 4}),
                ],
            ),
        },
    ),
    Difference(
        "A client that keeps no cookies is served, until a request of its session presents one.",
        {
            **_at(CROSSING, "and publishes over HTTP", messages=[_reply("/foo", "2")]),
        },
    ),
    Difference(
        "Loss is never silent: what is published while a WebSocket is gone waits for the next.",
        _at(
            *(GAP, "another connection goes on"),
            messages=[
                {"channel": "/gap", "data": 0},
                {"channel": "/gap", "data": 1},
                _connect("5", advice={**_ADVICE, "timeout": 4000}),
            ],
        ),
    ),
    Difference(
        "A WebSocket that is closed holds no connect: its session expires from then on.",
        _at(
            *(GAP, "una's session lives"),
            messages=[_connect("5", "402::session_unknown", advice=_HANDSHAKE_AGAIN)],
        ),
    ),
)


def apply(outcome: Change, change: Change) -> Change:
    """Return the reference's *outcome* with a *change*."""
    if isinstance(outcome, str) or isinstance(change, str):
        return change
    return {name: value for name, value in {**outcome, **change}.items() if value is not None}
