"""Reading ``mirant.toml``: the faults of a file that is wrong."""

import re
from pathlib import Path

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
    ("text", "said"),
    [
        ("[sesion]", "'sesion' is not a table; did you mean 'session'?"),
        ("[session]\ntimout = 1", "'timout' is not an option in [session]; did you mean 'timeout'?"),
        ("[limits]\nmaxbody = 1", "'maxbody' is not an option in [limits]; did you mean 'max_body'?"),
        ("[limits]\nzzz = 1", "'zzz' is not an option in [limits]; there are: "),
        ("[zzz]", "'zzz' is not a table; there are: "),
        ("session = 1", "session should be a table: write [session] and its options below"),
        ("timeout = 1", "'timeout' is not a table"),
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


def test_a_session_must_outlive_the_way_back(tmp_path: Path) -> None:
    """With no time between two connects every session would expire."""
    assert "max_interval" in refusal(tmp_path, '[session]\nmax_interval = "0s"')


def test_polls_that_are_neither_held_nor_spaced_are_refused(tmp_path: Path) -> None:
    """Every client would poll as fast as it can."""
    assert "timeout" in refusal(tmp_path, '[session]\ntimeout = "0s"\ninterval = "0s"')
