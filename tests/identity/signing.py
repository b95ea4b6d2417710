"""Issuers of tokens: made by hand from bytes, so that they can also make what no library would."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mirant.identity.key_import import import_secret
from mirant.identity.keys import FixedKey
from mirant.identity.token_options import TokenOptions
from mirant.identity.tokens import Tokens

NOW = 1_700_000_000.0
SECRET = "a secret of these tests, and not a short one"
CLAIMS = {"sub": "alice", "exp": NOW + 60}

Json = dict[str, Any]


def part(value: object) -> str:
    """Return one part of a token: JSON, or bytes as they are."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def with_secret(
    claims: object = CLAIMS, header: Json | bytes | None = None, secret: str | bytes = SECRET
) -> str:
    """Return a token signed with HS256, whatever its header says."""
    signed = f"{part({'alg': 'HS256'} if header is None else header)}.{part(claims)}"
    key = secret.encode() if isinstance(secret, str) else secret
    return f"{signed}.{part(hmac.digest(key, signed.encode(), 'sha256'))}"


class Issuer:
    """Signs tokens with the key pair of one algorithm."""

    def __init__(self, algorithm: str, kid: str | None = None) -> None:
        self.algorithm = algorithm
        self.kid = kid
        self._key: Any = _generate(algorithm)

    def sign(self, claims: object = CLAIMS, **header: object) -> str:
        """Return a token; a *header* of None is left out."""
        fields = {"alg": self.algorithm, "kid": self.kid, **header}
        signed = (
            f"{part({name: value for name, value in fields.items() if value is not None})}.{part(claims)}"
        )
        return f"{signed}.{part(self._signature(signed.encode()))}"

    def _signature(self, data: bytes) -> bytes:
        if self.algorithm == "RS256":
            return bytes(self._key.sign(data, PKCS1v15(), SHA256()))
        if self.algorithm == "ES256":
            numbers = decode_dss_signature(self._key.sign(data, ec.ECDSA(SHA256())))
            return b"".join(number.to_bytes(32, "big") for number in numbers)
        return bytes(self._key.sign(data))

    @property
    def pem(self) -> bytes:
        """The public key."""
        return bytes(self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    def jwk(self, **members: object) -> Json:
        """Return the public key for a key set."""
        named = {} if self.kid is None else {"kid": self.kid}
        return {**_jwk(self._key.public_key()), **named, **members}


def key_set(*issuers: Issuer) -> bytes:
    """Return the key set of *issuers*."""
    return json.dumps({"keys": [issuer.jwk() for issuer in issuers]}).encode()


def _generate(algorithm: str) -> object:
    if algorithm == "RS256":
        return rsa.generate_private_key(65537, 2048)
    return (
        ec.generate_private_key(ec.SECP256R1())
        if algorithm == "ES256"
        else ed25519.Ed25519PrivateKey.generate()
    )


def _jwk(key: Any) -> Json:
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"kty": "RSA", "n": part(numbers.n.to_bytes(256, "big")), "e": "AQAB"}
    if isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_numbers()
        return {
            "kty": "EC",
            "crv": "P-256",
            "x": part(point.x.to_bytes(32, "big")),
            "y": part(point.y.to_bytes(32, "big")),
        }
    return {"kty": "OKP", "crv": "Ed25519", "x": part(key.public_bytes(Encoding.Raw, PublicFormat.Raw))}


@cache
def issuer(algorithm: str, kid: str | None = None) -> Issuer:
    """Return the one issuer of that name; making keys takes long."""
    return Issuer(algorithm, kid)


def tokens(**options: Any) -> Tokens:
    """Return what verifies tokens of `with_secret`."""
    return Tokens(
        TokenOptions(secret=SECRET, algorithms=("HS256",), **options),
        FixedKey(import_secret(SECRET.encode())),
    )
