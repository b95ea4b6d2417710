"""A client of the load: what it sends, and what it does when the server says no or goes away."""

import pytest

from mirant.load.client import Readiness
from mirant.load.target import Target
from tests.load.stage import Stage


@pytest.fixture
def stage() -> Stage:
    """Make a stage without extensions."""
    return Stage()


def test_it_subscribes_and_connects(stage: Stage) -> None:
    sent = stage.arrive()

    assert [(m["channel"], m.get("subscription")) for m in sent] == [
        ("/meta/subscribe", "/r/1"),
        ("/meta/subscribe", "/r/2"),
        ("/meta/connect", None),
    ]
    assert sent[2]["advice"] == {"timeout": 0}
    assert len({m["id"] for m in sent}) == 3
    assert all(m["clientId"] == "c1" for m in sent)


def test_it_is_ready_when_all_is_answered(stage: Stage) -> None:
    stage.arrive()
    for name in ("/r/1", "/meta/connect", "/r/2"):
        assert stage.client.readiness is Readiness.COMING
        stage.answer(name)

    assert stage.client.readiness.value == "ready"


def test_it_publishes_only_when_ready(stage: Stage) -> None:
    assert not stage.client.publish([b'{"data":1}'])
    stage.get_ready()

    assert stage.client.publish([b'{"data":1}'])
    assert stage.transport.take() == [{"data": 1}]


def test_it_connects_again_after_the_interval_it_was_advised(stage: Stage) -> None:
    [again] = stage.get_ready()
    assert "advice" not in again
    assert stage.answer("/meta/connect", advice={"interval": 2000}) == []
    stage.timers.advance(1.9)
    assert stage.transport.take() == []
    stage.timers.advance(0.2)

    assert [m["channel"] for m in stage.transport.take()] == ["/meta/connect"]


def test_it_acknowledges_what_it_has_seen() -> None:
    stage = Stage(Target(url="http://test/", ack=True))
    [held] = stage.get_ready(ext={"ack": True})
    assert held["ext"] == {"ack": 1}
    [held] = stage.answer("/meta/connect", ext={"ack": 2})

    assert held["ext"] == {"ack": 2}


def test_it_begins_to_acknowledge_where_the_handshake_says() -> None:
    stage = Stage(Target(url="http://test/", ack=True))
    sent = stage.arrive(ext={"ack": {"enabled": True, "batch": 7}})

    assert sent[-1]["ext"] == {"ack": 7}


def test_a_server_without_acknowledgements_is_reported() -> None:
    stage = Stage(Target(url="http://test/", ack=True))
    sent = stage.arrive()

    assert "ext" not in sent[-1]
    assert "did not agree to the ack extension" in str(stage.outside.failures)


def test_a_session_that_is_gone_is_made_anew(stage: Stage) -> None:
    stage.get_ready()
    advice = {"reconnect": "handshake", "interval": 0}
    sent = stage.answer("/meta/connect", successful=False, error="402::session_unknown", advice=advice)

    assert stage.client.readiness is Readiness.COMING
    assert [m["channel"] for m in sent] == ["/meta/handshake"]
    assert stage.outside.failures == {"connect refused: 402::session_unknown": 1}


def test_a_lost_connection_is_opened_again_later_each_time(stage: Stage) -> None:
    stage.get_ready()
    for failures in (1, 2, 3):
        stage.transport.close("it broke")
        stage.timers.advance(failures - 0.1)
        assert not stage.transport.is_open
        stage.timers.advance(0.2)
        assert stage.transport.is_open

    assert stage.transport.take()[-1]["channel"] == "/meta/connect"
    assert stage.outside.failures == {"it broke": 3}


def test_it_is_not_ready_again_before_the_server_has_answered_it(stage: Stage) -> None:
    stage.get_ready()
    stage.transport.close("it broke")
    assert not stage.client.publish([b"{}"])
    stage.timers.advance(1)
    [connect] = stage.transport.take()
    assert connect["advice"] == {"timeout": 0}
    assert stage.client.readiness is Readiness.COMING
    stage.answer("/meta/connect")

    assert stage.client.publish([b"{}"])


def test_a_refused_handshake_is_tried_again_unless_it_says_not_to(stage: Stage) -> None:
    stage.client.start()
    stage.transport.take()
    refused = {"successful": False, "error": "403::handshake_denied"}
    assert stage.answer("/meta/handshake", **refused) == []
    stage.timers.advance(1.1)
    assert [m["channel"] for m in stage.transport.take()] == ["/meta/handshake"]
    stage.answer("/meta/handshake", **refused, advice={"reconnect": "none"})
    stage.timers.advance(100)

    assert stage.transport.take() == []
    assert stage.client.readiness is Readiness.GONE


def test_a_refused_subscription_is_reported_and_it_never_gets_ready(stage: Stage) -> None:
    stage.arrive()
    stage.answer("/r/1", successful=False, error="403::no")
    stage.answer("/r/2")
    stage.answer("/meta/connect")

    assert stage.client.readiness is Readiness.COMING
    assert stage.outside.failures == {"subscribe refused: 403::no": 1}


def test_silence_ends_in_a_new_connection(stage: Stage) -> None:
    stage.get_ready()
    stage.client.check(39)
    assert stage.outside.failures == {}
    stage.client.check(41)

    assert not stage.transport.is_open
    assert stage.outside.failures == {"no reply to /meta/connect in time": 1}


def test_replies_to_publishes_are_passed_on(stage: Stage) -> None:
    stage.get_ready()
    stage.tell({"channel": "/r/1", "id": "p7", "successful": True}, {"channel": "/r/1", "id": "p8"})

    assert stage.outside.replies == [("p7", None), ("p8", "refused without a reason")]


def test_it_stays_away_when_the_server_ends_the_session(stage: Stage) -> None:
    stage.get_ready()
    stage.tell({"channel": "/meta/disconnect", "successful": True})

    assert stage.client.readiness is Readiness.GONE
    assert not stage.transport.is_open


def test_it_can_come_back_for_another_run(stage: Stage) -> None:
    stage.get_ready()
    stage.tell({"channel": "/meta/disconnect", "successful": True})
    stage.get_ready()

    assert stage.client.readiness is Readiness.READY


def test_it_says_goodbye(stage: Stage) -> None:
    stage.get_ready()
    stage.client.leave()
    [goodbye] = stage.transport.take()
    assert goodbye["channel"] == "/meta/disconnect"
    stage.answer("/meta/disconnect")

    assert not stage.transport.is_open
    assert stage.outside.failures == {}
