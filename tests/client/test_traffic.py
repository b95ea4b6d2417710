"""Requests: sent, kept, and given up with one of the events of `mirant.client.events` each."""

import pytest

from mirant.bayeux.client_messages import ServerMessage
from mirant.client.events import RequestAnswered, RequestFailed, RequestRefused
from mirant.client.requests import CONNECT
from mirant.client.traffic import Traffic


def _write(name: str) -> bytes:
    return b'{"id":"%b"}' % name.encode()


def test_a_request_is_sent_and_waits() -> None:
    traffic = Traffic(network_delay=10)
    first = traffic.ask("/a", 5, _write)
    second = traffic.ask(CONNECT, 5, _write, path="/connect", held=30)

    assert [envelope.body for envelope in traffic.sending.take()] == [b'[{"id":"1"}]', b'[{"id":"2"}]']
    waiting = [traffic.requests.take(name) for name in (first, second)]
    assert [request.deadline for request in waiting if request is not None] == [15, 45]


def test_what_cannot_be_written_does_not_wait() -> None:
    def fail(name: str) -> bytes:
        raise TypeError(name)

    traffic = Traffic(network_delay=10)
    with pytest.raises(TypeError):
        traffic.ask("/a", 0, fail)

    assert traffic.requests.take_all() == []


def test_a_reply_settles_a_request() -> None:
    traffic = Traffic(network_delay=10)
    request = traffic.requests.take(traffic.ask("/a", 0, _write))
    assert request is not None

    assert traffic.settle(request, ServerMessage(successful=True)) is None
    assert traffic.settle(request, ServerMessage(error="403::no")) == "403::no"
    assert traffic.refuse(request, ServerMessage(error="403::no"), "405::ours") == "405::ours"
    assert [type(event) for event in traffic.events] == [RequestAnswered, RequestRefused, RequestRefused]


def test_everything_given_up_has_failed_and_is_not_sent() -> None:
    traffic = Traffic(network_delay=10)
    traffic.ask("/a", 0, _write)
    traffic.ask(CONNECT, 0, _write, path="/connect")
    traffic.fail_all("it broke")

    assert traffic.sending.take() == []
    assert [(type(event), getattr(event, "reason", "")) for event in traffic.events] == [
        (RequestFailed, "it broke")
    ] * 2
