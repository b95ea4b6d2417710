"""Keys: which one is found for a token, when a set is fetched again, and what happens when that fails."""

import asyncio
import json
import logging
from threading import Barrier, Event

import pytest
from cryptography.hazmat.primitives.asymmetric import ed448
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
)

from mirant.identity.key_import import import_secret
from mirant.identity.keys import COOLDOWN, FixedKey, Keys, RotatingKeys
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
    """Wait until the fetch in the background has ended."""
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


# --- Which key of a set is found ---


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


# --- A single key ---


def test_an_algorithm_that_is_not_the_keys() -> None:
    key: Keys = FixedKey(import_secret(b"a" * 32))

    assert key.find("HS256", "whatever") is not None
    assert key.find("RS256", None) is None
    assert key.update("RS256", None) is None


@pytest.mark.parametrize("kid", ["oct", None])
def test_a_secret_in_a_set_is_never_found(kid: str | None) -> None:
    entries = [{"kty": "oct", "kid": "oct", "alg": "HS256", "k": part(b"a" * 32)}, NEW.jwk()]
    keys = RotatingKeys(lambda: json.dumps({"keys": entries}).encode(), "a place", refresh=1)
    keys.load()

    assert keys.find("HS256", kid) is None
