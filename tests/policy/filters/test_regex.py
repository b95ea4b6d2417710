"""``regex``: replacing and refusing, in linear time."""

import json
import re
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirant.policy.filters import Dropped
from mirant.policy.filters.linear import MAX_PROGRAM
from mirant.policy.filters.regex import MAX_REPLACEMENTS, MAX_SEARCHES, MAX_STRINGS, MAX_TEXT
from tests.policy.filters.declaring import chain, examples, fault_of, faults_of, reason, run


@pytest.mark.parametrize(
    ("rules", "text", "left"),
    [
        ([["[fF].ck", "dang"]], "Fick, fack", "dang, dang"),
        ([["teh ", "the "], ["the cat", "a dog"]], "teh cat", "a dog"),
        ([["(?i)é", "e"]], "É😀é", "e😀e"),
        ([["x*", "-"]], "aé", "-a-é-"),
        ([["^a", "b"]], "aa", "ba"),
        ([[r"(\w+)@(\w+)", r"\2 at \1"]], "ann@home", "home at ann"),
        ([[r"(?P<who>\w+)!", r"\g<who>?"]], "Ann!", "Ann?"),
        ([[r"(a)|b", r"[\1]"]], "ab", "[a][]"),
        ([["a", r"\\1 \g<0>"]], "a", r"\1 a"),
        ([["a", "$1 & {} é"]], "a", "$1 & {} é"),
        ([["a", ""]], "banana", "bnn"),
        ([[r"\x{2028}", " "]], "a\u2028b", "a b"),
    ],
)
def test_matches_are_replaced(rules: list[list[str]], text: str, left: str) -> None:
    filters = chain({"regex": rules})

    assert run(filters, text) == left
    assert run(filters, {"a": [text, 1]}) == {run(filters, "a"): [left, 1]}


@pytest.mark.parametrize("rule", ["casino", ["casino"], ["casino", None]])
@pytest.mark.parametrize(
    "raw", [b'"a casino!"', b'{"a":["casino"]}', b'{"my casino":1}', b'"\\u0063asino"'], ids=bytes.decode
)
def test_a_pattern_alone_refuses_the_message(rule: object, raw: bytes) -> None:
    filters = chain({"regex": [rule]})

    assert reason(filters, raw) == "forbidden_text"
    assert run(filters, "a theatre") == "a theatre"


def test_keys_are_text_too() -> None:
    filters = chain({"regex": [["[0-9]", "#"]]})

    assert run(filters, {"a1": 1}) == {"a#": 1}
    assert reason(filters, {"a1": 1, "a2": 2}) == "duplicate_key"


def test_numbers_are_not_text() -> None:
    assert chain({"regex": [["1", "2"]]})(b'["1",1.10]') == b'["2",1.10]'


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*b", "(a|aa)+$", "(.*a){20}b", r"(x+x+)+y", r"^(\w+\s?)*$"]
)
@pytest.mark.parametrize("rule", [[], ["-"]], ids=["refuse", "replace"])
def test_patterns_that_take_others_for_ever(pattern: str, rule: list[str]) -> None:
    filters = chain({"regex": [["(" + pattern + ")!!", *rule]]})
    raw = json.dumps("a" * 60_000 + "!").encode()
    began = time.perf_counter()

    assert filters(raw) is raw
    assert time.perf_counter() - began < 5  # a matter of milliseconds; backtracking takes years


@examples
@given(
    st.text(st.sampled_from("abé😀 \n"), max_size=12),
    st.sampled_from(["a", "a*", "b|é", "(a)(b?)", "^.", "[^a]+", "😀"]),
)
def test_it_replaces_what_python_replaces(text: str, pattern: str) -> None:
    assert run(chain({"regex": [[pattern, r"<\g<0>>"]]}), text) == re.sub(pattern, r"<\g<0>>", text)


@examples
@given(st.text(max_size=20))
def test_what_is_replaced_once_stays(text: str) -> None:
    filters = chain({"regex": [["[a-zé]+", "X"]]})
    left = filters(json.dumps(text).encode())

    assert filters(left) is left


def test_a_message_has_only_so_many_matches() -> None:
    filters = chain({"regex": [["a", "b"]]})

    assert run(filters, "a" * MAX_REPLACEMENTS) == "b" * MAX_REPLACEMENTS
    assert reason(filters, "a" * (MAX_REPLACEMENTS + 1)) == "too_many_matches"
    assert reason(filters, ["a"] * (MAX_REPLACEMENTS + 1)) == "too_many_matches"
    assert run(filters, ["a"] * MAX_REPLACEMENTS)[-1] == "b"  # each message anew


def test_a_message_has_only_so_many_strings() -> None:
    filters = chain({"regex": ["x"]})

    assert run(filters, ["a"] * MAX_STRINGS) == ["a"] * MAX_STRINGS
    assert reason(filters, ["a"] * (MAX_STRINGS + 1)) == "too_many_strings"
    assert reason(filters, [{"a": "b"}] * (MAX_STRINGS // 2 + 1)) == "too_many_strings"


def test_the_more_rules_there_are_the_fewer_strings_a_message_may_have() -> None:
    filters, most = chain({"regex": ["x"] * 50}), MAX_SEARCHES // 50

    assert run(filters, ["a"] * most) == ["a"] * most
    assert reason(filters, ["a"] * (most + 1)) == "too_many_strings"


def test_replacing_cannot_blow_up_a_message() -> None:
    doubling = [["(?s)^(.*)$", r"\1\1"]] * 30

    assert reason(chain({"regex": doubling}), "x" * 1_000) == "too_large"
    assert reason(chain({"regex": [["a", "x" * (MAX_TEXT // 100)]]}), ["a"] * 200) == "too_large"


def test_a_message_has_only_so_much_text() -> None:
    filters = chain({"regex": ["x"]})

    assert run(filters, "a" * MAX_TEXT) == "a" * MAX_TEXT
    assert reason(filters, "a" * (MAX_TEXT + 1)) == "too_large"
    assert reason(filters, ["a" * (MAX_TEXT // 2)] * 3) == "too_large"
    assert reason(filters, {"a" * (MAX_TEXT + 1): 1}) == "too_large"


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ([["(?s)a(.*z)?", "b"]], "a" * 990 + "b" * 1_000_000),
        ([["(?s)a(.*z)?", "b"]], "a" * 990 + "b" * (MAX_TEXT - 990)),
        (["(?i)(f.{0,150}u.{0,150}c.{0,100}k)"], "fuc ." * 200_000),
        (["(?i)(f.{0,150}u.{0,150}c.{0,100}k)"], "fuc ." * (MAX_TEXT // 5)),
    ],
    ids=["far", "far within the bound", "large", "large within the bound"],
)
def test_patterns_that_look_far_are_done_soon(rules: list[object], text: str) -> None:
    filters = chain({"regex": rules})
    raw = json.dumps(text).encode()
    began = time.perf_counter()
    with suppress(Dropped):
        filters(raw)

    assert time.perf_counter() - began < 1.5  # 0.2 s at most; unbounded it takes 2 to 5 s


def test_its_name_shows_the_patterns() -> None:
    [each] = chain({"regex": [["[fF].ck", "dang"], "casino"]}).filters

    assert each.name == "regex [fF].ck casino"


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(?=a)b", "(?= is a look-ahead, which can take forever; patterns here take linear time"),
        ("a(?!b)", "(?! is a look-ahead"),
        ("(?<=a)b", "(?<= and (?<! are look-behinds"),
        ("(?<!a)b", "(?<= and (?<! are look-behinds"),
        (r"(a)\1", r"\1 is a back-reference"),
        (r"(?P<a>x)\k<a>", r"\k is a back-reference"),
        ("(?>a)", "nothing here backtracks: write (?:"),
        ("a++", "nothing here backtracks: write +"),
        (r"a\Z", r"\Z is written \z here"),
        (r"\u0041", r"\u0041 is written \x{0041} here"),
        ("a{2000}", "a part can be repeated at most 1,000 times"),
        (r"\p{L}{100}", f"it is too large (119,604 of {MAX_PROGRAM:,} instructions)"),
        ("(?:(?:a{100}){10}){1000}", "a part can be repeated at most 1,000 times"),
        ("(", "missing )"),
        ("[a", "missing ]"),
        ("*a", "no argument for repetition operator: *"),
        (r"\p{Nope}", "invalid character class range"),
    ],
)
def test_patterns_that_cannot_be(pattern: str, said: str) -> None:
    for rule, path in ((pattern, (0,)), ([pattern, "x"], (0, 0)), ([pattern], (0, 0))):
        where, sentence = fault_of({"regex": [rule]})
        assert where == ("regex", *path)
        assert sentence.startswith(f"the pattern {pattern!r}: ")
        assert said in sentence


@pytest.mark.parametrize(
    ("value", "path", "sentence"),
    [
        ("a", (), 'regex = \'a\' should be a list such as [["teh ", "the "], "casino"]'),
        ([], (), 'regex = [] should be a list such as [["teh ", "the "], "casino"]'),
        ([1], (0,), '1 should be a pattern, or a pattern and its replacement: ["teh ", "the "]'),
        (
            [["a", "b", "c"]],
            (0,),
            "['a', 'b', 'c'] should be a pattern, or a pattern and its replacement: [\"teh \", \"the \"]",
        ),
        (
            [["a", 1]],
            (0,),
            '[\'a\', 1] should be a pattern, or a pattern and its replacement: ["teh ", "the "]',
        ),
        (["a", ""], (1,), "an empty pattern matches every text; write one that does not"),
        ([["", "x"]], (0, 0), "an empty pattern matches every text; write one that does not"),
        ([["a", r"\1"]], (0, 1), "the pattern 'a' has no group 1; it has 0"),
        ([["(a)", r"\2"]], (0, 1), "the pattern '(a)' has no group 2; it has 1"),
        ([["(?P<n>a)", r"\g<m>"]], (0, 1), "the pattern '(?P<n>a)' has no group m; it has 1"),
        (
            [["a", "x\\"]],
            (0, 1),
            r"the replacement 'x\\' has a single \; write \1 or \g<name> for a group, \\ for itself",
        ),
        (
            [["a", r"\n"]],
            (0, 1),
            r"the replacement '\\n' has a single \; write \1 or \g<name> for a group, \\ for itself",
        ),
    ],
)
def test_rules_that_cannot_be(value: object, path: tuple[int, ...], sentence: str) -> None:
    assert fault_of({"regex": value}) == (("regex", *path), sentence)


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert [path for path, _ in faults_of({"regex": ["(", ["a", "b"], ["a", r"\1"], 3]})] == [
        (0, "regex", 0),
        (0, "regex", 2, 1),
        (0, "regex", 3),
    ]


@pytest.mark.parametrize("code", [0xD800, 0xDBFF, 0xDC00, 0xDFFF])
def test_each_half_of_a_surrogate_pair_is_refused_where_it_stands(code: int) -> None:
    half = chr(code)
    assert fault_of({"regex": [[half, "b"]]})[0][-1] == 0
    assert fault_of({"regex": [["a", f"b{half}"]]})[0][-1] == 1


@pytest.mark.parametrize("whole", ["\ud7ff", "\ue000", "\U0001f600"])
def test_a_character_beside_the_surrogates_is_not(whole: str) -> None:
    assert run(chain({"regex": [[whole, "b"]]}), f"a{whole}c") == "abc"
