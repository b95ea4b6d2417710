"""The lines of keys, by example; `tests/properties/test_positions.py` has every spelling."""

import pytest

from mirant.options.declaring import KeyPath
from mirant.policy.positions import TooDeep, line_of, positions

FILE = '''\
# mirant.toml
[session]
timeout = "30s"  # [limits]

[limits]
"max_body" = """
[session]
timeout = 1
"""
max_batch = 10

[[channel]]
match = "/chat/**"
filters = [
    "no-markup",
    # comes next
    { regex = [["[fF].ck", "dang"]], size = "2KiB" },
]
subscribe.allow = ["anyone",
                   "role:x"]

[[channel]]
match = ["/a/*", "/b/*"]
[channel.publish]
allow = "anyone"
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("session",), 2),
        (("session", "timeout"), 3),
        (("limits", "max_body"), 6),
        (("limits", "max_batch"), 10),
        (("channel",), 12),
        (("channel", 0), 12),
        (("channel", 0, "filters"), 14),
        (("channel", 0, "filters", 0), 15),
        (("channel", 0, "filters", 1), 17),
        (("channel", 0, "filters", 1, "regex", 0, 1), 17),
        (("channel", 0, "filters", 1, "size"), 17),
        (("channel", 0, "subscribe", "allow", 1), 20),
        (("channel", 1), 22),
        (("channel", 1, "match", 1), 23),
        (("channel", 1, "publish"), 24),
        (("channel", 1, "publish", "allow"), 25),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_what_is_there_has_its_line(path: KeyPath, line: int, line_end: str) -> None:
    assert positions(FILE.replace("\n", line_end))[path] == line


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("session", "zzz"), 3 - 1),
        (("channel", 0, "filters", 1, "regex", 0, 5), 17),
        (("channel", 1, "subscribe", "deny", 0), 22),
        (("channel", 7), 12),
        (("token", "secret"), 0),
        ((), 0),
    ],
)
def test_what_is_not_there_has_the_line_of_what_is_around_it(path: KeyPath, line: int) -> None:
    assert line_of(positions(FILE), path) == line


def test_a_byte_order_mark_is_no_part_of_a_key() -> None:
    assert positions("\ufeffa = 1") == {("a",): 1}


def test_a_table_has_the_line_of_its_own_header_though_others_name_it_before() -> None:
    assert positions("[a.b]\n[a]\n")[("a",)] == 2


def test_the_elements_of_arrays_in_arrays_of_tables_are_told_apart() -> None:
    found = positions("[[a]]\n[[a.b]]\n[[a.b]]\nc = 1\n[[a]]\n[[a.b]]\nc = 1\n")

    assert found[("a", 0, "b", 1, "c")] == 4
    assert found[("a", 1, "b", 0, "c")] == 7


def test_dates_may_have_a_blank_in_them() -> None:
    assert positions("a = 1979-05-27 07:32:00 # then\nb = 1") == {("a",): 1, ("b",): 2}


def test_what_later_versions_of_toml_allow_is_walked_through() -> None:
    """Newlines and a last comma in inline tables, which newer Pythons accept."""
    assert positions("a = {\n  b = 1, # first\n  c = 2,\n}\nd = 3")[("a", "c")] == 3


@pytest.mark.parametrize("text", ["[a", "a", "a =", "a = [1", "a = {b = 1", "= 1", "a.= 1", '"a'])
def test_what_is_no_toml_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="this is not TOML, in line 1"):
        positions(text)


def test_what_is_nested_too_deep_is_told_by_its_line() -> None:
    assert len(positions("a = " + "[" * 64 + "]" * 64)) == 64
    with pytest.raises(TooDeep) as caught:
        positions("a = 1\nb = " + "[" * 66 + "]" * 66)
    assert caught.value.line == 2


def test_a_large_file_is_walked_through() -> None:
    rule = '[[channel]]\nmatch = "/a/{user}/**"\nfilters = [\n  "no-markup",\n]\n'

    assert positions(rule * 5_000)[("channel", 4_999, "filters", 0)] == 24_999
