"""The kinds of values that options about identity have: which are taken, and which are refused."""

from typing import Any

import pytest

from mirant.identity.proxy_options import ProxyOptions
from mirant.identity.token_options import TokenOptions
from mirant.options.reading import read_options
from tests.identity.signing import SECRET

KEY: dict[str, Any] = {"secret": SECRET, "algorithms": ["HS256"]}
PROXY: dict[str, Any] = {"user_header": "X-User", "trusted": ["10.0.0.1"]}


def faults(tables: dict[str, Any]) -> list[str]:
    """Return what is said about *tables*, each with its place."""
    return [str(fault) for fault in read_options([TokenOptions, ProxyOptions], tables)[1]]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("algorithms", ["none"]),
        ("algorithms", ["NONE"]),
        ("algorithms", "HS256"),
        ("algorithms", [7]),
        ("algorithms", ["HS256", "HS256"]),
        ("from", ["ext"]),
        ("from", ["ext."]),
        ("from", ["ext:token"]),
        ("from", ["header:"]),
        ("from", ["header:a b"]),
        ("from", ["cookie:a=b"]),
        ("from", ["body:token"]),
        ("from", "ext.token"),
        ("leeway", "6m"),
        ("leeway", -1),
        ("refresh", 0),
        ("audience", [""]),
        ("audience", 7),
        ("issuer", ""),
        ("issuer", 7),
        ("name", " "),
        ("roles", "a\nb"),
        ("max_size", 0),
        ("require_expiry", "no"),
        ("jwks", "http://id.example/jwks.json"),
        ("jwks", "http://127.0.0.1.evil.example/"),
        ("jwks", "http://localhost@evil.example/"),
        ("jwks", "https://user:password@id.example/"),
        ("jwks", "https://"),
        ("jwks", "https://["),
        ("jwks", "https://a:x/"),
        ("jwks", "file:///etc/passwd"),
        ("jwks", "ftp://id.example/"),
        ("jwks", ""),
        ("jwks", 7),
    ],
)
def test_values_that_cannot_be(option: str, value: object) -> None:
    (found,) = faults({"token": {**KEY, option: value}})[:1]
    assert found.startswith(f"token.{option}: ")
    assert " should be " in found


@pytest.mark.parametrize(
    "url", ["https://id.example/a", "http://127.0.0.1:8080/a", "http://[::1]/a", "http://localhost/a"]
)
def test_where_a_key_set_may_be(url: str) -> None:
    assert TokenOptions(jwks=url, algorithms=("ES256",)).jwks == url


@pytest.mark.parametrize(
    "trusted", [["10.0.0.1/8"], ["proxy.example"], ["unix:"], [""], [7], "10.0.0.1", ["10.0.0.1", "10.0.0.1"]]
)
def test_networks_that_are_none(trusted: object) -> None:
    (found,) = faults({"proxy": {**PROXY, "trusted": trusted}})
    assert found.startswith("proxy.trusted: ")


@pytest.mark.parametrize("header", ["", "X User", "X-User:", 7, "X\nUser"])
def test_headers_that_are_none(header: object) -> None:
    assert faults({"proxy": {**PROXY, "user_header": header}})[0].startswith("proxy.user_header: ")


@pytest.mark.parametrize("secret", ["", "a" * 31, 7, ["a" * 32], "ä" * 15])
def test_secrets_that_are_none(secret: object) -> None:
    (found,) = faults({"token": {**KEY, "secret": secret}})
    assert found.startswith("token.secret: this should be a text of 32 bytes or more")
