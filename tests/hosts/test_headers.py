"""The headers of a request by their names."""

import pytest

from mirant.hosts.headers import as_mapping, read_headers


@pytest.fixture(scope="module", autouse=True)
def host() -> None:
    """No host at all."""


def test_names_are_in_lower_case_and_values_as_they_came() -> None:
    assert as_mapping([(b"X-Token", b"A b"), (b"Accept", b"\xe9")]) == {"x-token": "A b", "accept": "\xe9"}


def test_repeated_headers_are_joined_and_named() -> None:
    """RFC 9110, section 5.3; for cookies RFC 6265, section 5.4."""
    headers = [(b"A", b"1"), (b"Cookie", b"c=1"), (b"a", b"2"), (b"cookie", b"d=2"), (b"B", b"3")]
    mapping, repeated = read_headers(headers)

    assert mapping == {"a": "1, 2", "cookie": "c=1; d=2", "b": "3"}
    assert repeated == {"a", "cookie"}


def test_no_header_is_repeated_in_most_requests() -> None:
    assert read_headers([(b"a", b"1"), (b"b", b"2")])[1] == frozenset()


def test_repeated_ones_are_joined_and_named() -> None:
    headers = [
        (b"A", b"1"),
        (b"Cookie", b"x=1"),
        (b"a", b"2"),
        (b"B", b"3"),
        (b"cookie", b"y=2"),
        (b"A", b"4"),
    ]
    mapping, repeated = read_headers(headers)
    assert mapping == {"a": "1, 2, 4", "cookie": "x=1; y=2", "b": "3"}
    assert repeated == {"a", "cookie"}


def test_without_repetition_there_is_none() -> None:
    assert read_headers([(b"A", b"1")]) == ({"a": "1"}, frozenset())
    assert read_headers([]) == ({}, frozenset())
