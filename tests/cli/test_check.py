"""``mirant check``: everything that is wrong with a file, each with its line, and the exit status."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mirant.cli import main

WRONG = """\
[session]
timout = "20s"
timeout = "soon"

[sesion]
timeout = 1

[[channel]]
match = "/a"
subscrib = "anyone"
publish = "rol:member"
rate = "20 per second"

[[channel]]
match = ["/a b*", "/b"]
call = "anyone"

[[channel]]
match = "/home"
subscribe = "self"
filters = ["no-markdown"]
"""

#: Line, what it is about, and part of what is said: the nearest spelling, or what could stand there.
COMPLAINTS = [
    (2, "session.timout", "did you mean 'timeout'?"),
    (3, "session.timeout", 'should be a duration such as "30s"'),
    (5, "sesion", "did you mean 'session'?"),
    (10, "channel[0].subscrib", "did you mean 'subscribe'?"),
    (11, "channel[0].publish", "did you mean 'role:member'?"),
    (12, "channel[0].rate", '"20/s"'),
    (15, "channel[1].match[0]", "'/a b*' is not a channel"),
    (16, "channel[1].call", "/b is not a service channel"),
    (20, "channel[2].subscribe", "/users/{user}/**"),
    (21, "channel[2].filters[0]", "did you mean no-markup?"),
]


def check(folder: Path, name: str = "mirant.toml", text: str | None = None, **variables: str) -> Result:
    """Run ``mirant check`` in *folder* on the file *name*, with *text* if that is given."""
    if text is not None:
        (folder / name).write_text(text, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = CliRunner().invoke(main, ["check", name], env=dict(variables))
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('[[channel]]\nmatch = "/a"\nsubscribe = "anyone"', "1 rule"),
        ('[session]\ntimeout = 5\n[[channel]]\nmatch = "/a"\n[[channel]]\nmatch = "/b"', "2 rules"),
    ],
)
def test_a_file_without_errors(tmp_path: Path, text: str, count: str) -> None:
    result = check(tmp_path, text=text)
    assert (result.exit_code, result.output) == (0, f"mirant.toml: {count}, no errors\n")


@pytest.mark.parametrize("text", ["", "# nothing\n", "[session]\ntimeout = 5\n"])
def test_a_file_without_rules_says_that_it_allows_nothing(tmp_path: Path, text: str) -> None:
    result = check(tmp_path, text=text)
    assert result.exit_code == 0
    assert result.output.splitlines()[0] == "mirant.toml: 0 rules, no errors"
    assert result.output.splitlines()[1].startswith("It allows nothing: add a [[channel]]")


def test_every_error_is_told_with_file_line_and_key(tmp_path: Path) -> None:
    result = check(tmp_path, text=WRONG)
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert len(lines) == len(COMPLAINTS)
    for line, (number, key, said) in zip(lines, COMPLAINTS, strict=True):
        assert line.startswith(f"mirant.toml:{number}: {key}: ")
        assert said in line


def test_rules_that_contradict_each_other_are_told_with_both_lines(tmp_path: Path) -> None:
    rules = (
        '[[channel]]\nmatch = "/x/{a}"\npublish = "anyone"\n[[channel]]\nmatch = "/{a}/y"\npublish = "server"'
    )
    result = check(tmp_path, text=rules)
    assert result.exit_code == 1
    assert result.output.startswith("mirant.toml:6: channel[1].publish: ")
    assert "/x/{a} in line 2" in result.output
    assert "match = '/x/y'" in result.output


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"[session\n", "mirant.toml:1: this is not TOML: "),
        (b"a = 1\na = 2\n", "mirant.toml:2: this is not TOML: "),
        (b"a = 1\n\xff = 1\n", "mirant.toml:2: this is not TOML: it should be UTF-8"),
        (b"a = " + b"[" * 5_000, "mirant.toml:1: this is nested too deep"),
        (b"[session]\ntimeout = " + b"[" * 492 + b"]" * 492, "mirant.toml:2: this is nested too deep"),
    ],
)
def test_what_is_not_toml(tmp_path: Path, raw: bytes, said: str) -> None:
    (tmp_path / "mirant.toml").write_bytes(raw)
    result = check(tmp_path)
    assert result.exit_code == 1
    assert result.output.startswith(said)
    assert result.output.count("\n") == 1


def test_a_variable_that_names_no_option_or_has_no_such_value(tmp_path: Path) -> None:
    result = check(tmp_path, text="", MIRANT_SESSION_TIMEOUT="soon", MIRANT_LIMITS_MAX_BODDY="1KiB")
    assert result.exit_code == 1
    assert "MIRANT_SESSION_TIMEOUT: 'soon' should be a duration" in result.output
    assert "MIRANT_LIMITS_MAX_BODDY: " in result.output
    assert "did you mean MIRANT_LIMITS_MAX_BODY?" in result.output


def test_a_variable_that_overrides_what_is_wrong_in_the_file_does_not_hide_it(tmp_path: Path) -> None:
    result = check(tmp_path, text='[session]\ntimeout = "soon"\n', MIRANT_SESSION_TIMEOUT="5s")
    assert result.exit_code == 1
    assert "mirant.toml:2: session.timeout" in result.output


@pytest.mark.parametrize("text", ["[]", "null"])
def test_jettys_file_without_filters(tmp_path: Path, text: str) -> None:
    result = check(tmp_path, "filters.json", text)
    assert (result.exit_code, result.output) == (0, "filters.json: 0 filters, no errors\n")


def test_jettys_file(tmp_path: Path) -> None:
    text = '[{"channels": "/chat/**", "filter": "org.mortbay.cometd.filter.NoMarkupFilter"}]'
    result = check(tmp_path, "filters.json", text)
    assert (result.exit_code, result.output) == (0, "filters.json: 1 filter, no errors\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[\n{", "2: this is not JSON: Expecting property name enclosed in double quotes in column 2"),
        ("{}", "1: this should be a list of objects"),
        (
            '[\n{"channels": "/chat/**",\n"filter": "NoMarkdownFilter"}]',
            "3: [0].filter: there is no filter NoMarkdownFilter; did you mean NoMarkupFilter?",
        ),
        ('[\n{"channels": "/a/{b}c",\n"filter": "NoMarkupFilter"}]', "2: [0].channels: '/a/{b}c' is not a"),
        (
            '[{"channels": "/a",\n"filter": "NoMarkupFilter",\n"initt": []}]',
            "3: [0].initt: 'initt' is not a key here; did you mean 'init'?",
        ),
        (
            '[{"channels": "/a",\n"filter": "NoMarkupFilter",\n/* again */ "channels": "/b"}]',
            "3: [0].channels: this key is here twice",
        ),
    ],
)
def test_jettys_file_that_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    result = check(tmp_path, "filters.json", text)
    assert result.exit_code == 1
    [line] = result.output.splitlines()
    assert line.startswith(f"filters.json:{said}")


def test_variables_do_not_matter_to_jettys_file(tmp_path: Path) -> None:
    assert check(tmp_path, "filters.json", "[]", MIRANT_SESSION_TIMEOUT="soon").exit_code == 0


@pytest.mark.parametrize(("name", "said"), [("none.toml", "does not exist"), (".", "is a directory")])
def test_a_file_that_is_none(tmp_path: Path, name: str, said: str) -> None:
    result = check(tmp_path, name)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mirant.toml").write_text("")

    def fail(path: Path) -> bytes:
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(Path, "read_bytes", fail)
    result = check(tmp_path)
    assert (result.exit_code, result.output) == (
        1,
        "mirant.toml: it cannot be read: Input/output error\n",
    )


HUGE = "0x" + "f" * 6_000


@pytest.mark.parametrize(
    "text",
    [
        f"[session]\ntimeout = {HUGE}",
        f"[limits]\nmax_body = {HUGE}",
        f"[limits]\nmax_batch = {HUGE}",
        f"[limits]\nmax_body = [{HUGE}]",
        f"[[channel]]\nmatch = {HUGE}",
        f"[[channel]]\nmatch = [{HUGE}]",
        f'[[channel]]\nmatch = "/a"\npublish = {HUGE}',
        f'[[channel]]\nmatch = "/a"\npublish = [{HUGE}]',
        f'[[channel]]\nmatch = "/a"\nrate = {HUGE}',
        f'[[channel]]\nmatch = "/a"\nmax_message = {HUGE}',
        f'[[channel]]\nmatch = "/a"\nmax_members = {HUGE}',
        *(
            f'[[channel]]\nmatch = "/a"\nfilters = {filters}'
            for filters in (
                HUGE,
                f"[{HUGE}]",
                *(
                    f"[{{ {name} = {value} }}]"
                    for name in (
                        "size",
                        "schema",
                        "regex",
                        "sanitize",
                        "custom",
                        "only-fields",
                        "drop-fields",
                    )
                    for value in (HUGE, f"[{HUGE}]")
                ),
                *(
                    f"[{{ sanitize = {{ {name} = {value} }} }}]"
                    for name in ("tags", "attributes")
                    for value in (HUGE, f"[{HUGE}]")
                ),
            )
        ),
    ],
    ids=lambda text: text.replace(HUGE, "huge").replace("\n", " "),
)
def test_integers_that_python_does_not_spell_are_a_line_each(tmp_path: Path, text: str) -> None:
    result = check(tmp_path, text=text)

    assert result.exit_code == 1
    [line] = result.output.splitlines()
    assert line.startswith("mirant.toml:")
    assert len(line) < 300


@pytest.mark.parametrize(
    ("option", "most"), [("max_body", "1 TiB"), ("max_batch", "1000000000")], ids=["size", "count"]
)
def test_more_than_any_machine_has_is_a_slip(tmp_path: Path, option: str, most: str) -> None:
    result = check(tmp_path, text=f"[limits]\n{option} = {2**40 + 1}")

    assert result.output == f"mirant.toml:2: limits.{option}: {2**40 + 1} should be at most {most}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (r'[{"channels":"/a","filter":"RegexFilter","init":[["a\ud800","x"]]}]', "pattern"),
        (r'[{"channels":"/a","filter":"RegexFilter","init":[["a","\ud800"]]}]', "replacement"),
        (r'{"channels":"/a\ud800","filter":"\ud800"}', "list"),
        (r'[{"channels":"/a","filter":"\ud800"}]', r"no filter \ud800"),
        (r'[{"channels":"/a\ud800","filter":"NoMarkupFilter"}]', r"/a\ud800"),
        (r'[{"channels":"/a","filter":"\ud800:x"}]', "cannot be imported"),
    ],
)
def test_half_surrogates_in_jettys_file_are_a_line_each(tmp_path: Path, text: str, said: str) -> None:
    result = check(tmp_path, "filters.json", text)

    assert result.exit_code == 1
    assert said in result.output
    assert len(result.output.splitlines()) == 1


def test_a_variable_that_would_be_a_rule_is_wrong(tmp_path: Path) -> None:
    result = check(tmp_path, text="", MIRANT_CHANNEL_PUBLISH="anyone")

    assert result.exit_code == 1
    assert result.output == "MIRANT_CHANNEL_PUBLISH: [[channel]] has no variables: write it in the file\n"
