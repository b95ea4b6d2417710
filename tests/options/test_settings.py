"""The options of a bus, from tables of a file and in code."""

import tomllib
from typing import Any

import pytest

from mirant import Settings, SettingsError


def read(text: str) -> Settings:
    """Return the settings in a file with *text*."""
    return Settings.read(tomllib.loads(text))


def refusal(text: str) -> str:
    """Return what is said about a file with *text*."""
    with pytest.raises(SettingsError) as caught:
        read(text)
    return str(caught.value)


@pytest.mark.parametrize("text", ["", "# nothing", "[session]", "[session]\n[limits]\n"])
def test_what_is_not_said_has_its_default(text: str) -> None:
    assert read(text) == Settings()


def test_everything_that_is_wrong_has_its_line() -> None:
    said = refusal("[session]\ntimeout = -1\n[limits]\nmax_body = 0\n[sesion]\n").splitlines()

    assert [line.partition(":")[0] for line in said] == ["session.timeout", "limits.max_body", "sesion"]


@pytest.mark.parametrize(
    "settings",
    [
        {"timeout": -1},
        {"timeout": "30s"},
        {"timeout": float("nan")},
        {"max_body": 0},
        {"max_batch": 1.5},
        {"max_outbox": -1},
        {"transports": ("smoke",)},
        {"transports": ()},
        {"transports": "websocket"},
        {"allow_origins": ("https://*",)},
        {"allow_hosts": ("a.example:80",)},
        {"http_version_header": "X: y"},
    ],
)
def test_settings_in_code_keep_to_the_same_rules(settings: dict[str, Any]) -> None:
    name = next(iter(settings))
    with pytest.raises(SettingsError, match=f"^{name}: ") as caught:
        Settings(**settings)
    assert caught.value.options == (name,)


def test_a_poll_ends_before_the_proxies_that_wait_thirty_seconds() -> None:
    """With 30 seconds no poll was answered behind such a proxy: the answer came as the proxy gave up."""
    assert Settings().timeout <= 28
