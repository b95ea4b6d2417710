"""The faults of a file, as a person reads them."""

import pytest

from mirant.options.declaring import Fault
from mirant.options.reading import read_options
from mirant.policy.environment import read_environment
from mirant.policy.faults import decode_file, parse, render_faults
from mirant.policy.file import OPTIONS
from mirant.policy.positions import positions

FILE = """\
[session]
timout = 5

[[channel]]
match = "/a"
filters = [
  { regex = 1 },
]
"""


def complaints(raw: bytes) -> list[str]:
    """Return what is wrong with a file of *raw* bytes as such."""
    text, faults = decode_file(raw)
    return render_faults("mirant.toml", {}, faults or parse(text)[2])


def test_faults_are_sorted_by_their_lines() -> None:
    faults = [
        Fault((), "late", "MIRANT_B"),
        Fault(("token", "secret"), "missing"),
        Fault(("channel", 0, "filters", 0, "regex"), "should be a list"),
        Fault((), "early", "MIRANT_A"),
        Fault(("session", "timout"), "unknown"),
    ]

    assert render_faults("mirant.toml", positions(FILE), faults) == [
        "mirant.toml:2: session.timout: unknown",
        "mirant.toml:7: channel[0].filters[0].regex: should be a list",
        "mirant.toml: token.secret: missing",
        "MIRANT_A: early",
        "MIRANT_B: late",
    ]


def test_faults_of_one_line_keep_their_order() -> None:
    faults = [Fault(("channel", 0, "match"), sentence) for sentence in ("b", "a")]

    assert [line[-1] for line in render_faults("mirant.toml", positions(FILE), faults)] == ["b", "a"]


def test_a_file_with_its_environment() -> None:
    text, _ = decode_file(FILE.encode())
    tables, lines, _ = parse(text)
    overrides, faults = read_environment({"MIRANT_LIMITS_MAX_BODY": "0"}, OPTIONS)
    faults += read_options(OPTIONS, tables, elsewhere=("channel",), overrides=overrides)[1]

    assert render_faults("etc/mirant.toml", lines, faults) == [
        "etc/mirant.toml:2: session.timout: 'timout' is not an option in [session]; did you mean 'timeout'?",
        'MIRANT_LIMITS_MAX_BODY: 0 should be a size such as "64KiB" or a number of bytes, from 1',
    ]


def test_what_is_not_toml_has_its_line() -> None:
    assert complaints(b"a = 1\nb = @\n") == ["mirant.toml:2: this is not TOML: Invalid value in column 5"]
    assert complaints(b"a = 1\r\nb: 2\r\n")[0].startswith("mirant.toml:2: this is not TOML: ")
    assert complaints(b"\xef\xbb\xbfa = 1\n[a]")[0].startswith("mirant.toml:2: this is not TOML: ")


def test_what_ends_too_early_has_its_last_line() -> None:
    [said] = complaints(b"a = [\n1,\n\n\n")

    assert said.startswith("mirant.toml:2: this is not TOML: ")
    assert said.endswith(" at its end")


def test_what_is_not_utf8_has_its_line() -> None:
    assert complaints(b"a = 1\n# \xff\n") == [
        "mirant.toml:2: this is not TOML: it should be UTF-8; invalid start byte"
    ]


def test_what_no_parser_takes_is_told_without_a_line() -> None:
    assert complaints(b"a = " + b"9" * 5_000)[0].startswith("mirant.toml: this is not TOML: ")


def test_a_byte_order_mark_is_no_error() -> None:
    assert decode_file(b"\xef\xbb\xbfa = 1") == ("a = 1", [])
    assert parse("a = 1") == ({"a": 1}, {("a",): 1}, [])


@pytest.mark.parametrize("brackets", ["[]", "{}", "[["])
def test_whatever_depth_a_file_is_nested_to_it_is_read_or_refused(brackets: str) -> None:
    before = "a = 1\nb = "
    for depth in range(1, 600):
        inner = "{a=" * depth + "1" + "}" * depth if brackets == "{}" else "[" * depth + "]" * depth
        text = before + (inner if brackets != "[[" else "[" * depth)
        tables, _, faults = parse(text)
        said = render_faults("mirant.toml", {}, faults)
        assert bool(tables) is not bool(said)
        if depth > 64:
            assert said == ["mirant.toml:2: this is nested too deep"]
        elif depth < 64:
            assert bool(said) is (brackets == "[[")


@pytest.mark.parametrize("text", ["{} = 1", "[{}]\na = 1", "a = {{ {} = 1 }}"])
def test_a_key_of_a_great_many_parts_is_refused_at_once(text: str) -> None:
    key = ".".join(["a"] * 200_000)  # tomllib takes minutes for it

    assert complaints(text.format(key).encode()) == ["mirant.toml:1: this is nested too deep"]
