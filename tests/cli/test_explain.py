"""``mirant explain``: who may do what, by which line of the file, and the exit status."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mirant.cli import main

RULES = """\
[[channel]]
match       = "/chat/{room}"
create      = "role:admin"
subscribe   = "anyone"
publish     = { allow = "role:member", deny = "user:mallory" }
filters     = ["no-markup", { size = "2KiB" }]
max_message = "4KiB"
rate        = "20/s"
max_members = 500
echo        = false
lazy        = "2.5s"

[[channel]]
match     = "/chat/staff"
subscribe = ["role:staff", "claim:org=acme"]

[[channel]]
match     = "/users/{user}/**"
subscribe = "self"

[[channel]]
match = "/service/**"
call  = "authenticated"
rate  = "5/m"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mirant.toml").write_text(RULES)


def explain(*arguments: str, file: str = "mirant.toml") -> Result:
    result = CliRunner().invoke(main, ["explain", file, *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result


def test_what_is_allowed_is_told_with_its_rule_its_filters_and_its_limits() -> None:
    result = explain("publish", "/chat/demo", "--user", "alice", "--role", "member")
    assert result.output == (
        "allowed: publish /chat/demo for alice (role member)\n"
        "  rule     mirant.toml:5: /chat/{room}: publish = role:member but not user:mallory\n"
        "  create   mirant.toml:3: /chat/{room}: create = role:admin; only once it exists\n"
        "  filter   no-markup\n"
        "  filter   size 2KiB\n"
        "  limit    max_message = 4096   (mirant.toml:7)\n"
        "  limit    rate = 20/s   (mirant.toml:8)\n"
        "  limit    lazy = 2.5   (mirant.toml:11)\n"
        "  limit    echo = false   (mirant.toml:10)\n"
    )
    assert result.exit_code == 0


def test_what_is_denied_is_told_with_its_rule_alone() -> None:
    result = explain("publish", "/chat/demo", "--user", "mallory", "--role", "member")
    assert result.output == (
        "denied: publish /chat/demo for mallory (role member)\n"
        "  rule     mirant.toml:5: /chat/{room}: publish = role:member but not user:mallory\n"
    )
    assert result.exit_code == 1


def test_what_no_rule_allows() -> None:
    result = explain("subscribe", "/elsewhere")
    assert result.output == (
        "denied: subscribe /elsewhere for anyone without identity\n"
        "  rule     none says who may subscribe to it\n"
    )
    assert result.exit_code == 1


def test_a_subscription_has_other_limits() -> None:
    result = explain("subscribe", "/chat/demo", "--user", "root", "--role", "admin")
    assert result.output.splitlines()[1:] == [
        "  rule     mirant.toml:4: /chat/{room}: subscribe = anyone",
        "  create   mirant.toml:3: /chat/{room}: create = role:admin",
        "  limit    max_members = 500   (mirant.toml:9)",
        "  limit    lazy = 2.5   (mirant.toml:11)",
        "  limit    echo = false   (mirant.toml:10)",
    ]


@pytest.mark.parametrize("name", ["/chat/*", "/chat/*/", "/chat/* "])
def test_a_wildcard_is_denied_by_the_rule_that_it_would_get_round(name: str) -> None:
    result = explain("subscribe", name)
    assert result.output == (
        "denied: subscribe /chat/* for anyone without identity\n"
        "  rule     mirant.toml:15: /chat/staff: subscribe = role:staff, claim:org=acme\n"
    )
    assert result.exit_code == 1


def test_a_wildcard_is_allowed_where_all_of_it_is() -> None:
    result = explain("subscribe", "/chat/*", "--user", "alice", "--claim", "org=acme")
    assert result.output == (
        "allowed: subscribe /chat/* for alice (claim org=acme)\n"
        "  rule     mirant.toml:4: /chat/{room}: subscribe = anyone\n"
    )
    assert result.exit_code == 0


def test_a_wildcard_over_channels_without_a_rule() -> None:
    result = explain("subscribe", "/other/**")
    assert "none says who may subscribe to all of it" in result.output
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("name", "user", "code"),
    [("/users/alice/**", "alice", 0), ("/users/alice/**", "bob", 1), ("/users/**", "alice", 1)],
)
def test_self(name: str, user: str, code: int) -> None:
    assert explain("subscribe", name, "--user", user).exit_code == code


def test_a_call() -> None:
    denied = explain("call", "/service/echo")
    assert denied.output.splitlines() == [
        "denied: call /service/echo for anyone without identity",
        "  rule     mirant.toml:23: /service/**: call = authenticated",
    ]
    assert denied.exit_code == 1
    allowed = explain("call", "/service/echo", "--user", "alice")
    assert allowed.output.splitlines()[2] == "  limit    rate = 5/m   (mirant.toml:24)"
    assert allowed.exit_code == 0


def test_a_handshake() -> None:
    result = explain("call", "/meta/handshake")
    assert "none says who may call it, so everybody may" in result.output
    assert result.exit_code == 0


@pytest.mark.parametrize(("role", "code"), [("admin", 0), ("member", 1)])
def test_creation(role: str, code: int) -> None:
    result = explain("create", "/chat/new", "--user", "alice", "--role", role)
    assert "mirant.toml:3: /chat/{room}: create = role:admin" in result.output
    assert result.exit_code == code


@pytest.mark.parametrize(
    ("operation", "channel", "said"),
    [
        ("subscribe", "chat", "'chat' is not a channel"),
        ("subscribe", "/a*", "'/a*' is not a channel"),
        ("publish", "/chat/*", "/chat/* is many channels"),
        ("create", "/chat/**", "/chat/** is many channels"),
        ("publish", "/service/echo", "ask for call /service/echo"),
        ("subscribe", "/service/**", "ask for call /service/**"),
        ("create", "/service/echo", "ask for call /service/echo"),
        ("call", "/chat/demo", "/chat/demo is not a service channel"),
        ("subscribe", "/meta/connect", "of the meta channels only /meta/handshake has a rule"),
        ("call", "/meta/connect", "of the meta channels only /meta/handshake has a rule"),
        ("publish", "/meta/handshake", "ask for call /meta/handshake"),
    ],
)
def test_a_question_that_makes_no_sense(operation: str, channel: str, said: str) -> None:
    result = explain(operation, channel)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--role", "member"], "add --user"),
        (["--claim", "a=b"], "add --user"),
        (["--user", "alice", "--claim", "a"], "NAME=VALUE"),
        (["--user", "alice", "--claim", "=a"], "NAME=VALUE"),
    ],
)
def test_an_identity_that_makes_no_sense(arguments: list[str], said: str) -> None:
    result = explain("subscribe", "/chat/a", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_file_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "mirant.toml").write_text('[[channel]]\nmatch = "/a"\nsubscrib = "anyone"\n')
    result = explain("subscribe", "/a")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "mirant.toml:3: channel[0].subscrib: " in result.stderr


def test_a_file_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> bytes:
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(Path, "read_bytes", fail)
    result = explain("subscribe", "/a")
    assert (result.exit_code, result.stderr) == (2, "mirant.toml: it cannot be read: Input/output error\n")


@pytest.mark.parametrize("filters", [[], ["no-markup"]])
def test_jettys_file_has_filters_and_no_rules(tmp_path: Path, filters: list[str]) -> None:
    entry = '{"channels": "/chat/**", "filter": "org.mortbay.cometd.filter.NoMarkupFilter"}'
    (tmp_path / "filters.json").write_text(f"[{entry if filters else ''}]")
    result = explain("publish", "/chat/a", file="filters.json")
    assert result.output.splitlines() == [
        "allowed: publish /chat/a for anyone without identity",
        "  rule     there are none: everybody may do everything",
        *(f"  filter   {name}" for name in filters),
    ]
    assert result.exit_code == 0
