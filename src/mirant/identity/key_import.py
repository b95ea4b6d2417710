"""Importing keys from a secret, a PEM file or a JSON Web Key Set (RFC 7517)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from mirant.bus.log_lines import one_line

# The members of a key that are read. The private parts are not needed, and addresses (x5u) are not followed.
_MEMBERS: Final = frozenset({"kty", "kid", "use", "key_ops", "alg", "n", "e", "crv", "x", "y"})
# Not "oct": a key set is public, so a secret in it is known to everybody.
_TYPES: Final = ("RSA", "EC", "OKP")

# RFC 7518, section 3.3: "A key of size 2048 bits or larger MUST be used".
_MIN_RSA: Final = 2048
# A signature by a longer key takes long to verify.
_MAX_RSA: Final = 8192

# Most keys in a set. This bounds the search for the one key that a token is tried with.
_MAX_KEYS: Final = 100

_decode = msgspec.json.Decoder(dict[str, Any]).decode

log = logging.getLogger("mirant")


class KeysInvalid(ValueError):
    """Something is not a usable key or key set. The text says why."""


def fits(key: Key, algorithm: str) -> bool:
    """Whether *key* is meant for signatures by *algorithm*: type, curve, ``use``, ``alg``, ``key_ops``."""
    try:
        JWSRegistry.algorithms[algorithm].check_key(key)
    except JoseError:
        return False
    operations = key.get("key_ops")
    if operations is not None and "verify" not in operations:
        return False
    # RFC 8037 has EdDSA for two curves; of these one is in use.
    return not isinstance(key, OKPKey) or key.curve_name == "Ed25519"


def import_secret(secret: bytes) -> Key:
    """Return the key for HMAC.

    Raises:
        KeysInvalid: it is a public key or a certificate, which everybody knows, or shorter than 32 bytes.
    """
    if b"-----BEGIN " in secret or secret.startswith((b"ssh-", b"ecdsa-")):
        raise KeysInvalid("this is not a secret but a key pair's key; name its file in public_key")
    if len(secret) < 32:  # RFC 7518, section 3.2
        raise KeysInvalid("a secret has 32 bytes or more")
    try:
        return OctKey.import_key(secret)
    except ValueError:
        raise KeysInvalid("this is not a secret but a public key; name its file in public_key") from None


def import_pem(raw: bytes) -> Key:
    """Return the public key in a PEM file, which may be that of a certificate.

    Raises:
        KeysInvalid: the file has no public key, or one of another type or size.
    """
    if b"PRIVATE KEY-----" in raw:
        raise KeysInvalid("this is a private key; the bus needs the public one, and nobody else's secret")
    try:
        certified = b"-----BEGIN CERTIFICATE-----" in raw
        native = load_pem_x509_certificate(raw).public_key() if certified else load_pem_public_key(raw)
    except (ValueError, UnsupportedAlgorithm):
        raise KeysInvalid("this is not a public key in PEM form") from None
    if isinstance(native, RSAPublicKey) and _MIN_RSA <= native.key_size <= _MAX_RSA:
        return RSAKey.import_key(native)
    if isinstance(native, EllipticCurvePublicKey) and native.curve.name == "secp256r1":
        return ECKey.import_key(native)
    if isinstance(native, Ed25519PublicKey):
        return OKPKey.import_key(native)
    raise KeysInvalid(
        f"this is not an RSA key of {_MIN_RSA} to {_MAX_RSA} bits, a P-256 key or an Ed25519 key"
    )


def import_key_set(raw: bytes) -> Sequence[Key]:
    """Return the keys of a set that can verify signatures. Keys for other purposes are left out.

    Raises:
        KeysInvalid: it is not a key set, or it has no such key.
    """
    try:
        entries = _decode(raw).get("keys")
    except (ValueError, RecursionError):
        raise KeysInvalid("this is not a JSON object") from None
    if not isinstance(entries, list) or len(entries) > _MAX_KEYS:
        raise KeysInvalid(f"this is not a key set of {_MAX_KEYS} keys at most")
    keys = [key for entry in entries if (key := _import_entry(entry)) is not None]
    if not keys:
        raise KeysInvalid("there is no public key for signatures in it")
    return keys


def _import_entry(entry: object) -> Key | None:
    if not isinstance(entry, dict) or entry.get("kty") not in _TYPES:
        return None
    public = {name: value for name, value in entry.items() if name in _MEMBERS}
    try:
        if public["kty"] == "RSA" and not _MIN_RSA <= _modulus_bits(public) <= _MAX_RSA:
            raise KeysInvalid(f"an RSA key should have {_MIN_RSA} to {_MAX_RSA} bits")
        key = JWKRegistry.import_key(public)
        key.as_dict()
    except (JoseError, UnsupportedAlgorithm, ValueError, TypeError, KeyError) as error:
        # A key that is invalid, or newer than this library, does not spoil the others.
        log.warning("keys.skipped error=%s: %s", type(error).__name__, one_line(error))
        return None
    return key


def _modulus_bits(entry: dict[str, Any]) -> int:
    """Return the length of an RSA key, to within a byte. The library warns when it reads a short one."""
    modulus = entry.get("n")
    return len(modulus) * 6 // 8 * 8 if isinstance(modulus, str) else 0
