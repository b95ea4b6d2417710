"""IP addresses that a proxy forwards."""

import pytest

from mirant.hosts.addresses import read_address


@pytest.fixture(scope="module", autouse=True)
def host() -> None:
    """No host."""


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::1", "::1"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("fe80::1%" + "z" * 56, "fe80::1%" + "z" * 56),
    ],
)
def test_an_address_has_its_usual_spelling(text: str, address: str) -> None:
    assert read_address(text) == address


@pytest.mark.parametrize(
    "text",
    [None, 7, b"203.0.113.9", "", "unknown", "203.0.113.9:80", "203.0.113.256", "fe80::1%" + "z" * 57],
)
def test_anything_else_is_none(text: object) -> None:
    assert read_address(text) is None
