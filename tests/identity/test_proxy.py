"""The headers of a proxy: from whom they are believed, and which names are taken."""

import pytest

from mirant.bus.identity import CredentialRefused, Identity
from mirant.bus.request import UNIX, Request
from mirant.identity.proxy import Proxy
from mirant.identity.proxy_options import ProxyOptions

PROXY = Proxy(
    ProxyOptions(user_header="X-User", roles_header="X-Roles", trusted=("10.0.0.0/8", "::1", "unix"))
)


def request(peer: str | None = "10.0.0.1", *repeated: str, **headers: str) -> Request:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(headers=fields, peer=peer, address="10.0.0.1", repeated=frozenset(repeated))


@pytest.mark.parametrize("peer", ["10.0.0.1", "::1", "::ffff:10.0.0.1", UNIX])
def test_a_trusted_peer_names_a_user_and_roles(peer: str) -> None:
    found = PROXY.identify(request(peer, x_user=" ann ", x_roles="a, b  c,"))
    assert found == Identity("ann", frozenset({"a", "b", "c"}))


def test_names_are_utf_8() -> None:
    found = PROXY.identify(request(x_user="Jürgen".encode().decode("latin-1")))
    assert found is not None
    assert found.name == "Jürgen"


def test_a_peer_that_names_nobody() -> None:
    assert PROXY.identify(request("203.0.113.9")) is None
    assert PROXY.identify(request(x_roles="a")) is None


@pytest.mark.parametrize("peer", ["203.0.113.9", None, "", "proxy.example"])
@pytest.mark.parametrize("header", ["x-user", "x-roles"])
def test_another_peer_is_refused_though_the_address_says_otherwise(peer: str | None, header: str) -> None:
    with pytest.raises(CredentialRefused) as caught:
        PROXY.identify(request(peer, **{header: "ann"}))
    assert (caught.value.event, caught.value.facts) == ("identity.forged", {"header": header})


@pytest.mark.parametrize("header", ["x-user", "x-roles"])
def test_a_header_that_came_twice_is_refused(header: str) -> None:
    with pytest.raises(CredentialRefused, match="user_invalid"):
        PROXY.identify(request("10.0.0.1", header, x_user="ann"))


@pytest.mark.parametrize("user", ["ann,bob", "a\x01b", "\xff", "a" * 256])
def test_names_that_are_refused(user: str) -> None:
    with pytest.raises(CredentialRefused, match="user_invalid"):
        PROXY.identify(request(x_user=user))
