"""Making an `Authentication` from the options of a file."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from mirant.identity.authentication import Authentication
from mirant.identity.credentials import Credentials
from mirant.identity.key_fetch import Fetch, from_file, from_url
from mirant.identity.key_import import KeysInvalid, fits, import_pem, import_secret
from mirant.identity.keys import FixedKey, Keys, RotatingKeys
from mirant.identity.proxy import Proxy
from mirant.identity.proxy_options import ProxyOptions
from mirant.identity.token_options import TokenOptions
from mirant.identity.tokens import Tokens
from mirant.options.values import SettingsError


def set_up_authentication(
    token: TokenOptions,
    proxy: ProxyOptions,
    folder: Path,
    *,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
) -> Authentication | None:
    """Return the authentication that *token* and *proxy* options describe; None if they describe none.

    Files are read here, relative to *folder*; a URL is fetched when the first token comes. *clock* gives
    seconds since 1970, *monotonic* seconds that are never set back.

    Raises:
        SettingsError: a file cannot be read, or has the wrong content; its ``options`` say which.
    """
    if not token.enabled and not proxy.enabled:
        return None
    tokens = None
    if token.enabled:
        keys = open_keys(token, folder, clock=monotonic)
        tokens = (Tokens(token, keys), Credentials(token.sources))
    return Authentication(tokens=tokens, proxy=Proxy(proxy) if proxy.enabled else None, clock=clock)


def open_keys(options: TokenOptions, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> Keys:
    """Return the keys that *options* name; paths are relative to *folder*.

    Raises:
        SettingsError: they cannot be read, or are not for the algorithms that are allowed.
    """
    if options.secret is not None:
        return _read("secret", lambda: FixedKey(import_secret(str(options.secret).encode())))
    if options.secret_file is not None:
        path = folder / options.secret_file
        return _read("secret_file", lambda: FixedKey(import_secret(from_file(path).rstrip())))
    if options.public_key is not None:
        return _read("public_key", lambda: _open_pem(options, folder / str(options.public_key)))
    place = options.jwks or ""
    if "://" in place:
        return RotatingKeys(partial(from_url, place), place, refresh=options.refresh, clock=clock)
    return _read("jwks", lambda: _open_set(partial(from_file, folder / place), place, options.refresh, clock))


def _open_pem(options: TokenOptions, path: Path) -> Keys:
    key = import_pem(from_file(path))
    wrong = [name for name in options.algorithms if not fits(key, name)]
    if wrong:
        raise KeysInvalid(f"this is a key of another type than {wrong[0]} in token.algorithms takes")
    return FixedKey(key)


def _open_set(fetch: Fetch, place: str, refresh: float, clock: Callable[[], float]) -> Keys:
    keys = RotatingKeys(fetch, place, refresh=refresh, clock=clock)
    keys.load()
    return keys


def _read(option: str, read: Callable[[], Keys]) -> Keys:
    try:
        return read()
    except OSError as error:
        raise SettingsError(f"it cannot be read: {error.strerror or error}", options=(option,)) from None
    except ValueError as error:
        raise SettingsError(str(error), options=(option,)) from None
