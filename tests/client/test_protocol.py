"""What applications ask for, and what transports tell: requests, replies, deliveries and failures."""

import json

import pytest
from msgspec import Raw

from mirant.bayeux.client_messages import decode_server
from mirant.client.events import (
    BodyRejected,
    Delivered,
    ReplyUnexpected,
    RequestAnswered,
    RequestFailed,
    RequestRefused,
)
from mirant.client.protocol import ClientProtocol, InvalidState
from mirant.client.states import ClientState
from tests.client.dialogue import OK, Dialogue, channels


@pytest.fixture
def dialogue() -> Dialogue:
    """Bring a client to its session."""
    made = Dialogue()
    made.enter()
    made.seen.clear()
    return made


# --- subscriptions ---


def test_a_subscription_is_granted_once(dialogue: Dialogue) -> None:
    [subscribe] = dialogue.subscribe("/a/*")
    assert subscribe == {"channel": "/meta/subscribe", "id": "4", "clientId": "c1", "subscription": "/a/*"}
    assert dialogue.subscribe("/a/*") == []
    dialogue.answer("/meta/subscribe")

    [answered] = dialogue.take(RequestAnswered)
    assert answered.request.subscription == "/a/*"
    assert dialogue.protocol.subscriptions.granted == {"/a/*"}
    assert dialogue.subscribe("/a/*") == []


def test_subscriptions_wait_for_a_session_and_travel_together() -> None:
    dialogue = Dialogue("long-polling")
    assert dialogue.subscribe("/a") + dialogue.subscribe("/b") == []
    dialogue.handshake()
    sent = dialogue.answer("/meta/handshake", clientId="c1")

    assert [message.get("subscription") for message in sent] == ["/a", "/b", None]
    assert [envelope.path for envelope in dialogue.envelopes] == ["/handshake", "", "/connect"]
    assert [envelope.is_connect for envelope in dialogue.envelopes] == [False, False, True]


def test_a_refused_subscription_is_reported_and_not_asked_for_again(dialogue: Dialogue) -> None:
    dialogue.subscribe("/secret")
    dialogue.answer("/meta/subscribe", successful=False, error="403::subscribe_denied")

    [refused] = dialogue.take(RequestRefused)
    assert (refused.request.subscription, refused.error) == ("/secret", "403::subscribe_denied")
    assert dialogue.protocol.subscriptions.granted == frozenset()
    assert dialogue.protocol.subscriptions.is_settled
    assert channels(dialogue.answer("/meta/connect")) == ["/meta/connect"]


def test_a_subscription_refused_for_want_of_a_session_is_asked_for_in_the_next(dialogue: Dialogue) -> None:
    unknown = {"successful": False, "error": "402::session_unknown"}
    dialogue.subscribe("/a")
    dialogue.answer("/meta/subscribe", **unknown)
    assert len(dialogue.take(RequestRefused)) == 1
    dialogue.answer("/meta/connect", **unknown)

    assert channels(dialogue.answer("/meta/handshake", clientId="c2")) == ["/meta/subscribe", "/meta/connect"]


def test_what_is_not_wanted_any_more_is_not_subscribed_to_again(dialogue: Dialogue) -> None:
    dialogue.subscribe("/a")
    dialogue.answer("/meta/subscribe")
    [unsubscribe] = dialogue.unsubscribe("/a")
    assert unsubscribe["channel"] == "/meta/unsubscribe"
    assert unsubscribe["subscription"] == "/a"
    dialogue.answer("/meta/unsubscribe")
    assert [event.request.channel for event in dialogue.take(RequestAnswered)] == [
        "/meta/subscribe",
        "/meta/unsubscribe",
    ]
    dialogue.answer("/meta/connect", successful=False, error="402::session_unknown")

    assert channels(dialogue.answer("/meta/handshake", clientId="c2")) == ["/meta/connect"]


def test_a_late_grant_does_not_bring_back_what_was_dropped(dialogue: Dialogue) -> None:
    dialogue.subscribe("/a")
    granted = dialogue.reply("/meta/subscribe")
    assert channels(dialogue.unsubscribe("/a")) == ["/meta/unsubscribe"]
    dialogue.tell(granted)

    assert dialogue.protocol.subscriptions.granted == frozenset()


def test_nothing_is_sent_for_a_subscription_that_never_was(dialogue: Dialogue) -> None:
    assert dialogue.unsubscribe("/a") == []


# --- publishing ---


def test_a_publish_is_answered_under_its_id(dialogue: Dialogue) -> None:
    message_id = dialogue.protocol.publish("/a", {"n": 1}, dialogue.now)
    [published] = dialogue.settle()
    assert published == {"channel": "/a", "id": message_id, "clientId": "c1", "data": {"n": 1}}
    dialogue.answer("/a")

    assert [event.request.id for event in dialogue.take(RequestAnswered)] == [message_id]


def test_a_publish_may_be_json_already(dialogue: Dialogue) -> None:
    assert dialogue.publish("/a", Raw(b"[1e400]")) is not None
    assert b"[1e400]" in dialogue.envelopes[-1].body


def test_a_refused_publish_is_reported(dialogue: Dialogue) -> None:
    dialogue.publish("/a", 1)
    dialogue.publish("/a", 2)
    first, second = dialogue.sent[-2:]
    dialogue.tell(
        {"id": first["id"], "successful": False, "error": "400::channel_missing"},
        {"channel": "/a", "id": second["id"]},
    )

    assert [(event.request.id, event.error) for event in dialogue.take(RequestRefused)] == [
        (first["id"], "400::channel_missing"),
        (second["id"], "refused without a reason"),
    ]


LOOP: list[object] = []
LOOP.append(LOOP)


@pytest.mark.parametrize("data", [LOOP, object()], ids=["a loop", "an object"])
def test_what_has_no_json_form_is_refused_and_leaves_nothing_behind(dialogue: Dialogue, data: object) -> None:
    with pytest.raises(TypeError):
        dialogue.publish("/a", data)
    dialogue.disconnect()

    assert dialogue.take(RequestFailed) == []


def test_nothing_is_published_without_a_session_or_a_connection(dialogue: Dialogue) -> None:
    for client in (ClientProtocol("websocket"), dialogue.protocol):
        client.lost("it broke", 0)
        assert not client.can_publish
        with pytest.raises(InvalidState, match="cannot publish now"):
            client.publish("/a", 1, 0)


def test_a_client_handshakes_once(dialogue: Dialogue) -> None:
    with pytest.raises(InvalidState, match="the client is connected: disconnect it"):
        dialogue.handshake()


# --- what the server sends ---


def test_deliveries_are_passed_on_as_they_came(dialogue: Dialogue) -> None:
    dialogue.tell_raw(
        '[{"channel":"/a","data":{"n":1.50},"id":"7","ext":{"x":[1]}},{"channel":"/b","data":null}]'
    )

    first, second = (event.message for event in dialogue.take(Delivered))
    assert (first.channel, bytes(first.data), first.id, first.ext) == (
        "/a",
        b'{"n":1.50}',
        "7",
        {"x": [1]},
    )
    assert (second.channel, bytes(second.data)) == ("/b", b"null")


def test_the_result_of_a_remote_call_is_a_delivery_and_its_reply_is_not(dialogue: Dialogue) -> None:
    message_id = dialogue.protocol.publish("/service/echo", 1, dialogue.now)
    dialogue.settle()
    dialogue.tell(
        {"channel": "/service/echo", "id": message_id, "data": 1, **OK},
        {"channel": "/service/echo", "id": message_id, **OK},
    )

    assert [event.message.id for event in dialogue.take(Delivered)] == [message_id]
    assert [event.request.id for event in dialogue.take(RequestAnswered)] == [message_id]


def test_replies_to_nothing_change_nothing(dialogue: Dialogue) -> None:
    sent = dialogue.tell(
        {"channel": "/meta/connect", "id": "2", **OK, "advice": {"reconnect": "none"}},
        {"channel": "/meta/connect", **OK},
        {"channel": "/meta/handshake", "id": "1", "clientId": "c9", **OK},
        {"channel": "/meta/disconnect", "id": "99", **OK},
        {"channel": "/meta/disconnect", "successful": False},
        {"channel": "/meta/connect", "data": 1},
        {"advice": {"reconnect": "none"}},
    )

    assert sent == []
    assert len(dialogue.take(ReplyUnexpected)) == 7
    assert (dialogue.state(), dialogue.protocol.client_id) == (ClientState.CONNECTED, "c1")


def test_advice_in_a_delivery_is_not_heeded(dialogue: Dialogue) -> None:
    dialogue.tell({"channel": "/a", "data": 1, "advice": {"reconnect": "none", "interval": 60_000}})

    assert channels(dialogue.answer("/meta/connect")) == ["/meta/connect"]


@pytest.mark.parametrize("body", [b"", b"[", b"null", b"[1]", b"\xff\xfe", "<html>"])
def test_what_is_not_bayeux_is_reported_and_changes_nothing(dialogue: Dialogue, body: bytes | str) -> None:
    assert dialogue.tell_raw(body) == []

    assert len(dialogue.take(BodyRejected)) == 1
    assert channels(dialogue.answer("/meta/connect")) == ["/meta/connect"]


# --- HTTP: one request may fail by itself, and its answer answers it all ---


def test_a_failed_request_fails_what_was_in_it(dialogue: Dialogue) -> None:
    dialogue.protocol.subscribe("/a", 0)
    dialogue.protocol.publish("/b", 1, 0)
    dialogue.settle()
    envelope = dialogue.envelopes[-1]
    assert len(envelope.messages) == 2
    dialogue.protocol.failed(envelope, "HTTP 502", 0)
    dialogue.settle()

    assert [(e.request.channel, e.reason) for e in dialogue.take(RequestFailed)] == [
        ("/meta/subscribe", "HTTP 502"),
        ("/b", "HTTP 502"),
    ]
    assert dialogue.state() is ClientState.CONNECTED
    assert channels(dialogue.answer("/meta/connect")) == ["/meta/subscribe", "/meta/connect"]


def test_a_failed_poll_is_sent_again_later_and_counts_once(dialogue: Dialogue) -> None:
    poll = dialogue.envelopes[-1]
    dialogue.protocol.failed(poll, "HTTP 502", 0)
    dialogue.protocol.failed(poll, "HTTP 502", 0)
    dialogue.protocol.lost("HTTP 502", 0)

    assert dialogue.state() is ClientState.CONNECTING
    assert dialogue.protocol.retry_at == 1
    assert channels(dialogue.advance(1)) == ["/meta/connect"]
    dialogue.protocol.failed(dialogue.envelopes[-1], "HTTP 502", dialogue.now)
    assert dialogue.protocol.retry_at == dialogue.now + 2


def test_a_failed_goodbye_is_one_all_the_same(dialogue: Dialogue) -> None:
    dialogue.disconnect()
    dialogue.protocol.failed(dialogue.envelopes[-1], "HTTP 502", 0)

    assert dialogue.state() is ClientState.DISCONNECTED


@pytest.mark.parametrize("body", [b"[]", b"not Bayeux", b'[{"channel":"/a","data":1}]'])
def test_an_answer_without_a_reply_is_a_failure(dialogue: Dialogue, body: bytes) -> None:
    dialogue.protocol.receive(body, 0, answer_to=dialogue.envelopes[-1])
    dialogue.settle()

    [failed] = dialogue.take(RequestFailed)
    assert (failed.request.channel, failed.reason) == (
        "/meta/connect",
        "the server's answer has no reply to it",
    )
    assert channels(dialogue.advance(1)) == ["/meta/connect"]


def test_an_answer_with_a_reply_is_none(dialogue: Dialogue) -> None:
    poll = dialogue.envelopes[-1]
    dialogue.protocol.receive(json.dumps([dialogue.reply("/meta/connect")]), 0, answer_to=poll)

    assert channels(dialogue.settle()) == ["/meta/connect"]
    assert dialogue.take(RequestFailed) == []


# --- the short way for those who poll at a high rate ---


@pytest.mark.parametrize("ack", [False, True])
def test_the_short_way_says_the_same_as_the_long_one(*, ack: bool) -> None:
    short, long = Dialogue(ack=ack), Dialogue(ack=ack)
    for dialogue in (short, long):
        dialogue.enter(ext={"ack": ack}, advice={"timeout": 30_000})
        dialogue.now = 5
    for number in range(3):
        reply = {**long.reply("/meta/connect"), "ext": {"ack": number + 1}}
        [connect] = long.tell(reply)
        [message] = decode_server(json.dumps(reply))
        beat = short.protocol.beat(message, short.now)
        assert beat is not None
        assert json.loads(beat) == connect
        assert short.protocol.next_deadline() == long.protocol.next_deadline() == 45
    assert short.settle() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"successful": False},
        {"advice": {"interval": 0}},
        {"id": "2"},
        {"id": None},
    ],
)
def test_the_short_way_takes_only_what_is_usual(dialogue: Dialogue, fields: dict[str, object]) -> None:
    [message] = decode_server(json.dumps([{**dialogue.reply("/meta/connect"), **fields}]))

    assert dialogue.protocol.beat(message, 0) is None
    assert dialogue.settle() == []


@pytest.mark.parametrize("unusual", ["interval", "subscription", "first", "goodbye", "lost"])
def test_the_short_way_is_for_a_client_that_does_nothing_else(unusual: str) -> None:
    dialogue = Dialogue()
    dialogue.handshake()
    dialogue.answer("/meta/handshake", clientId="c1")
    if unusual != "first":
        dialogue.answer("/meta/connect", advice={"interval": 1_000 if unusual == "interval" else 0})
    if unusual == "interval":
        dialogue.wait()
    reply = dialogue.reply("/meta/connect")
    if unusual == "subscription":
        dialogue.protocol.subscriptions.want("/a")
    elif unusual == "goodbye":
        dialogue.disconnect()
    elif unusual == "lost":
        dialogue.lose()
    [message] = decode_server(json.dumps(reply))

    assert dialogue.protocol.beat(message, dialogue.now) is None
