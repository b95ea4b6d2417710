"""Reading ``mirant.toml``: the faults of a file that is wrong, and what a right one turns on."""

import re
from pathlib import Path

import pytest

from mirant import Bus, Settings, SettingsError
from mirant.identity.proxy_options import ProxyOptions
from mirant.identity.token_options import TokenOptions
from mirant.policy.file import Policy, PolicyFile


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


def test_each_fault_has_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "mirant.toml"
    path.write_text("[session]\ntimout = 1\n[limits]\nmaxbody = 1")

    with pytest.raises(SettingsError) as caught:
        load(path)
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{path}:2: ")
    assert second.startswith(f"{path}:4: ")


def test_without_a_file_a_fault_names_the_one_that_would_help() -> None:
    environ = {"MIRANT_TOKEN_SECRET": "a secret of 32 characters or more"}

    with pytest.raises(SettingsError, match=r"^mirant\.toml: token\.algorithms: it is missing"):
        PolicyFile(environ=environ).load()


def test_keys_that_cannot_be_read_are_a_fault_of_their_line(tmp_path: Path) -> None:
    path = tmp_path / "mirant.toml"
    path.write_text('[token]\nalgorithms = ["RS256"]\njwks = "keys.json"')

    with pytest.raises(SettingsError, match=rf"^{re.escape(str(path))}:3: token\.jwks: "):
        load(path)


# --- How clients prove who they are ---


def test_without_keys_and_without_a_proxy_the_application_decides_who_clients_are(tmp_path: Path) -> None:
    path = tmp_path / "mirant.toml"
    path.write_text("[session]")

    assert PolicyFile(config=path).load().authentication is None


@pytest.mark.parametrize(
    "text",
    [
        '[token]\nalgorithms = ["HS256"]\nsecret = "a secret of 32 characters or more"',
        '[proxy]\nuser_header = "X-User"\ntrusted = ["127.0.0.1"]',
    ],
)
def test_either_a_key_or_a_proxy_is_enough(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mirant.toml"
    path.write_text(text)

    assert PolicyFile(config=path).load().authentication is not None


def from_url(url: str = "https://issuer.example/keys") -> Policy:
    """Return a policy that takes its keys from *url*."""
    return Policy(token=TokenOptions(algorithms=("RS256",), jwks=url))


def test_keys_of_one_url_are_kept_when_no_option_about_them_changed() -> None:
    assert from_url().same_authentication(from_url()) is True


@pytest.mark.parametrize(
    "other",
    [
        from_url("https://other.example/keys"),
        Policy(token=from_url().token, proxy=ProxyOptions(user_header="X-User", trusted=("127.0.0.1",))),
        Policy(),
    ],
    ids=["another URL", "a proxy besides", "no keys"],
)
def test_keys_of_a_url_are_not_kept_when_an_option_about_them_changed(other: Policy) -> None:
    assert from_url().same_authentication(other) is False
    assert other.same_authentication(from_url()) is False


@pytest.mark.parametrize("policy", [Policy(), from_url("keys.json")], ids=["no keys", "keys in a file"])
def test_keys_that_are_at_hand_are_read_again(policy: Policy) -> None:
    assert policy.same_authentication(policy) is False
