"""The options about tokens: a whole table, what contradicts each other, and that a secret stays secret."""

from typing import Any

import pytest

from mirant.identity.token_options import TokenOptions
from mirant.options.reading import read_options
from mirant.options.values import SettingsError
from tests.identity.signing import SECRET

KEY: dict[str, Any] = {"secret": SECRET, "algorithms": ["HS256"]}
PUBLIC: dict[str, Any] = {"public_key": "key.pem", "algorithms": ["RS256"]}


def faults(table: dict[str, Any]) -> list[str]:
    """Return what is said about a *table*, each with its place."""
    return [str(fault) for fault in read_options([TokenOptions], {"token": table})[1]]


def test_without_a_table_tokens_are_off() -> None:
    values, wrong = read_options([TokenOptions], {})

    assert not wrong
    assert not values[TokenOptions].enabled


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
    (found,) = faults(table)
    assert found.startswith(said)
    assert SECRET not in found


def test_a_secret_is_not_shown() -> None:
    assert SECRET not in repr(TokenOptions(secret=SECRET, algorithms=("HS256",)))
    with pytest.raises(SettingsError) as caught:
        TokenOptions(secret=SECRET, algorithms=("RS256",))
    assert SECRET not in str(caught.value)
