"""Reading the options of the cookie by which the bus knows a browser."""

from __future__ import annotations

import re
from typing import Final, Literal, get_args

from mirant.options.values import SettingsError

#: The name that CometD servers use; clients and proxies know it.
COOKIE: Final = "BAYEUX_BROWSER"

#: Which pages of other sites send the cookie along: RFC 6265bis, section 5.6.7. `auto` is for the bus to say.
SameSite = Literal["auto", "lax", "strict", "none"]

#: Whether the cookie is sent over TLS only. `auto`: if it was given out over TLS.
Secure = Literal["auto", "always", "never"]


def read_cookie_name(value: object) -> str:
    """Return the name of a cookie."""
    if isinstance(value, str) and _NAME.fullmatch(value):
        return value
    raise SettingsError("the name of a cookie: 1 to 64 letters, digits, dots, dashes and underscores")


def read_cookie_path(value: object) -> str:
    """Return the path of a cookie."""
    if isinstance(value, str) and _PATH.fullmatch(value):
        return value
    raise SettingsError('a path such as "/" or "/chat", of printable characters without a semicolon')


def read_cookie_domain(value: object) -> str:
    """Return the domain of a cookie, without a dot before it, in small letters."""
    if isinstance(value, str) and _DOMAIN.fullmatch(value):
        return value.removeprefix(".").lower()
    raise SettingsError('a domain such as "example.org"')


def read_same_site(value: object) -> object:
    """Return which pages of other sites send the cookie along."""
    if value in get_args(SameSite):
        return value
    raise SettingsError(f"one of {', '.join(get_args(SameSite))}")


def read_secure(value: object) -> object:
    """Return when the cookie is sent over TLS only."""
    if value in get_args(Secure):
        return value
    raise SettingsError(f"one of {', '.join(get_args(Secure))}")


def read_secrets(value: object) -> tuple[str, ...]:
    """Return secrets, from a text or a list of texts."""
    given = (
        (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list | tuple) else (None,)
    )
    if all(map(_is_secret, given)):
        return tuple(map(str, given))
    raise SettingsError(f"a text of {_SHORTEST} bytes or more, or a list of such texts, the newest first")


def _is_secret(value: object) -> bool:
    try:
        return isinstance(value, str) and len(value.encode()) >= _SHORTEST
    except UnicodeEncodeError:  # a variable of the environment has bytes that are not UTF-8
        return False


def check_cookie(
    *, name: str, path: str, domain: str | None, secure: str, same_site: str, partitioned: bool
) -> None:
    """Check what the options of a cookie say together; browsers ignore a cookie that breaks these rules.

    Raises:
        SettingsError: they contradict each other.
    """
    if name.lower().startswith("__host-") and (domain is not None or path != "/"):
        raise SettingsError(
            "a name with __Host- goes with the path / and no domain", options=("cookie_name",)
        )
    if secure == "never" and is_prefixed(name):
        raise SettingsError("the name says that the cookie is secure", options=("cookie_secure",))
    if secure == "never" and (partitioned or same_site == "none"):
        raise SettingsError(
            "a partitioned cookie, and one with same_site none, is secure", options=("cookie_secure",)
        )


def is_prefixed(name: str) -> bool:
    """Whether browsers take a cookie called *name* only if it is secure (RFC 6265bis, section 5.4)."""
    return name.lower().startswith(_PREFIXES)


# Browsers compare without regard to case.
_PREFIXES: Final = ("__secure-", "__host-", "__http-")
_NAME: Final = re.compile(r"[A-Za-z0-9._\-]{1,64}")
_PATH: Final = re.compile(r"/[!-:<-~]{0,200}")
_DOMAIN: Final = re.compile(r"\.?[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,250}[A-Za-z0-9])?")
# As many bytes as SHA-256 returns.
_SHORTEST: Final = 32
