"""The options of the cookie: what each may be, and what they may be together."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

import pytest

from mirant.options.cookies import (
    read_cookie_domain,
    read_cookie_name,
    read_cookie_path,
    read_secrets,
)
from mirant.options.settings import Settings
from mirant.options.values import SettingsError
from mirant.policy.file import PolicyFile

SECRET = "a secret of thirty-two characters"


@pytest.mark.parametrize(
    "options",
    [
        {"name": "BUS-2"},
        {"name": "__Host-bus"},
        {"path": "/chat/bus"},
        {"domain": "example.org"},
        {"domain": "localhost"},
        {"secure": "always", "same_site": "none", "partitioned": True},
        {"max_age": 60.0},
        {"secret": (SECRET, SECRET[::-1])},
    ],
)
def test_what_a_cookie_may_have(options: dict[str, Any]) -> None:
    settings = Settings(**{f"cookie_{name}": value for name, value in options.items()})
    assert all(getattr(settings, f"cookie_{name}") == value for name, value in options.items())


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"name": ""}, "name"),
        ({"name": "a=b"}, "name"),
        ({"name": "a;b"}, "name"),
        ({"name": "é"}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "__Host-bus", "path": "/a"}, "__Host-"),
        ({"name": "__Host-bus", "domain": "example.org"}, "__Host-"),
        ({"name": "__host-bus", "domain": "example.org"}, "__Host-"),
        ({"name": "__Secure-bus", "secure": "never"}, "secure"),
        ({"name": "__secure-bus", "secure": "never"}, "secure"),
        ({"path": "chat"}, "path"),
        ({"path": "/a;b"}, "path"),
        ({"path": "/a b"}, "path"),
        ({"path": "/\r\nX: y"}, "path"),
        ({"domain": "a;b"}, "domain"),
        ({"domain": ""}, "domain"),
        ({"secure": "sometimes"}, "auto, always, never"),
        ({"secure": "never", "same_site": "none"}, "secure"),
        ({"secure": "never", "partitioned": True}, "secure"),
        ({"same_site": "Lax"}, "auto, lax, strict, none"),
        ({"secret": ("short",)}, "32 bytes"),
        ({"secret": (SECRET, 7)}, "32 bytes"),
    ],
)
def test_what_it_may_not(options: dict[str, Any], word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        Settings(**{f"cookie_{name}": value for name, value in options.items()})


@pytest.mark.parametrize("value", [7, None, b"x"])
@pytest.mark.parametrize("read", [read_cookie_name, read_cookie_path, read_cookie_domain])
def test_what_is_no_text(read: Callable[[object], str], value: object) -> None:
    with pytest.raises(SettingsError):
        read(value)


@pytest.mark.parametrize(
    ("read", "text"),
    [(read_cookie_name, "a=b"), (read_cookie_path, "/a;b"), (read_cookie_domain, "a;b")],
)
def test_what_each_reader_refuses(read: Callable[[object], str], text: str) -> None:
    with pytest.raises(SettingsError):
        read(text)


def test_a_secret_that_is_not_utf_8_is_refused_where_it_is_read() -> None:
    """Python reads other bytes in a variable of the environment as halves of surrogate pairs."""
    with pytest.raises(SettingsError, match="32 bytes"):
        read_secrets("\udcff" * 40)
    with pytest.raises(SettingsError, match=r"^MIRANT_COOKIE_SECRET: ") as refused:
        PolicyFile(environ={"MIRANT_COOKIE_SECRET": SECRET + "\udcff"}).load()
    assert SECRET not in str(refused.value)


def test_a_secret_is_measured_in_bytes() -> None:
    assert read_secrets("é" * 16) == ("é" * 16,)
    with pytest.raises(SettingsError):
        read_secrets("é" * 15 + "x")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('name = "__Host-bus"\npath = "/a"', "cookie.name"),
        ('name = "__Secure-bus"\nsecure = "never"', "cookie.secure"),
        ('name = "__Host-bus"\nsecure = "never"', "cookie.secure"),
        ('same_site = "none"\nsecure = "never"', "cookie.secure"),
    ],
)
def test_options_that_contradict_each_other_are_told_where_one_of_them_is(text: str, line: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{line}"):
        Settings.read(tomllib.loads(f"[cookie]\n{text}"))


def test_a_cookie_may_be_never_secure() -> None:
    assert Settings(cookie_secure="never").cookie_secure == "never"


def test_a_file_may_have_one_secret_or_several() -> None:
    assert Settings.read({"cookie": {"secret": SECRET}}).cookie_secret == (SECRET,)
    assert Settings.read({"cookie": {"secret": [SECRET, "x" * 32]}}).cookie_secret == (SECRET, "x" * 32)


def test_a_secret_is_not_told() -> None:
    assert SECRET not in repr(Settings(cookie_secret=(SECRET,)))
    with pytest.raises(SettingsError) as refused:
        Settings.read({"cookie": {"secret": "too-short-a-secret"}})
    assert "too-short" not in str(refused.value)


def test_a_domain_is_written_without_its_dot() -> None:
    assert Settings.read({"cookie": {"domain": ".Example.org"}}).cookie_domain == "example.org"
