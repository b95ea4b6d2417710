"""The names under which a bus answers."""

from __future__ import annotations

import pytest

from mirant.bus.request import Request
from mirant.policy.host_names import HostFault, HostNames, is_loopback_address, is_loopback_name

FOREIGN, INVALID = HostFault.FOREIGN, HostFault.INVALID


def fault(host: str | None, *allowed: str, only_local: bool = False, **request: object) -> HostFault | None:
    headers = {} if host is None else {"host": host}
    headers.update(request.pop("headers", {}))  # type: ignore[call-overload]  # it is a dict
    return HostNames(allowed, only_local=only_local).fault(Request(headers, **request))  # type: ignore[arg-type]  # any field


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", None),
        ("LOCALHOST:8080", None),
        ("app.localhost.:80", None),
        ("127.0.0.1:8080", None),
        ("127.1.2.3", None),
        ("[::1]:8080", None),
        ("[::ffff:127.0.0.1]", None),
        ("evil.example", FOREIGN),
        ("evil.example:8080", FOREIGN),
        ("localhost.evil.example", FOREIGN),
        ("evillocalhost", FOREIGN),
        ("127.0.0.1.evil.example", FOREIGN),
        ("192.0.2.1", FOREIGN),
        ("[2001:db8::1]", FOREIGN),
        ("0.0.0.0", FOREIGN),
    ],
)
def test_where_only_this_machine_reaches_the_bus_only_its_names_are_ours(
    host: str, expected: HostFault | None
) -> None:
    """A page whose name points at 127.0.0.1 is of the same origin for its browser (DNS rebinding)."""
    assert fault(host, only_local=True) is expected
    assert fault(host) is None


@pytest.mark.parametrize("only_local", [False, True])
def test_the_names_that_are_given_are_ours_and_no_others(*, only_local: bool) -> None:
    names = ("bus.example", "*.bus.example", "192.0.2.1")
    for host in ("bus.example", "BUS.example.:8443", "a.bus.example", "192.0.2.1:80"):
        assert fault(host, *names, only_local=only_local) is None
    for host in ("evil.example", "bus.example.evil", "192.0.2.10"):
        assert fault(host, *names, only_local=only_local) is FOREIGN
    assert fault("localhost", *names, only_local=only_local) is (None if only_local else FOREIGN)
    assert fault("evil.example", "*", only_local=only_local) is None


@pytest.mark.parametrize("host", ["a b", "a,b", "a/b", "a@b", "a:b", "[::1", "a:99999"])
def test_what_is_not_a_host_is_invalid(host: str) -> None:
    assert fault(host) is INVALID


@pytest.mark.parametrize("host", [None, "", " "])
def test_only_http_1_1_demands_a_host(host: str | None) -> None:
    for version, expected in (("1.1", INVALID), ("1.0", None), ("2", None)):
        assert fault(host, only_local=True, version=version) is expected


def test_two_hosts_are_none() -> None:
    assert fault("a, a", repeated=frozenset({"host"})) is INVALID


@pytest.mark.parametrize(
    ("forwarded", "by_proxy", "expected"),
    [
        ("bus.example:443", True, None),
        ("evil.example", True, FOREIGN),
        ("evil.example", False, None),
        ("", True, FOREIGN),
    ],
)
def test_what_a_trusted_proxy_forwards_has_to_be_ours_too(
    forwarded: str, expected: HostFault | None, *, by_proxy: bool
) -> None:
    headers = {"x-forwarded-host": forwarded}
    assert fault("backend", "backend", "bus.example", headers=headers, by_proxy=by_proxy) is expected


@pytest.mark.parametrize(
    ("forwarded", "expected"), [("evil.example", FOREIGN), ("bus.example", None), ("localhost:3000", None)]
)
def test_and_so_it_has_where_the_proxy_asks_for_a_name_of_this_machine(
    forwarded: str, expected: HostFault | None
) -> None:
    headers = {"x-forwarded-host": forwarded}
    allowed = fault("127.0.0.1:8080", "bus.example", only_local=True, headers=headers, by_proxy=True)
    assert allowed is expected


def test_a_page_cannot_forge_its_way_in_by_what_a_proxy_would_say() -> None:
    headers = {"x-forwarded-host": "localhost", "sec-fetch-site": "same-origin"}
    assert fault("evil.example", only_local=True, headers=headers, by_proxy=True) is FOREIGN


def test_names_and_addresses_of_this_machine() -> None:
    assert is_loopback_name("localhost")
    assert not is_loopback_name("localhost.localdomain")
    assert is_loopback_address("::1")
    assert not is_loopback_address("localhost")
