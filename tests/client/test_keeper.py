"""The life of a session: how it is opened, held, brought back and ended."""

import pytest

from mirant.client.events import (
    RequestFailed,
    RequestRefused,
    RetryScheduled,
    SessionOpened,
    StateChanged,
    TransportUnwanted,
    TransportWanted,
)
from mirant.client.states import ClientState
from tests.client.dialogue import Dialogue, channels

UNKNOWN = {"successful": False, "error": "402::session_unknown"}


def test_it_opens_the_transport_and_shakes_hands() -> None:
    dialogue = Dialogue(handshake_fields={"ext": {"token": "t"}})
    [handshake] = dialogue.handshake()

    assert len(dialogue.take(TransportWanted)) == 1
    assert handshake == {
        "channel": "/meta/handshake",
        "id": "1",
        "version": "1.0",
        "minimumVersion": "1.0",
        "supportedConnectionTypes": ["websocket", "long-polling"],
        "ext": {"token": "t"},
    }


def test_the_first_connect_wants_to_be_answered_at_once_and_the_next_is_held() -> None:
    dialogue = Dialogue("long-polling")
    dialogue.handshake()
    [first] = dialogue.answer("/meta/handshake", clientId="c1")
    [second] = dialogue.answer("/meta/connect")

    common = {"channel": "/meta/connect", "clientId": "c1", "connectionType": "long-polling"}
    assert first == {**common, "id": "2", "advice": {"timeout": 0}}
    assert second == {**common, "id": "3"}
    assert [event.after for event in dialogue.take(StateChanged)] == [
        ClientState.HANDSHAKING,
        ClientState.CONNECTING,
        ClientState.CONNECTED,
    ]


def test_the_session_is_announced_with_its_reply() -> None:
    dialogue = Dialogue()
    dialogue.enter(supportedConnectionTypes=["long-polling"])

    [opened] = dialogue.take(SessionOpened)
    assert (opened.client_id, opened.is_acknowledging) == ("c1", False)
    assert opened.reply.supported_connection_types == ["long-polling"]


def test_another_transport_and_other_credentials_count_from_the_next_handshake() -> None:
    dialogue = Dialogue("websocket")
    dialogue.enter()
    dialogue.protocol.use("long-polling")
    dialogue.protocol.offer({"ext": {"token": "fresh"}})
    assert dialogue.answer("/meta/connect")[-1]["connectionType"] == "websocket"
    [handshake] = dialogue.answer("/meta/connect", **UNKNOWN)
    assert handshake["ext"] == {"token": "fresh"}
    [connect] = dialogue.answer("/meta/handshake", clientId="c2")

    assert connect["connectionType"] == "long-polling"


def test_the_next_connect_waits_for_the_interval_that_was_advised() -> None:
    dialogue = Dialogue()
    dialogue.enter()
    assert dialogue.answer("/meta/connect", advice={"interval": 2_000}) == []
    assert dialogue.protocol.retry_at == 2.0
    assert dialogue.advance(1.9) == []
    assert channels(dialogue.advance(0.1)) == ["/meta/connect"]
    assert dialogue.answer("/meta/connect") == []  # it holds until there is other advice
    dialogue.advance(2)

    assert channels(dialogue.answer("/meta/connect", advice={"interval": 0})) == ["/meta/connect"]


def test_several_clients_of_a_browser_poll_slowly_until_advised_otherwise() -> None:
    dialogue = Dialogue("long-polling")
    dialogue.enter()
    dialogue.answer(
        "/meta/connect", advice={"multiple-clients": True, "interval": 2_000, "reconnect": "retry"}
    )
    assert dialogue.protocol.advice.multiple_clients
    [connect] = dialogue.advance(2)
    assert "advice" not in connect
    dialogue.answer("/meta/connect", advice={"multiple-clients": False, "interval": 0})

    assert not dialogue.protocol.advice.multiple_clients


@pytest.mark.parametrize("advice", [{"reconnect": "handshake", "interval": 0}, None])
def test_a_session_that_the_server_does_not_know_is_made_anew(advice: object) -> None:
    dialogue = Dialogue()
    dialogue.subscribe("/a/**")
    dialogue.handshake()
    dialogue.answer("/meta/handshake", clientId="c1")
    dialogue.answer("/meta/subscribe")
    dialogue.answer("/meta/connect")
    [handshake] = dialogue.answer("/meta/connect", **UNKNOWN, advice=advice)

    assert handshake["channel"] == "/meta/handshake"
    assert "clientId" not in handshake
    assert dialogue.protocol.client_id is None
    [refused] = dialogue.take(RequestRefused)
    assert (refused.request.channel, refused.error) == ("/meta/connect", "402::session_unknown")
    sent = dialogue.answer("/meta/handshake", clientId="c2")
    assert [(m["channel"], m.get("subscription"), m["clientId"]) for m in sent] == [
        ("/meta/subscribe", "/a/**", "c2"),
        ("/meta/connect", None, "c2"),
    ]


def test_the_interval_of_an_unknown_session_is_waited_for() -> None:
    dialogue = Dialogue()
    dialogue.enter()
    advice = {"reconnect": "handshake", "interval": 10_000}
    assert dialogue.answer("/meta/connect", **UNKNOWN, advice=advice) == []
    assert dialogue.state() is ClientState.HANDSHAKING
    assert dialogue.advance(9.9) == []

    assert channels(dialogue.advance(0.1)) == ["/meta/handshake"]


def test_a_server_that_forgets_every_session_is_not_asked_without_end() -> None:
    dialogue = Dialogue()
    dialogue.enter()
    waits = []
    for _ in range(4):
        dialogue.answer("/meta/connect", **UNKNOWN)
        waits.append((dialogue.protocol.retry_at or dialogue.now) - dialogue.now)
        if dialogue.protocol.retry_at is not None:
            dialogue.wait()
        dialogue.answer("/meta/handshake", clientId="c2")

    assert waits == [0, 1, 2, 3]
    dialogue.answer("/meta/connect")  # now a session is good
    assert channels(dialogue.answer("/meta/connect", **UNKNOWN)) == ["/meta/handshake"]


def test_a_connect_that_is_refused_for_the_moment_is_sent_again_later() -> None:
    dialogue = Dialogue()
    dialogue.enter()
    advice = {"reconnect": "retry", "interval": 0}
    dialogue.answer("/meta/connect", successful=False, error="503::busy", advice=advice)

    assert dialogue.state() is ClientState.CONNECTING
    assert [event.reason for event in dialogue.take(RetryScheduled)] == ["503::busy"]
    [connect] = dialogue.advance(1)
    assert (connect["channel"], connect["clientId"], connect["advice"]) == (
        "/meta/connect",
        "c1",
        {"timeout": 0},
    )


def test_advice_given_before_decides_where_a_refusal_has_none() -> None:
    dialogue = Dialogue()
    dialogue.enter(advice={"reconnect": "retry"})
    dialogue.answer("/meta/connect", successful=False, error="500::oops")
    [connect] = dialogue.advance(1)

    assert connect["channel"] == "/meta/connect"


@pytest.mark.parametrize("successful", [True, False])
def test_a_client_that_is_told_not_to_come_back_stays_away(*, successful: bool) -> None:
    dialogue = Dialogue()
    dialogue.enter()
    sent = dialogue.answer("/meta/connect", successful=successful, advice={"reconnect": "none"})

    assert sent == []
    assert dialogue.state() is ClientState.DISCONNECTED
    assert len(dialogue.take(TransportUnwanted)) == 1
    assert dialogue.protocol.next_deadline() is None
    assert dialogue.advance(1_000) == []


def test_a_successful_connect_may_advise_to_handshake() -> None:
    dialogue = Dialogue()
    dialogue.enter()

    assert channels(dialogue.answer("/meta/connect", advice={"reconnect": "handshake"})) == [
        "/meta/handshake"
    ]


def test_a_refused_handshake_is_tried_again_unless_it_says_not_to() -> None:
    dialogue = Dialogue()
    dialogue.handshake()
    refused = {"successful": False, "error": "403::handshake_denied"}
    assert dialogue.answer("/meta/handshake", **refused) == []
    assert channels(dialogue.advance(1)) == ["/meta/handshake"]
    dialogue.answer("/meta/handshake", **refused, advice={"reconnect": "retry", "interval": 5_000})
    assert dialogue.advance(4.9) == []
    assert channels(dialogue.advance(0.1)) == ["/meta/handshake"]
    dialogue.answer("/meta/handshake", **refused, advice={"reconnect": "none"})

    assert dialogue.advance(1_000) == []
    assert dialogue.state() is ClientState.DISCONNECTED
    assert [event.error for event in dialogue.take(RequestRefused)] == ["403::handshake_denied"] * 3


def test_a_handshake_without_a_session_is_refused() -> None:
    dialogue = Dialogue()
    dialogue.handshake()
    dialogue.answer("/meta/handshake")

    assert [event.error for event in dialogue.take(RequestRefused)] == ["refused without a reason"]
    assert dialogue.state() is ClientState.HANDSHAKING


def test_a_server_without_a_common_transport_is_left() -> None:
    dialogue = Dialogue()
    dialogue.handshake()
    dialogue.answer("/meta/handshake", clientId="c1", supportedConnectionTypes=["carrier-pigeon"])

    assert [event.error for event in dialogue.take(RequestRefused)] == ["405::no_transport"]
    assert dialogue.state() is ClientState.DISCONNECTED


def test_a_lost_connection_is_opened_again_later_each_time() -> None:
    dialogue = Dialogue(backoff_step=1.0, backoff_limit=2.5)
    dialogue.enter()
    dialogue.opens = False
    for delay in (1, 2, 2.5, 2.5):
        dialogue.take(TransportWanted)
        dialogue.lose()
        dialogue.advance(delay - 0.01)
        assert dialogue.take(TransportWanted) == []
        dialogue.advance(0.01)
        assert len(dialogue.take(TransportWanted)) == 1
    [connect] = dialogue.open()

    assert (connect["clientId"], connect["advice"]) == ("c1", {"timeout": 0})
    assert dialogue.state() is ClientState.CONNECTING
    dialogue.answer("/meta/connect")
    assert dialogue.state() is ClientState.CONNECTED
    dialogue.lose()
    assert dialogue.protocol.retry_at == dialogue.now + 1  # success begins anew


def test_a_transport_that_opens_by_itself_is_used_when_it_is_time() -> None:
    dialogue = Dialogue()
    dialogue.enter()
    dialogue.lose()
    assert dialogue.open() == []

    assert channels(dialogue.advance(1)) == ["/meta/connect"]


def test_what_was_under_way_on_a_lost_connection_has_failed() -> None:
    dialogue = Dialogue()
    dialogue.enter()
    dialogue.publish("/a", 1)
    dialogue.subscribe("/b")
    dialogue.lose("a cable was pulled")

    failed = {event.request.channel: event.reason for event in dialogue.take(RequestFailed)}
    assert failed == dict.fromkeys(("/a", "/meta/subscribe", "/meta/connect"), "a cable was pulled")
    assert channels(dialogue.advance(1)) == ["/meta/subscribe", "/meta/connect"]


def test_a_session_that_must_have_expired_is_made_anew() -> None:
    dialogue = Dialogue()
    dialogue.enter(advice={"timeout": 5_000, "interval": 0, "maxInterval": 10_000})
    dialogue.opens = False
    dialogue.lose()
    while dialogue.protocol.client_id is not None:
        dialogue.wait()
        dialogue.lose()
    dialogue.opens = True

    assert dialogue.protocol.retry_at == 15 + 6  # 1 + 2 + 3 + 4 + 5 s of waiting, and the next 6
    assert channels(dialogue.wait()) == ["/meta/handshake"]


def test_silence_ends_in_a_new_connection() -> None:
    dialogue = Dialogue(network_delay=10)
    dialogue.enter(advice={"timeout": 30_000})
    dialogue.advance(39.9)
    assert dialogue.take(TransportUnwanted) == []
    dialogue.opens = False
    dialogue.advance(0.1)

    assert [event.reason for event in dialogue.take(TransportUnwanted)] == [
        "no reply to /meta/connect in time"
    ]
    assert [event.request.channel for event in dialogue.take(RequestFailed)] == ["/meta/connect"]
    dialogue.advance(1)
    assert len(dialogue.take(TransportWanted)) == 2  # one of them was the first


def test_a_first_connect_and_a_handshake_are_overdue_sooner() -> None:
    dialogue = Dialogue(network_delay=10, hold=60)
    dialogue.handshake()
    assert dialogue.protocol.next_deadline() == 10
    dialogue.advance(9)
    dialogue.answer("/meta/handshake", clientId="c1")
    assert dialogue.protocol.next_deadline() == 19
    dialogue.answer("/meta/connect")

    assert dialogue.protocol.next_deadline() == 79


def test_an_overdue_publish_fails_and_nothing_else() -> None:
    dialogue = Dialogue(network_delay=10)
    dialogue.enter()
    dialogue.publish("/a", 1)
    dialogue.advance(10)

    assert [event.request.channel for event in dialogue.take(RequestFailed)] == ["/a"]
    assert dialogue.state() is ClientState.CONNECTED


def test_it_says_goodbye_and_closes_the_transport_at_the_reply() -> None:
    dialogue = Dialogue()
    dialogue.enter()
    [goodbye] = dialogue.disconnect()
    assert (goodbye["channel"], goodbye["clientId"]) == ("/meta/disconnect", "c1")
    assert dialogue.disconnect() == []
    assert dialogue.answer("/meta/connect", advice={"reconnect": "none"}) == []
    assert dialogue.state() is ClientState.DISCONNECTING
    dialogue.answer("/meta/disconnect")

    assert dialogue.state() is ClientState.DISCONNECTED
    assert not dialogue.is_open
    assert dialogue.protocol.next_deadline() is None


@pytest.mark.parametrize("end", ["refused", "lost", "silence"])
def test_a_goodbye_ends_the_client_whatever_comes_of_it(end: str) -> None:
    dialogue = Dialogue()
    dialogue.enter()
    dialogue.disconnect()
    if end == "refused":
        dialogue.answer("/meta/disconnect", **UNKNOWN)
    elif end == "lost":
        dialogue.lose()
    else:
        dialogue.advance(10)

    assert dialogue.state() is ClientState.DISCONNECTED
    assert dialogue.advance(1_000) == []


def test_a_client_without_a_connection_is_gone_at_once() -> None:
    dialogue = Dialogue()
    dialogue.opens = False
    dialogue.handshake()
    dialogue.disconnect()

    assert dialogue.state() is ClientState.DISCONNECTED
    assert len(dialogue.take(TransportUnwanted)) == 1
    assert dialogue.open() == []
    assert len(dialogue.take(TransportUnwanted)) == 1  # it opened after all


def test_a_session_that_the_server_ends_is_over() -> None:
    dialogue = Dialogue()
    dialogue.enter()
    dialogue.publish("/a", 1)
    dialogue.tell({"channel": "/meta/disconnect", "successful": True})

    assert dialogue.state() is ClientState.DISCONNECTED
    assert {event.reason for event in dialogue.take(RequestFailed)} == {"the server ended the session"}
    assert not dialogue.is_open
    [handshake] = dialogue.handshake()  # it may come back when the application says so
    assert handshake["channel"] == "/meta/handshake"


def test_a_goodbye_of_the_server_means_nothing_to_a_client_without_a_session() -> None:
    dialogue = Dialogue()
    dialogue.handshake()
    dialogue.tell({"channel": "/meta/disconnect", "successful": True})

    assert dialogue.state() is ClientState.HANDSHAKING
    assert channels(dialogue.answer("/meta/handshake", clientId="c1")) == ["/meta/connect"]


def test_a_transport_that_is_open_before_is_used_at_once() -> None:
    dialogue = Dialogue("long-polling")
    assert dialogue.open() == []

    assert channels(dialogue.handshake()) == ["/meta/handshake"]
    assert dialogue.take(TransportWanted) == []
