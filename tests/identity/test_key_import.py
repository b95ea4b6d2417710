"""Importing keys: which are taken from a secret, a PEM file or a key set, and which are refused."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from mirant.identity.key_import import KeysInvalid, import_key_set, import_pem, import_secret
from tests.identity.signing import issuer, part

OLD, NEW = issuer("ES256", "old"), issuer("ES256", "new")


# --- Key sets ---


def kids(*entries: object) -> list[str | None]:
    return [key.kid for key in import_key_set(json.dumps({"keys": entries}).encode())]


def test_keys_for_other_purposes_are_left_out() -> None:
    good = NEW.jwk()
    secret = {"kty": "oct", "kid": "oct", "k": part(b"a" * 32)}
    short = {**issuer("RS256").jwk(), "n": part(b"\xff" * 128), "kid": "short"}
    broken: list[object] = [
        7,
        None,
        [],
        {},
        {"kty": 7},
        {"kty": ["RSA"]},
        {"kty": "AKP"},
        {"kty": "EC"},
        {**good, "crv": "P-1"},
    ]
    broken += [{**good, "x": 7}, {**good, "x": "!"}, {**good, "x": part(b"\1" * 32)}, {**good, "kid": 7}]

    assert kids(secret, short, *broken, good) == ["new"]


def test_private_parts_are_not_read() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    entry = {**NEW.jwk(), "d": part(key.private_numbers().private_value.to_bytes(32, "big"))}

    (imported,) = import_key_set(json.dumps({"keys": [entry]}).encode())
    assert not imported.is_private


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":[]}',
        b'{"keys":[{}]}',
        b"\xff",
        b"<html>",
        b'{"keys":' + b"[" * 9_999,
        json.dumps({"keys": [NEW.jwk()] * 101}).encode(),
    ],
)
def test_what_is_no_key_set(raw: bytes) -> None:
    with pytest.raises(KeysInvalid):
        import_key_set(raw)


MEMBER = (
    st.none()
    | st.integers()
    | st.text(max_size=6)
    | st.lists(st.text(max_size=3), max_size=2)
    | st.booleans()
)


@given(
    st.sampled_from([OLD.jwk(), issuer("RS256", "r").jwk(), issuer("EdDSA", "o").jwk()]),
    st.dictionaries(
        st.sampled_from(["kty", "kid", "use", "key_ops", "alg", "n", "e", "crv", "x", "y", "d"]),
        MEMBER,
        max_size=3,
    ),
)
def test_any_members(entry: dict[str, Any], members: dict[str, Any]) -> None:
    try:
        keys = import_key_set(json.dumps({"keys": [{**entry, **members}]}).encode())
    except KeysInvalid:
        return
    assert len(keys) == 1


# --- Secrets and PEM files ---


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_public_key_is_no_secret(algorithm: str) -> None:
    der = rsa.generate_private_key(65537, 2048).public_key()
    for raw in (
        issuer(algorithm).pem,
        b" \n" + issuer(algorithm).pem,
        der.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    ):
        with pytest.raises(KeysInvalid, match="public_key"):
            import_secret(raw)


@pytest.mark.parametrize(
    "raw", [b"", b"a" * 31, b"ssh-ed25519 " + b"a" * 60, b"ecdsa-sha2-nistp256 " + b"a" * 60]
)
def test_what_is_no_secret(raw: bytes) -> None:
    with pytest.raises(KeysInvalid):
        import_secret(raw)


def test_keys_that_are_too_weak_or_of_no_use_here() -> None:
    for key in (
        rsa.generate_private_key(65537, 1024),
        ec.generate_private_key(ec.SECP384R1()),
        ed448.Ed448PrivateKey.generate(),
        dsa.generate_private_key(1024),
    ):
        with pytest.raises(KeysInvalid, match="RSA key of 2048 to 8192 bits, a P-256 key or an Ed25519 key"):
            import_pem(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def test_a_private_key_does_not_belong_on_the_bus() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(KeysInvalid, match="private key"):
        import_pem(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"a",
        b"-----BEGIN PUBLIC KEY-----",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    ],
)
def test_what_is_no_public_key(raw: bytes) -> None:
    with pytest.raises(KeysInvalid, match="PEM"):
        import_pem(raw)


# --- Secrets in key sets ---


def test_a_secret_in_a_key_set_is_left_out_without_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """It is left out because everybody can read the set, not because it could not be read."""
    secret = {"kty": "oct", "kid": "oct", "alg": "HS256", "k": part(b"a" * 32)}

    assert kids(secret, NEW.jwk()) == ["new"]
    assert caplog.records == []


def test_a_key_set_of_secrets_alone_is_not_one() -> None:
    with pytest.raises(KeysInvalid, match="no public key for signatures"):
        kids({"kty": "oct", "kid": "oct", "alg": "HS256", "k": part(b"a" * 32)})


def test_a_key_that_cannot_be_read_is_left_out_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert kids({**OLD.jwk(), "crv": "P-1"}, NEW.jwk()) == ["new"]
    assert "keys.skipped error=" in caplog.text
