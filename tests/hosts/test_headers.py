"""The headers of a request by their names."""

import pytest

from mirant.hosts.headers import as_mapping, read_headers


@pytest.fixture(scope="module", autouse=True)
def host() -> None:
    """No host."""


def test_names_are_in_lower_case_and_values_as_they_came() -> None:
    assert as_mapping([(b"Content-Type", b"Text/Plain"), (b"X", b"\xe9")]) == {
        "content-type": "Text/Plain",
        "x": "\xe9",
    }


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
