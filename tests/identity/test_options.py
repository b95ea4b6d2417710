"""The options about identity: which values they take, which go together, and what is said about the rest."""

from typing import Any

import pytest

from mirant.identity.proxy_options import ProxyOptions
from mirant.identity.token_options import TokenOptions
from mirant.options.reading import read_options
from mirant.options.values import SettingsError
from tests.identity.signing import SECRET

KEY: dict[str, Any] = {"secret": SECRET, "algorithms": ["HS256"]}
PUBLIC: dict[str, Any] = {"public_key": "key.pem", "algorithms": ["RS256"]}
PROXY: dict[str, Any] = {"user_header": "X-User", "trusted": ["10.0.0.1"]}


def faults(tables: dict[str, Any]) -> list[str]:
    """Return what is said about *tables*, each with its place."""
    return [str(fault) for fault in read_options([TokenOptions, ProxyOptions], tables)[1]]


def test_without_tables_both_are_off() -> None:
    values, wrong = read_options([TokenOptions, ProxyOptions], {})

    assert not wrong
    assert not values[TokenOptions].enabled
    assert not values[ProxyOptions].enabled


def test_a_whole_table() -> None:
    table = {
        "from": ["cookie:session", "query:access_token", "ext.auth.token", "header:X-Token"],
        "jwks": "https://id.example/jwks.json",
        "algorithms": ["RS256", "EdDSA"],
        "refresh": "5m",
        "issuer": "https://id.example/",
        "audience": "bus",
        "leeway": "30s",
        "name": "email",
        "roles": "realm_access.roles",
        "require_expiry": False,
        "max_size": "4KiB",
    }
    values, wrong = read_options([TokenOptions], {"token": table})

    assert not wrong
    assert values[TokenOptions] == TokenOptions(
        sources=("cookie:session", "query:access_token", "ext.auth.token", "header:X-Token"),
        jwks="https://id.example/jwks.json",
        algorithms=("RS256", "EdDSA"),
        refresh=300.0,
        issuer="https://id.example/",
        audience=("bus",),
        leeway=30.0,
        name="email",
        roles="realm_access.roles",
        require_expiry=False,
        max_size=4096,
    )


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"secret": SECRET}, "token.algorithms: it is missing"),
        ({**KEY, "algorithms": []}, "token.algorithms: it is missing"),
        ({"algorithms": ["HS256"]}, "token.algorithms: tokens need a key"),
        ({"issuer": "x"}, "token.issuer: tokens need a key"),
        ({**KEY, "jwks": "set.json"}, "token.jwks: there should be one of secret and jwks"),
        ({**KEY, "from": []}, "token.from: name at least one place"),
        ({**KEY, "algorithms": ["HS256", "RS256"]}, "token.algorithms: RS256 does not go with secret"),
        ({**PUBLIC, "algorithms": ["HS256"]}, "token.algorithms: HS256 does not go with public_key"),
        ({"jwks": "a", "algorithms": ["ES256", "HS256"]}, "token.algorithms: HS256 does not go with jwks"),
    ],
)
def test_what_does_not_go_together(table: dict[str, Any], said: str) -> None:
    (found,) = faults({"token": table})
    assert found.startswith(said)
    assert SECRET not in found


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"user_header": "X-User"}, "proxy.trusted: it is missing"),
        ({"trusted": ["10.0.0.1"]}, "proxy.user_header: it is missing"),
        ({**PROXY, "trusted": []}, "proxy.trusted: it is missing"),
        ({"roles_header": "X-Roles"}, "proxy.user_header: it is missing"),
    ],
)
def test_what_is_missing_of_a_proxy(table: dict[str, Any], said: str) -> None:
    assert faults({"proxy": table})[0].startswith(said)


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


def test_a_secret_is_not_shown() -> None:
    assert SECRET not in repr(TokenOptions(secret=SECRET, algorithms=("HS256",)))
    with pytest.raises(SettingsError) as caught:
        TokenOptions(secret=SECRET, algorithms=("RS256",))
    assert SECRET not in str(caught.value)
