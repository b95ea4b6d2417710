"""Values of options as a file spells them: every unit, every limit, and what is refused."""

import tomllib

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


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ('"30s"', 30),
        ('"250ms"', 0.25),
        ('"2m"', 120),
        ('"1h"', 3600),
        ('"1.5s"', 1.5),
        ('"30 s"', 30),
        ("45", 45),
        ("0.5", 0.5),
        ("1_000_000_000", 1e9),
    ],
)
def test_durations(value: str, seconds: float) -> None:
    assert read(f"[session]\ntimeout = {value}").timeout == seconds


@pytest.mark.parametrize(
    "value",
    [
        '"30"',
        '"30 sec"',
        '"-1s"',
        '"s"',
        '""',
        "-1",
        "nan",
        "inf",
        "-inf",
        "true",
        "[30]",
        "2020-01-01",
        "1_000_000_001",
        "9" * 400,
        f'"{"9" * 400}s"',
    ],
)
def test_durations_that_are_none(value: str) -> None:
    said = refusal(f"[session]\ntimeout = {value}")

    assert said.startswith("session.timeout: ")
    assert said.endswith('should be a duration such as "30s" or a number of seconds')


@pytest.mark.parametrize(
    ("value", "size"),
    [('"1B"', 1), ('"64KiB"', 65_536), ('"2MiB"', 2_097_152), ('"2 MiB"', 2_097_152), ("4096", 4096)],
)
def test_sizes(value: str, size: int) -> None:
    assert read(f"[limits]\nmax_body = {value}").max_body == size


@pytest.mark.parametrize(
    "value",
    [
        '"64"',
        '"64KB"',
        '"64 kib"',
        '"1.5MiB"',
        '"-1B"',
        "0",
        "-1",
        "1.5",
        "true",
        "[]",
        '"0KiB"',
        '"0B"',
        f'"{"9" * 5000}B"',
    ],
)
def test_sizes_that_are_none(value: str) -> None:
    said = refusal(f"[limits]\nmax_body = {value}")

    assert said.startswith("limits.max_body: ")
    assert said.endswith('should be a size such as "64KiB" or a number of bytes, from 1')


@pytest.mark.parametrize("value", ["0", "-5", "1.0", '"10"', "false", "{ a = 1 }"])
def test_counts_that_are_none(value: str) -> None:
    said = refusal(f"[limits]\nmax_batch = {value}")

    assert said.startswith("limits.max_batch: ")
    assert said.endswith("should be a whole number from 1")


def test_counts() -> None:
    assert read("[limits]\nmax_batch = 1\nmax_sessions = 5_000").max_sessions == 5000


@pytest.mark.parametrize("value", ["0", "1", '"true"', "[]"])
def test_switches_that_are_none(value: str) -> None:
    assert refusal(f"[delivery]\necho = {value}").endswith("should be true or false")


@pytest.mark.parametrize("value", ['"drop"', "true", "[]", '["disconnect"]'])
def test_policies_for_full_outboxes_that_are_none(value: str) -> None:
    assert "should be one of disconnect, drop-oldest, " in refusal(f"[delivery]\noverflow = {value}")


def test_transports() -> None:
    settings = read('[transports]\ntransports = ["long-polling", "websocket"]')

    assert settings.transports == ("long-polling", "websocket")


@pytest.mark.parametrize(
    "value",
    [
        "[]",
        '["smoke"]',
        '"websocket"',
        "1",
        '["websocket", 1]',
        '["websocket", "websocket"]',
        '["websocket", {}]',
    ],
)
def test_transports_that_are_none(value: str) -> None:
    said = refusal(f"[transports]\ntransports = {value}")

    assert "should be a list with some of websocket, " in said


@pytest.mark.parametrize(
    "value", ['["https://a.example"]', '["http://A.example:8080", "https://[::1]:8443"]', "[]"]
)
def test_origins(value: str) -> None:
    origins = read(f"[origins]\nallow_origins = {value}").allow_origins

    assert all(origin == origin.lower() for origin in origins)
    assert len(origins) == value.count("//")


@pytest.mark.parametrize(
    "value", ['["https://*"]', '["a.example"]', '["https://a.example/"]', '"https://a.example"', "[1]"]
)
def test_origins_that_are_none(value: str) -> None:
    assert "should be a list of origins such as" in refusal(f"[origins]\nallow_origins = {value}")


@pytest.mark.parametrize("option", ["timeout", "max_interval"])
def test_durations_that_may_not_be_none_at_all(option: str) -> None:
    """Clients would poll as fast as they can; sessions would end between two polls."""
    assert refusal(f'[session]\n{option} = "0s"').startswith(
        f"session.{option}: '0s' should be a duration above 0"
    )
