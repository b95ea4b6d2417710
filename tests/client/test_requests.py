"""Requests that wait: found by id, and overdue in order."""

import pytest

from mirant.client.requests import CONNECT, PendingRequest, PendingRequests


def test_ids_are_never_used_twice() -> None:
    requests = PendingRequests()

    assert len({requests.next_id() for _ in range(100)}) == 100


def test_a_request_is_taken_once() -> None:
    requests = PendingRequests()
    for request in (PendingRequest("1", "/a", 10), PendingRequest("2", CONNECT, 40)):
        requests.add(request)
        assert requests.take("3") is requests.take(None) is None
        assert requests.take(request.id) == request
        assert requests.take(request.id) is None
    assert requests.deadline is None


def test_there_is_one_connect() -> None:
    requests = PendingRequests()
    requests.add(PendingRequest("1", CONNECT, 40))

    with pytest.raises(AssertionError):
        requests.add(PendingRequest("2", CONNECT, 40))


def test_what_is_overdue_is_taken_and_the_rest_stays() -> None:
    requests = PendingRequests()
    for request in (
        PendingRequest("1", CONNECT, 40),
        PendingRequest("2", "/a", 10),
        PendingRequest("3", "/b", 12),
    ):
        requests.add(request)
    assert requests.deadline == 10
    assert [request.id for request in requests.take_overdue(10)] == ["2"]
    assert requests.deadline == 12
    assert (requests.has("/a"), requests.has("/b")) == (False, True)
    assert [request.id for request in requests.take_overdue(40)] == ["3", "1"]


def test_all_can_be_given_up() -> None:
    requests = PendingRequests()
    requests.add(PendingRequest("1", CONNECT, 40))
    requests.add(PendingRequest("2", "/a", 10))

    assert {request.id for request in requests.take_all()} == {"1", "2"}
    assert requests.take_all() == []
