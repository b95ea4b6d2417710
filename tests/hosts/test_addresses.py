"""Addresses that somebody else wrote down: what counts as one."""

import pytest

from mirant import Bus, Handshake, Identity
from mirant.hosts.addresses import read_address
from tests.hosts.serving import serving
from tests.hosts.test_proxies import LOOPBACK, handshake
from tests.hosts.wire import Wire


@pytest.mark.parametrize(
    "text", [None, 7, "", "localhost", "1.2.3", "1.2.3.4.5", "::1%" + "x" * 70, "1" * 70]
)
def test_what_is_no_address_is_none(text: object) -> None:
    assert read_address(text) is None


def test_an_address_is_spelt_as_usual() -> None:
    assert read_address("2001:DB8:0::1") == "2001:db8::1"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:1234", "192.0.2.7"),
        ("[2001:DB8:0::1]:443", "2001:db8::1"),
        ("192.0.2.7 name=root", None),
        ("unknown", None),
        ("_hidden", None),
        ("fe80::1%" + "x" * 5_000, None),
        ("1" * 5_000, None),
    ],
)
async def test_what_is_forwarded_counts_if_it_is_an_address(
    forwarded: str, address: str | None, host: str
) -> None:
    bus = Bus()
    seen: list[str | None] = []

    @bus.authenticate
    def who(handshake: Handshake) -> Identity:
        seen.append(handshake.request.address)
        return Identity("somebody")

    async with serving(bus) as url, Wire.to(url) as wire:
        await handshake(wire, f"X-Forwarded-For: {forwarded}")
    assert seen == [address or (LOOPBACK if host == "native" else None)]


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
