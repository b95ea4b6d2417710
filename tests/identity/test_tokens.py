"""Tokens that are accepted, and every known way to forge one."""

import json
from base64 import urlsafe_b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirant.bus.identity import Identity
from mirant.identity.key_import import import_key_set, import_pem
from mirant.identity.keys import FixedKey, RotatingKeys
from mirant.identity.setup import open_keys
from mirant.identity.token_invalid import Reason, TokenInvalid
from mirant.identity.token_options import TokenOptions
from mirant.identity.tokens import Tokens
from tests.identity.signing import CLAIMS, NOW, SECRET, issuer, key_set, part, tokens, with_secret

PUBLIC = ["RS256", "ES256", "EdDSA", "Ed25519"]


def refusal(token: str, verifier: Tokens | None = None, now: float = NOW) -> Reason:
    """Return why *token* is refused."""
    with pytest.raises(TokenInvalid) as caught:
        (verifier or tokens()).verify(token, now)
    assert SECRET not in str(caught.value)
    assert len(token) < 20 or token not in str(caught.value)
    return caught.value.reason


def public(algorithm: str, **options: Any) -> Tokens:
    """Return what verifies tokens of `issuer(algorithm)`."""
    key = import_pem(issuer(algorithm).pem)
    return Tokens(TokenOptions(public_key="key.pem", algorithms=(algorithm,), **options), FixedKey(key))


def from_set(*names: str) -> Tokens:
    """Return what verifies by a set with an RSA key "r", a P-256 key "e" and an Ed25519 key "o"."""
    keys = RotatingKeys(
        lambda: key_set(issuer("RS256", "r"), issuer("ES256", "e"), issuer("EdDSA", "o")), "set", refresh=60
    )
    keys.load()
    return Tokens(TokenOptions(jwks="set", algorithms=names or ("RS256", "ES256", "EdDSA")), keys)


# --- What is accepted ---


def test_a_token_is_an_identity() -> None:
    claims = {"sub": "alice", "exp": NOW + 60, "roles": ["member", "editor"], "team": {"id": 7}}
    token = with_secret(claims)

    identity = tokens().verify(token, NOW)

    assert identity == Identity(
        "alice", frozenset({"member", "editor"}), claims, 60.0, sha256(token.encode()).digest()
    )


@pytest.mark.parametrize("algorithm", PUBLIC)
def test_public_keys(algorithm: str) -> None:
    assert public(algorithm).verify(issuer(algorithm).sign(), NOW).name == "alice"


@pytest.mark.parametrize(("algorithm", "kid"), [("RS256", "r"), ("ES256", "e"), ("EdDSA", "o")])
def test_keys_of_a_set(algorithm: str, kid: str) -> None:
    assert from_set().verify(issuer(algorithm, kid).sign(), NOW).name == "alice"


@pytest.mark.parametrize(("algorithm", "kid"), [("RS256", "r"), ("ES256", "e"), ("EdDSA", "o")])
def test_a_token_that_names_no_key_is_for_the_only_one_of_its_algorithm(algorithm: str, kid: str) -> None:
    token = issuer(algorithm, kid).sign(kid=None)

    assert from_set().verify(token, NOW).name == "alice"


@pytest.mark.parametrize(
    "header", [{"typ": "JWT"}, {"typ": "at+jwt"}, {"x-mine": [1]}, {"kid": "any"}, {"cty": "x"}]
)
def test_what_else_is_in_a_header_is_ignored(header: dict[str, object]) -> None:
    assert tokens().verify(with_secret(header={"alg": "HS256", **header}), NOW).name == "alice"


# --- Time ---


@pytest.mark.parametrize(
    ("exp", "leeway", "valid_for"),
    [(NOW + 60, 0, 60), (NOW + 0.5, 0, 0.5), (NOW, 10, 10), (NOW - 9, 10, 1), (int(NOW) + 1, 0, 1)],
)
def test_how_long_a_token_holds(exp: float, leeway: float, valid_for: float) -> None:
    token = with_secret({"sub": "alice", "exp": exp})

    assert tokens(leeway=leeway).verify(token, NOW).valid_for == pytest.approx(valid_for)


@pytest.mark.parametrize(("exp", "leeway"), [(NOW, 0), (NOW - 0.5, 0), (NOW - 10, 10), (0, 0), (1, 300)])
def test_expired(exp: float, leeway: float) -> None:
    assert refusal(with_secret({"sub": "alice", "exp": exp}), tokens(leeway=leeway)) is Reason.EXPIRED


def test_a_token_that_holds_now_does_not_hold_later() -> None:
    token = with_secret()

    assert tokens().verify(token, NOW + 59.9).valid_for == pytest.approx(0.1)
    assert refusal(token, now=NOW + 60) is Reason.EXPIRED


@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_a_token_from_the_future(name: str) -> None:
    token = with_secret({**CLAIMS, name: NOW + 5})

    assert refusal(token) is Reason.NOT_YET_VALID
    assert tokens(leeway=5.0).verify(token, NOW).name == "alice"


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    "spelt",
    [*("1e308", "-1", '"1700000060"', '""', "null", "true", "[1700000060]", "{}", "253402300800"), "9" * 400],
)
def test_times_that_are_none(name: str, spelt: str) -> None:
    claims = json.dumps({**CLAIMS, name: "@"}).replace('"@"', spelt).encode()

    assert refusal(with_secret(claims)) in (Reason.CLAIM, Reason.MALFORMED)


@pytest.mark.parametrize("spelt", ["NaN", "Infinity", "-Infinity", "1e309"])
def test_numbers_that_are_no_json(spelt: str) -> None:
    assert refusal(with_secret(f'{{"sub":"alice","exp":{spelt}}}'.encode())) is Reason.MALFORMED


def test_a_token_that_never_runs_out() -> None:
    token = with_secret({"sub": "alice"})

    assert refusal(token) is Reason.CLAIM
    assert tokens(require_expiry=False).verify(token, NOW).valid_for is None


# --- Issuer and audience ---


@pytest.mark.parametrize(
    "issued_by", [{}, {"iss": "https://evil.example"}, {"iss": ["https://a.example"]}, {"iss": None}]
)
def test_another_issuer(issued_by: dict[str, object]) -> None:
    assert refusal(with_secret({**CLAIMS, **issued_by}), tokens(issuer="https://a.example")) is Reason.ISSUER


def test_the_issuer() -> None:
    token = with_secret({**CLAIMS, "iss": "https://a.example"})

    assert tokens(issuer="https://a.example").verify(token, NOW).name == "alice"


@pytest.mark.parametrize("audience", ["bus", ["bus"], ["shop", "bus"], "chat"])
def test_an_audience_that_is_ours(audience: object) -> None:
    token = with_secret({**CLAIMS, "aud": audience})

    assert tokens(audience=("bus", "chat")).verify(token, NOW).name == "alice"


@pytest.mark.parametrize("audience", ["shop", ["shop"], [], "", None, 7, {"bus": 1}, ["bus", 7], "a bus"])
def test_an_audience_that_is_not(audience: object) -> None:
    verifier = tokens(audience=("bus",))

    assert refusal(with_secret({**CLAIMS, "aud": audience}), verifier) is Reason.AUDIENCE
    assert refusal(with_secret(), verifier) is Reason.AUDIENCE


def test_a_token_for_an_audience_is_not_for_a_bus_that_has_none() -> None:
    assert refusal(with_secret({**CLAIMS, "aud": "shop"})) is Reason.AUDIENCE


# --- Names and roles ---


@pytest.mark.parametrize(
    "name", [None, 7, "", " ", "a" * 256, "a\nb", "a\x00", "alice ", "\u202ealice", ["alice"], {}]
)
def test_names_that_are_none(name: object) -> None:
    assert refusal(with_secret({**CLAIMS, "sub": name})) is Reason.CLAIM


@pytest.mark.parametrize(
    ("claim", "claims", "roles"),
    [
        ("roles", {}, set()),
        ("roles", {"roles": None}, set()),
        ("roles", {"roles": []}, set()),
        ("roles", {"roles": "one"}, {"one"}),
        ("scope", {"scope": "chat:read  chat:write"}, {"chat:read", "chat:write"}),
        ("realm_access.roles", {"realm_access": {"roles": ["member"]}}, {"member"}),
        ("https://a.example/roles", {"https://a.example/roles": ["member"]}, {"member"}),
        ("roles.x", {"roles": ["x"]}, set()),
    ],
)
def test_roles(claim: str, claims: dict[str, object], roles: set[str]) -> None:
    assert tokens(roles=claim).verify(with_secret({**CLAIMS, **claims}), NOW).roles == roles


@pytest.mark.parametrize(
    "roles", [7, True, {"admin": True}, ["admin", 7], [["admin"]], [""], [None], ["a\nb"]]
)
def test_roles_that_are_none(roles: object) -> None:
    assert refusal(with_secret({**CLAIMS, "roles": roles})) is Reason.CLAIM


def test_another_claim_with_the_name() -> None:
    token = with_secret({**CLAIMS, "email": "alice@a.example"})

    assert tokens(name="email").verify(token, NOW).name == "alice@a.example"


# --- Attacks ---


@pytest.mark.parametrize(
    "name", ["none", "None", "NONE", "nOnE", "", "HS512", "RS256", None, 7, ["HS256"], {"a": 1}]
)
def test_an_algorithm_that_is_not_allowed(name: object) -> None:
    assert refusal(with_secret(header={"alg": name})) is Reason.ALGORITHM


def test_no_algorithm() -> None:
    assert refusal(with_secret(header={"typ": "JWT"})) in (Reason.ALGORITHM, Reason.MALFORMED)


@pytest.mark.parametrize("name", ["none", "HS256"])
def test_no_signature(name: str) -> None:
    assert refusal(f"{part({'alg': name})}.{part(CLAIMS)}.") is Reason.MALFORMED
    assert refusal(f"{part({'alg': name})}.{part(CLAIMS)}") is Reason.MALFORMED


@pytest.mark.parametrize("algorithm", PUBLIC)
def test_a_public_key_is_no_secret(algorithm: str) -> None:
    pem = issuer(algorithm).pem
    for secret in (
        pem,
        pem.strip(),
        pem.replace(b"\n", b"\r\n"),
        json.dumps(issuer(algorithm).jwk()).encode(),
    ):
        assert refusal(with_secret(secret=secret), public(algorithm)) is Reason.ALGORITHM


def test_an_algorithm_that_is_allowed_takes_no_key_of_another() -> None:
    verifier = from_set()
    for algorithm, kid in (("RS256", "e"), ("ES256", "o"), ("EdDSA", "r")):
        assert refusal(issuer(algorithm).sign(kid=kid), verifier) is Reason.NO_KEY


def test_an_algorithm_of_the_set_that_is_not_allowed() -> None:
    assert refusal(issuer("ES256", "e").sign(), from_set("RS256")) is Reason.ALGORITHM


def test_the_key_of_somebody_else() -> None:
    assert refusal(with_secret(secret="another secret of these tests, long enough")) is Reason.SIGNATURE
    for algorithm in PUBLIC:
        assert refusal(issuer(algorithm, "else").sign(), public(algorithm)) is Reason.SIGNATURE


@pytest.mark.parametrize(
    "kid", ["../../../dev/null", "/etc/passwd", "r' OR '1'='1", "r\x00", "", "R", "https://evil.example"]
)
def test_the_name_of_a_key_is_only_looked_up(kid: str) -> None:
    assert refusal(issuer("RS256", "r").sign(kid=kid), from_set()) is Reason.NO_KEY
    assert refusal(with_secret(header={"alg": "HS256", "kid": kid}, secret=b"")) is Reason.SIGNATURE


@pytest.mark.parametrize("kid", [7, True, ["r"], {"r": 1}])
def test_the_name_of_a_key_is_a_text(kid: object) -> None:
    assert refusal(with_secret(header={"alg": "HS256", "kid": kid})) is Reason.HEADER


@pytest.mark.parametrize("algorithm", PUBLIC)
def test_a_key_that_comes_with_the_token_is_ignored(algorithm: str) -> None:
    mine = issuer(algorithm, "mine")
    for header in (
        {"jwk": mine.jwk()},
        {"jku": "https://evil.example/jwks.json"},
        {"x5u": "https://evil.example/cert.pem"},
        {"x5c": ["MIIB"]},
        {"jwk": mine.jwk(), "jku": "https://evil.example", "x5u": "https://evil.example", "x5c": ["MIIB"]},
    ):
        assert refusal(mine.sign(kid=None, **header), public(algorithm)) is Reason.SIGNATURE


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"crit": ["b64"], "b64": True},
        {"b64": True},
        {"crit": "b64"},
        {"crit": 7},
        {"crit": [["b64"]]},
        {"crit": None},
    ],
)
def test_what_would_have_to_be_understood(header: dict[str, object]) -> None:
    assert refusal(with_secret(header={"alg": "HS256", **header})) is Reason.HEADER


@pytest.mark.parametrize(
    "header", [{"b64": False}, {"b64": False, "crit": ["b64"]}, {"b64": 0}, {"b64": None}]
)
def test_a_payload_that_is_not_encoded(header: dict[str, object]) -> None:
    assert refusal(with_secret(header={"alg": "HS256", **header})) in (Reason.HEADER, Reason.MALFORMED)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"[]",
        b'["alg"]',
        b'"alg"',
        b"7",
        b"null",
        b"{",
        b'{"alg":"HS256"}x',
        b'{"alg":"HS256","alg":"HS256"}',
        b'{"alg":"none","alg":"HS256"}',
        b'\xef\xbb\xbf{"alg":"HS256"}',
        b'{"alg":"HS256","a":"\\ud800"}',
    ],
)
def test_headers_that_are_none(header: bytes) -> None:
    assert refusal(with_secret(header=header)) is Reason.MALFORMED


@pytest.mark.parametrize(
    "claims",
    [
        *(
            b"",
            b"[]",
            b'"sub"',
            b"7",
            b"null",
            b"{",
            b'{"sub":"alice"}x',
            b"\xff",
            b'{"sub":"\\ud800"}',
            b"{}{}",
        ),
        '{"sub":"alice"}'.encode("utf-16"),
        b'{"sub":"bob","exp":9e9,"sub":"alice"}',
        b'{"a":{"b":1,"b":2}}',
    ],
)
def test_claims_that_are_none(claims: bytes) -> None:
    assert refusal(with_secret(claims)) is Reason.MALFORMED


def test_what_is_nested_deep() -> None:
    deep = b'{"a":' * 1_000 + b"1" + b"}" * 1_000
    flat = b'{"sub":' + b"[" * 3_000 + b"]" * 3_000 + b"}"

    assert refusal(with_secret(deep)) is Reason.MALFORMED
    assert refusal(with_secret(flat)) is Reason.MALFORMED
    assert refusal(with_secret(header=b'{"alg":' + b"[" * 2_000)) is Reason.MALFORMED


@pytest.mark.parametrize(
    "damage",
    [
        *("{} ", " {}", "{}\n", "\t{}", "{}.", ".{}", "{}.e30", "{}.e30.e30", "{}=", "{}\x00", "Bearer {}"),
        *("{}\u00e9", '"{}"', "{0},{0}", "{};"),
    ],
)
def test_what_is_around_a_token(damage: str) -> None:
    assert refusal(damage.format(with_secret())) is Reason.MALFORMED


@pytest.mark.parametrize("text", ["", ".", "..", "...", "a", "a.b.c", "e30.e30.e30", "=.=.=", "é.é.é"])
def test_what_is_no_token(text: str) -> None:
    assert refusal(text) in (Reason.MALFORMED, Reason.ALGORITHM)


def test_an_encrypted_token() -> None:
    header = part({"alg": "dir", "enc": "A256GCM"})

    assert refusal(f"{header}..{part(b'iv')}.{part(b'text')}.{part(b'tag')}") is Reason.MALFORMED


def test_a_token_within_a_token() -> None:
    token = with_secret(with_secret().encode(), {"alg": "HS256", "cty": "JWT"})

    assert refusal(token) is Reason.MALFORMED


def test_a_token_that_is_too_long() -> None:
    token = with_secret({**CLAIMS, "a": "a" * 8_192})

    assert refusal(token) is Reason.TOO_LONG
    assert refusal("a" * 100_000_000) is Reason.TOO_LONG
    assert tokens(max_size=16_384).verify(token, NOW).name == "alice"


@pytest.mark.parametrize("algorithm", ["HS256", *PUBLIC])
def test_a_signature_has_one_spelling(algorithm: str) -> None:
    verifier = tokens() if algorithm == "HS256" else public(algorithm)
    token = with_secret() if algorithm == "HS256" else issuer(algorithm).sign()
    signed, _, signature = token.rpartition(".")
    raw = urlsafe_b64decode(signature + "==")
    for other in (b"", raw[:-1], raw + b"\0", raw[:-1] + bytes([raw[-1] ^ 1]), b"\0" * len(raw)):
        assert refusal(f"{signed}.{part(other)}", verifier) in (Reason.SIGNATURE, Reason.MALFORMED)


@given(place=st.integers(0, 10_000), character=st.sampled_from("AQabz019-_.=+/ \n\x00é"))
def test_a_token_with_another_character(place: int, character: str) -> None:
    token = with_secret()
    place %= len(token)
    changed = token[:place] + character + token[place + 1 :]
    if changed != token:
        refusal(changed)


# --- Whatever comes: an identity, or TokenInvalid ---

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([NOW + 9, 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300)
@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(("sub", "exp", "nbf", "iat", "aud", "iss", "roles", "jti", "x"), VALUES),
    ),
    st.fixed_dictionaries(
        {"alg": st.just("HS256") | VALUES},
        optional=dict.fromkeys(("kid", "crit", "b64", "typ", "jwk", "x5c"), VALUES),
    ),
)
def test_any_claims_and_any_header(claims: dict[str, Any], header: dict[str, Any]) -> None:
    verifier = tokens(audience=("bus",), issuer="us", require_expiry=False)
    try:
        identity = verifier.verify(with_secret(claims, header), NOW)
    except TokenInvalid:
        return
    assert identity.name == claims["sub"]
    assert identity.valid_for is None or identity.valid_for > 0


@given(
    st.text(max_size=40)
    | st.lists(st.binary(max_size=20), min_size=3, max_size=3).map(lambda all_: ".".join(map(part, all_)))
)
def test_any_text(text: str) -> None:
    with pytest.raises(TokenInvalid):
        tokens().verify(text, NOW)


def test_the_keys_that_options_name(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    (tmp_path / "key.pem").write_bytes(issuer("ES256").pem)
    (tmp_path / "set.json").write_bytes(key_set(issuer("RS256", "r")))
    for options, token in (
        (TokenOptions(secret=SECRET, algorithms=("HS256",)), with_secret()),
        (TokenOptions(secret_file="secret", algorithms=("HS256",)), with_secret()),
        (TokenOptions(public_key="key.pem", algorithms=("ES256",)), issuer("ES256").sign()),
        (TokenOptions(jwks="set.json", algorithms=("RS256",)), issuer("RS256", "r").sign()),
    ):
        assert Tokens(options, open_keys(options, tmp_path)).verify(token, NOW).name == "alice"


def test_a_set_that_was_imported_has_its_keys() -> None:
    assert [key.kid for key in import_key_set(key_set(issuer("RS256", "r"), issuer("ES256", "e")))] == [
        "r",
        "e",
    ]
