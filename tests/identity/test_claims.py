"""Claims of a verified token, read without a token around them."""

from typing import Any

import pytest

from mirant.identity.claims import ClaimsReader, read_name, read_object
from mirant.identity.token_invalid import Reason, TokenInvalid
from mirant.identity.token_options import TokenOptions
from tests.identity.signing import CLAIMS, NOW, SECRET


def reader(**options: Any) -> ClaimsReader:
    return ClaimsReader(TokenOptions(secret=SECRET, algorithms=("HS256",), **options))


def refusal(claims: dict[str, Any], **options: Any) -> Reason:
    with pytest.raises(TokenInvalid) as caught:
        reader(**options).read(claims, NOW, b"")
    return caught.value.reason


def test_claims_are_an_identity() -> None:
    identity = reader(leeway=5.0).read({**CLAIMS, "roles": "a b"}, NOW, b"digest")

    assert (identity.name, identity.roles) == ("alice", frozenset({"a", "b"}))
    assert identity.valid_for == 65
    assert identity.fingerprint == b"digest"


def test_dots_lead_into_objects_unless_a_claim_has_that_very_name() -> None:
    nested = {"user": {"name": "ann"}, "exp": NOW + 1}
    named = {**nested, "user.name": "bob"}

    assert reader(name="user.name").read(nested, NOW, b"").name == "ann"
    assert reader(name="user.name").read(named, NOW, b"").name == "bob"
    assert refusal({**nested, "user": "a text"}, name="user.name") is Reason.CLAIM


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({**CLAIMS, "exp": NOW}, Reason.EXPIRED),
        ({**CLAIMS, "nbf": NOW + 1}, Reason.NOT_YET_VALID),
        ({**CLAIMS, "iat": NOW + 1}, Reason.NOT_YET_VALID),
        ({**CLAIMS, "exp": True}, Reason.CLAIM),
        ({**CLAIMS, "exp": None}, Reason.CLAIM),
        ({"sub": "alice"}, Reason.CLAIM),
        ({**CLAIMS, "aud": "another"}, Reason.AUDIENCE),
        ({**CLAIMS, "roles": ["a", 7]}, Reason.CLAIM),
        ({**CLAIMS, "roles": {"a": 1}}, Reason.CLAIM),
    ],
)
def test_claims_that_are_refused(claims: dict[str, Any], reason: Reason) -> None:
    assert refusal(claims) is reason


@pytest.mark.parametrize("raw", [b"[]", b"{", b'{"a":1,"a":1}', b'{"a":{"b":1,"b":2}}', b"{} {}", b"\xff"])
def test_json_that_is_not_an_object_with_unique_names(raw: bytes) -> None:
    with pytest.raises(TokenInvalid) as caught:
        read_object(raw)
    assert caught.value.reason is Reason.MALFORMED


@pytest.mark.parametrize("name", ["", " a", "a\n", "a" * 256, "a\u200bb", 7, None])
def test_names_that_are_refused(name: object) -> None:
    with pytest.raises(TokenInvalid):
        read_name(name, "the user")


def test_the_longest_name() -> None:
    assert read_name("a" * 255, "the user") == "a" * 255
