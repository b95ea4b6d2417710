"""Reading ``mirant.toml``: every unit, every limit, and what is said about what cannot be."""

import re
from pathlib import Path
from typing import Any

import pytest

from mirant import Bus, Settings, SettingsError
from mirant.policy.file import PolicyFile


def read(tmp_path: Path, text: str) -> Settings:
    """Return the settings in a file with *text*."""
    path = tmp_path / "mirant.toml"
    path.write_text(text, "utf-8")
    return load(path)


def load(path: Path) -> Settings:
    """Return the settings in the file at *path*, without the environment."""
    return PolicyFile(config=path).load().settings


def refusal(tmp_path: Path, text: str) -> str:
    """Return what is said about a file with *text*, without the file's name."""
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, text)
    found = re.fullmatch(r"(.*?):(\d+)?:? (.*)", str(caught.value), re.DOTALL)
    assert found is not None
    assert found[1] == str(tmp_path / "mirant.toml")
    return found[3]


@pytest.mark.parametrize("text", ["", "# nothing", "[session]", "[session]\n[limits]\n"])
def test_what_is_not_said_has_its_default(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == Settings()


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
    ],
)
def test_durations(tmp_path: Path, value: str, seconds: float) -> None:
    assert read(tmp_path, f"[session]\ntimeout = {value}").timeout == seconds


@pytest.mark.parametrize(
    "value",
    ['"30"', '"30 sec"', '"-1s"', '"s"', '""', "-1", "nan", "inf", "-inf", "true", "[30]", "2020-01-01"],
)
def test_durations_that_are_none(tmp_path: Path, value: str) -> None:
    said = refusal(tmp_path, f"[session]\ntimeout = {value}")

    assert said.startswith("session.timeout: ")
    assert 'should be a duration such as "30s" or a number of seconds' in said


@pytest.mark.parametrize(
    ("value", "size"),
    [('"1B"', 1), ('"64KiB"', 65_536), ('"2MiB"', 2_097_152), ('"2 MiB"', 2_097_152), ("4096", 4096)],
)
def test_sizes(tmp_path: Path, value: str, size: int) -> None:
    assert read(tmp_path, f"[limits]\nmax_body = {value}").max_body == size


@pytest.mark.parametrize(
    "value",
    ['"64"', '"64KB"', '"64 kib"', '"1.5MiB"', '"-1B"', "0", "-1", "1.5", "true", "[]", '"0KiB"', '"0B"'],
)
def test_sizes_that_are_none(tmp_path: Path, value: str) -> None:
    said = refusal(tmp_path, f"[limits]\nmax_body = {value}")

    assert said.startswith("limits.max_body: ")
    assert 'should be a size such as "64KiB" or a number of bytes' in said


@pytest.mark.parametrize("value", ["0", "-5", "1.0", '"10"', "false", "{ a = 1 }"])
def test_counts_that_are_none(tmp_path: Path, value: str) -> None:
    said = refusal(tmp_path, f"[limits]\nmax_batch = {value}")

    assert said.startswith("limits.max_batch: ")
    assert said.endswith("should be a whole number from 1")


def test_counts(tmp_path: Path) -> None:
    assert read(tmp_path, "[limits]\nmax_batch = 1\nmax_sessions = 5_000").max_sessions == 5000


def test_transports(tmp_path: Path) -> None:
    settings = read(tmp_path, '[transports]\ntransports = ["long-polling", "websocket"]')

    assert settings.transports == ("long-polling", "websocket")


@pytest.mark.parametrize(
    "value", ["[]", '["smoke"]', '"websocket"', "1", '["websocket", 1]', '["websocket", "websocket"]']
)
def test_transports_that_are_none(tmp_path: Path, value: str) -> None:
    said = refusal(tmp_path, f"[transports]\ntransports = {value}")

    assert "should be a list with some of websocket, " in said


@pytest.mark.parametrize(
    "value", ['["https://a.example"]', '["http://A.example:8080", "https://[::1]:8443"]', "[]"]
)
def test_origins(tmp_path: Path, value: str) -> None:
    origins = read(tmp_path, f"[origins]\nallow_origins = {value}").allow_origins

    assert all(origin == origin.lower() for origin in origins)
    assert len(origins) == value.count("//")


@pytest.mark.parametrize(
    "value", ['["*"]', '["a.example"]', '["https://a.example/"]', '"https://a.example"', "[1]"]
)
def test_origins_that_are_none(tmp_path: Path, value: str) -> None:
    assert "should be a list of origins such as" in refusal(tmp_path, f"[origins]\nallow_origins = {value}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[sesion]", "'sesion' is no table; did you mean 'session'?"),
        ("[session]\ntimout = 1", "'timout' is no option in [session]; did you mean 'timeout'?"),
        ("[limits]\nmaxbody = 1", "'maxbody' is no option in [limits]; did you mean 'max_body'?"),
        ("[limits]\nzzz = 1", "'zzz' is no option in [limits]; there are: "),
        ("[zzz]", "'zzz' is no table; there are: "),
        ("session = 1", "session should be a table: write [session] and its options below"),
        ("timeout = 1", "'timeout' is no table"),
    ],
)
def test_what_there_is_not(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(tmp_path, text)


def test_an_option_outside_its_table_is_told_where_it_belongs(tmp_path: Path) -> None:
    assert "[session]" in refusal(tmp_path, "timeout = 1")
    assert "[limits]" in refusal(tmp_path, "[session]\nmax_body = 1")


@pytest.mark.parametrize("text", ["[session", "timeout: 1", "[session]\ntimeout = 1\ntimeout = 2"])
def test_what_is_not_toml(tmp_path: Path, text: str) -> None:
    said = refusal(tmp_path, text)

    assert said.startswith("this is not TOML: ")
    assert "column" in said or "at its end" in said or "line" in said


def test_what_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "mirant.toml"
    path.write_bytes(b"# \xff\n")

    with pytest.raises(SettingsError, match=r"this is not TOML: .*UTF-8"):
        load(path)


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "mirant.toml"
    path.write_text("[session]\ntimeout = 5", "utf-8-sig")

    assert load(path).timeout == 5


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Bus(tmp_path / "mirant.toml")


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
        {"allow_origins": ("*",)},
    ],
)
def test_settings_in_code_keep_to_the_same_rules(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=next(iter(settings))):
        Settings(**settings)


def test_a_session_must_outlive_the_way_back(tmp_path: Path) -> None:
    """With no time between two connects every session would expire."""
    assert "max_interval" in refusal(tmp_path, '[session]\nmax_interval = "0s"')


def test_polls_that_are_neither_held_nor_spaced_are_refused(tmp_path: Path) -> None:
    """Every client would poll as fast as it can."""
    assert "timeout" in refusal(tmp_path, '[session]\ntimeout = "0s"\ninterval = "0s"')
