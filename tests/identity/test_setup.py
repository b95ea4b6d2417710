"""From options to keys: files and URLs that are read, and the faults of those that cannot be read."""

from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from mirant.identity.key_fetch import MAX_SIZE
from mirant.identity.keys import COOLDOWN, Keys
from mirant.identity.proxy_options import ProxyOptions
from mirant.identity.setup import open_keys, set_up_authentication
from mirant.identity.token_options import TokenOptions
from mirant.options.values import SettingsError
from tests.identity.answering import give, server
from tests.identity.signing import issuer, key_set

OLD, NEW = issuer("ES256", "old"), issuer("ES256", "new")


async def has(keys: Keys, kid: str | None, algorithm: str = "ES256") -> bool:
    """Return whether there is such a key, after whatever has to be waited for."""
    waiting = keys.update(algorithm, kid)
    if waiting is not None:
        await waiting
    return keys.find(algorithm, kid) is not None


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
    assert await has(keys, "new")  # the fetch when the bus was made does not delay this one
    assert not await has(keys, "old")
    path.unlink()
    now[0] += 100
    assert await has(keys, "new")


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


def test_without_options_there_is_nothing_to_authenticate_with(tmp_path: Path) -> None:
    assert set_up_authentication(TokenOptions(), ProxyOptions(), tmp_path) is None
