"""Keys: which are taken, how a set is looked at again, and what happens when that fails."""

import asyncio
import json
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Barrier, Event, Thread
from time import sleep
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

from mirant.identity.key_fetch import MAX_SIZE, from_file, from_url
from mirant.identity.key_import import KeysInvalid, import_key_set, import_pem, import_secret
from mirant.identity.keys import COOLDOWN, FixedKey, Keys, RotatingKeys
from mirant.identity.setup import open_keys
from mirant.identity.token_options import TokenOptions
from mirant.options.values import SettingsError
from tests.identity.signing import issuer, key_set, part

OLD, NEW = issuer("ES256", "old"), issuer("ES256", "new")


class Place:
    """Where a key set is: what is there, how often it was fetched, and what time it is."""

    def __init__(self, *contents: bytes | Exception) -> None:
        self.contents = list(contents)  # the last stays
        self.fetched = 0
        self.now = 0.0

    def fetch(self) -> bytes:
        self.fetched += 1
        content = self.contents.pop(0) if len(self.contents) > 1 else self.contents[0]
        if isinstance(content, Exception):
            raise content
        return content

    def keys(self, refresh: float = 600) -> RotatingKeys:
        return RotatingKeys(self.fetch, "a place", refresh=refresh, clock=lambda: self.now)


async def has(keys: Keys, kid: str | None, algorithm: str = "ES256") -> bool:
    """Return whether there is such a key, after whatever has to be waited for."""
    waiting = keys.update(algorithm, kid)
    if waiting is not None:
        await waiting
    return keys.find(algorithm, kid) is not None


async def looked_again() -> None:
    """Wait until what goes on beside has ended."""
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))


# --- A set that changes ---


async def test_a_set_is_fetched_when_it_is_needed_and_then_kept() -> None:
    place = Place(key_set(OLD))
    keys = place.keys()
    assert (place.fetched, keys.available) == (0, False)

    assert await has(keys, "old")
    assert await has(keys, "old")
    assert keys.update("ES256", "old") is None
    assert (place.fetched, keys.available) == (1, True)


async def test_a_new_key_is_found_as_soon_as_a_token_names_it() -> None:
    place = Place(key_set(OLD), key_set(OLD, NEW))
    keys = place.keys()
    assert await has(keys, "old")
    place.now += COOLDOWN

    assert await has(keys, "new")
    assert await has(keys, "old")
    assert place.fetched == 2


async def test_a_key_that_is_withdrawn_is_gone_after_a_refresh() -> None:
    place = Place(key_set(OLD, NEW), key_set(NEW))
    keys = place.keys(refresh=600)
    assert await has(keys, "old")
    place.now += 599
    assert await has(keys, "old")
    place.now += 1

    assert await has(keys, "old")  # nobody waits
    await looked_again()
    assert not await has(keys, "old")
    assert await has(keys, "new")


async def test_a_key_that_was_withdrawn_while_nobody_came_is_not_good_any_more() -> None:
    place = Place(key_set(OLD, NEW), key_set(NEW))
    keys = place.keys(refresh=600)
    assert await has(keys, "old")
    place.now += 1_200

    assert not await has(keys, "old")


async def test_tokens_with_made_up_keys_cause_one_fetch_in_a_while() -> None:
    place = Place(key_set(OLD))
    keys = place.keys()
    for number in range(1_000):
        assert not await has(keys, f"made up {number}")
        assert not await has(keys, "old", "RS256")
    assert place.fetched == 1

    place.now += COOLDOWN - 0.1
    assert not await has(keys, "made up")
    assert place.fetched == 1
    place.now += 0.1
    assert not await has(keys, "made up")
    assert place.fetched == 2


async def test_what_was_fetched_last_is_kept_when_fetching_fails(caplog: pytest.LogCaptureFixture) -> None:
    place = Place(key_set(OLD), OSError("no route"), b"<html>", ValueError("too large"), key_set(NEW))
    keys = place.keys(refresh=100)
    assert await has(keys, "old")
    for failures in range(1, 4):
        place.now += 100
        assert await has(keys, "old")
        await looked_again()
        assert len(caplog.records) == failures
    assert "keys.failed place=a place error=OSError: no route" in caplog.text

    place.now += 100
    assert await has(keys, "new")
    assert not await has(keys, "old")


async def test_an_issuer_that_is_down_is_asked_once_in_a_while() -> None:
    place = Place(OSError("down"))
    keys = place.keys()
    for _ in range(100):
        assert not await has(keys, "old")
    assert (place.fetched, keys.available) == (1, False)

    place.contents = [key_set(OLD)]
    place.now += COOLDOWN
    assert await has(keys, "old")


async def test_an_issuer_that_is_down_for_a_while_does_not_slow_handshakes() -> None:
    place = Place(key_set(OLD), OSError("down"))
    keys = place.keys(refresh=100)
    assert await has(keys, "old")
    place.now += 100
    assert await has(keys, "old")
    await looked_again()

    place.now += COOLDOWN
    assert keys.update("ES256", "old") is None


async def test_an_issuer_that_hangs_slows_nobody_whose_key_is_known() -> None:
    now, hangs, go = [0.0], Event(), Event()

    def fetch() -> bytes:
        if now[0]:
            hangs.set()
            assert go.wait(10)
        return key_set(OLD, NEW)

    keys = RotatingKeys(fetch, "a place", refresh=600, clock=lambda: now[0])
    assert await has(keys, "old")
    now[0] += 600
    for _ in range(3):
        assert keys.update("ES256", "old") is None
        assert keys.find("ES256", "old") is not None
    await asyncio.to_thread(hangs.wait, 10)
    assert keys.update("ES256", "old") is None
    unknown = keys.update("ES256", "another")
    assert unknown is not None
    go.set()
    await unknown


async def test_handshakes_at_the_same_time_share_a_fetch() -> None:
    go, started, calls = Event(), Event(), []

    def fetch() -> bytes:
        calls.append(1)
        started.set()
        assert go.wait(10)
        return key_set(OLD)

    keys = RotatingKeys(fetch, "a place", refresh=600, clock=lambda: 0.0)
    handshakes = [asyncio.ensure_future(has(keys, "old")) for _ in range(50)]
    await asyncio.to_thread(started.wait, 10)
    handshakes[0].cancel()  # a client that goes away takes nobody with it
    handshakes.append(asyncio.ensure_future(has(keys, "old")))
    go.set()

    results = await asyncio.gather(*handshakes, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == [True] * 50
    assert len(calls) == 1


async def test_the_event_loop_runs_on_while_a_set_is_fetched() -> None:
    meeting = Barrier(2)

    def fetch() -> bytes:
        meeting.wait(10)
        return key_set(OLD)

    keys = RotatingKeys(fetch, "a place", refresh=600)
    handshake = asyncio.ensure_future(has(keys, "old"))
    await asyncio.to_thread(meeting.wait, 10)
    assert await handshake


def test_an_event_loop_that_ends_meanwhile_leaves_nothing_behind() -> None:
    place = Place(key_set(OLD))
    keys = place.keys()

    async def give_up() -> None:
        task = asyncio.ensure_future(has(keys, "old"))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(give_up())
    place.now += COOLDOWN
    assert asyncio.run(has(keys, "old"))


async def test_a_change_is_logged_without_keys(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mirant")
    place = Place(key_set(OLD), key_set(OLD), key_set(NEW))
    keys = place.keys(refresh=100)
    for _ in range(3):
        await has(keys, None)
        await looked_again()
        place.now += 100

    assert [record.getMessage() for record in caplog.records] == ["keys.changed place=a place keys=1"] * 2


# --- What is in a set ---


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


@pytest.mark.parametrize(
    "members", [{"use": "enc"}, {"alg": "ES384"}, {"key_ops": ["sign"]}, {"use": "enc", "key_ops": []}]
)
def test_a_key_that_is_not_for_this(members: dict[str, object]) -> None:
    keys = RotatingKeys(lambda: json.dumps({"keys": [NEW.jwk(**members)]}).encode(), "a place", refresh=1)
    keys.load()

    assert keys.find("ES256", "new") is None


@pytest.mark.parametrize(
    "members", [{}, {"use": "sig"}, {"alg": "ES256"}, {"key_ops": ["verify"]}, {"x5u": "http://x"}]
)
def test_a_key_that_is(members: dict[str, object]) -> None:
    keys = RotatingKeys(lambda: json.dumps({"keys": [NEW.jwk(**members)]}).encode(), "a place", refresh=1)
    keys.load()

    assert keys.find("ES256", "new") is not None
    assert keys.find("ES256", None) is not None
    assert keys.find("RS256", "new") is None


def test_of_the_curves_of_eddsa_one_is_taken() -> None:
    raw = ed448.Ed448PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    entries = [{"kty": "OKP", "crv": "Ed448", "kid": "448", "x": part(raw)}, issuer("EdDSA", "25519").jwk()]
    keys = RotatingKeys(lambda: json.dumps({"keys": entries}).encode(), "a place", refresh=1)
    keys.load()

    assert keys.find("EdDSA", "448") is None
    assert keys.find("EdDSA", "25519") is not None


def test_private_parts_are_not_read() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    entry = {**NEW.jwk(), "d": part(key.private_numbers().private_value.to_bytes(32, "big"))}

    (imported,) = import_key_set(json.dumps({"keys": [entry]}).encode())
    assert not imported.is_private


def test_of_several_keys_one_must_be_named() -> None:
    keys = RotatingKeys(lambda: key_set(OLD, NEW), "a place", refresh=1)
    keys.load()

    assert keys.find("ES256", None) is None
    assert keys.find("ES256", "new") is not None


def test_two_keys_of_one_name_are_none() -> None:
    entries = [OLD.jwk(kid="x"), NEW.jwk(kid="x"), issuer("RS256", "x").jwk()]
    keys = RotatingKeys(lambda: json.dumps({"keys": entries}).encode(), "a place", refresh=1)
    keys.load()

    assert keys.find("ES256", "x") is None
    assert keys.find("RS256", "x") is not None


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


def test_an_algorithm_that_is_not_the_keys() -> None:
    key: Keys = FixedKey(import_secret(b"a" * 32))

    assert key.find("HS256", "whatever") is not None
    assert key.find("RS256", None) is None
    assert key.update("RS256", None) is None


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


# --- What options name ---


@pytest.mark.parametrize(
    ("options", "option", "said"),
    [
        ({"secret_file": "missing", "algorithms": ("HS256",)}, "secret_file", "cannot be read: No such file"),
        ({"secret_file": ".", "algorithms": ("HS256",)}, "secret_file", "cannot be read: Is a directory"),
        ({"secret_file": "short", "algorithms": ("HS256",)}, "secret_file", "32 bytes or more"),
        ({"secret_file": "key.pem", "algorithms": ("HS256",)}, "secret_file", "not a secret but a"),
        ({"public_key": "short", "algorithms": ("ES256",)}, "public_key", "not a public key in PEM form"),
        (
            {"public_key": "key.pem", "algorithms": ("ES256", "RS256")},
            "public_key",
            "another type than RS256",
        ),
        ({"jwks": "missing", "algorithms": ("ES256",)}, "jwks", "cannot be read: No such file"),
        ({"jwks": "short", "algorithms": ("ES256",)}, "jwks", "not a JSON object"),
        ({"jwks": "large", "algorithms": ("ES256",)}, "jwks", f"{MAX_SIZE} bytes at most"),
    ],
)
def test_files_that_are_no_good(tmp_path: Path, options: dict[str, Any], option: str, said: str) -> None:
    (tmp_path / "short").write_text("a" * 31 + "\n" * 9)
    (tmp_path / "key.pem").write_bytes(NEW.pem)
    (tmp_path / "large").write_bytes(b" " * (MAX_SIZE + 1))

    with pytest.raises(SettingsError) as caught:
        open_keys(TokenOptions(**options), tmp_path)
    assert caught.value.options == (option,)
    assert said in str(caught.value)
    assert "aaaa" not in str(caught.value)


async def test_a_file_that_is_replaced(tmp_path: Path) -> None:
    now, path = [0.0], tmp_path / "set.json"
    path.write_bytes(key_set(OLD))
    options = TokenOptions(jwks="set.json", algorithms=("ES256",), refresh=100.0)
    keys = open_keys(options, tmp_path, clock=lambda: now[0])
    assert await has(keys, "old")

    path.write_bytes(key_set(NEW))
    assert await has(keys, "new")  # it was read when the bus was made, which is not held against it
    assert not await has(keys, "old")
    path.unlink()
    now[0] += 100
    assert await has(keys, "new")


# --- Over HTTP ---


@contextmanager
def server(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """Serve *answer* on this machine, and give the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_address[1]}/jwks.json"
        finally:
            http.shutdown()
            thread.join()


def give(body: bytes, status: int = 200, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return answer


async def test_a_set_that_rotates_behind_a_url(tmp_path: Path) -> None:
    now, served, asked = [0.0], [key_set(OLD)], []

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        give(served[0])(request)

    with server(answer) as url:
        keys = open_keys(TokenOptions(jwks=url, algorithms=("ES256",)), tmp_path, clock=lambda: now[0])
        assert asked == []
        assert await has(keys, "old")
        served[0] = key_set(NEW)
        now[0] += COOLDOWN
        assert await has(keys, "new")
        assert not await has(keys, "old")
    assert asked == ["/jwks.json"] * 2
    now[0] += 10_000
    assert await has(keys, "new")  # the server is gone


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nobody_is_sent_elsewhere(status: int) -> None:
    asked: list[str] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        give(b"", status, location="/elsewhere")(request)

    with server(answer) as url, pytest.raises(OSError, match=str(status)) as caught:
        from_url(url)
    caught.value.close()  # type: ignore[attr-defined]  # urllib's error is its response
    assert asked == ["/jwks.json"]


@pytest.mark.parametrize("status", [204, 400, 404, 500])
def test_answers_that_are_none(status: int) -> None:
    with server(give(b"", status)) as url, pytest.raises(OSError, match=str(status)) as caught:
        from_url(url)
    if hasattr(caught.value, "close"):
        caught.value.close()


def test_an_answer_that_is_too_large() -> None:
    with server(give(b" " * (MAX_SIZE + 1))) as url, pytest.raises(ValueError, match="at most"):
        from_url(url)
    with server(give(b" " * MAX_SIZE)) as url:
        assert len(from_url(url)) == MAX_SIZE


def test_an_answer_that_does_not_come() -> None:
    done = Event()

    def answer(request: BaseHTTPRequestHandler) -> None:
        done.wait(10)

    with server(answer) as url:
        with pytest.raises(OSError, match=r"timed out|longer than"):  # the socket's time, or ours
            from_url(url, timeout=0.05)
        done.set()


def test_an_answer_that_comes_in_drops() -> None:
    done = Event()

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while not done.wait(0.01):
            request.wfile.write(b" ")

    with server(answer) as url:
        with pytest.raises(TimeoutError, match="longer than"):
            from_url(url, timeout=0.1)
        done.set()


@contextmanager
def trickling(*begins: bytes, drop: bytes) -> Iterator[str]:
    """Serve one client with *begins*, then *drop* by *drop* for as long as it stays; give the address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            for piece in begins:
                connection.sendall(piece)
            while True:
                connection.sendall(drop)
                sleep(0.01)

    thread = Thread(target=serve)
    thread.start()
    try:
        yield "{}:{}".format(*listener.getsockname())
    finally:
        thread.join(10)
        assert not thread.is_alive(), "the client has not hung up"
        listener.close()


@pytest.mark.parametrize(
    ("scheme", "begins", "drop"),
    [
        ("http", b"", b"H"),
        ("http", b"HTTP/1.1 200 OK\r\nX: ", b"a"),
        ("http", b"HTTP/1.1 200 OK\r\n", b"X: a\r\n"),
        ("http", b"HTTP/1.1 200 OK\r\n\r\n{", b" "),
        ("http", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1", b"0"),
        ("https", b"\x16\x03\x03\x40\x00", b"\x02"),  # the beginning of a long record
    ],
)
def test_nobody_waits_longer_than_he_wants_wherever_it_trickles(
    scheme: str, begins: bytes, drop: bytes
) -> None:
    with trickling(begins, drop=drop) as place, pytest.raises(TimeoutError, match="longer than"):
        from_url(f"{scheme}://{place}/", timeout=0.3)


def test_a_proxy_on_the_way_is_not_waited_for_either(monkeypatch: pytest.MonkeyPatch) -> None:
    with trickling(b"HTTP/1.1 200 OK\r\nX: ", drop=b"a") as place:
        monkeypatch.setenv("https_proxy", f"http://{place}")
        with pytest.raises(TimeoutError, match="longer than"):
            from_url("https://id.example/", timeout=0.3)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x"])
def test_what_is_not_opened(url: str) -> None:
    with pytest.raises(OSError, match="unknown url type"):
        from_url(url)


def test_a_file_is_read_up_to_a_size(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at most"):
        from_file(Path("/dev/zero"))
    (tmp_path / "a").write_bytes(b"a" * MAX_SIZE)
    assert len(from_file(tmp_path / "a")) == MAX_SIZE
