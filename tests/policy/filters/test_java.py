"""Java's patterns and replacements, as Jetty's RegexFilter had them."""

import pytest

from mirant.policy.filters.contract import FilterInvalid
from mirant.policy.filters.java import read_rule
from mirant.policy.filters.regex import Regex


def rewritten(pattern: str, replacement: str, text: str) -> object:
    return Regex.of([read_rule(pattern, replacement, ())])(text)


def fault(pattern: str, replacement: str | None) -> tuple[object, str]:
    with pytest.raises(FilterInvalid) as caught:
        read_rule(pattern, replacement, ("init",))
    [found] = caught.value.faults
    return found.path, found.sentence


@pytest.mark.parametrize(
    ("pattern", "replacement", "text", "left"),
    [
        ("(a)(b)", "$2$1", "xab", "xba"),
        ("(?P<who>a)", "<${who}>", "a", "<a>"),
        ("(a)(b)", "$12", "ab", "a2"),
        ("a", r"\$1", "a", "$1"),
        ("a", r"\\", "a", "\\"),
        ("(a)|b", "[$1]", "ab", "[a][]"),
        ("a", "", "banana", "bnn"),
    ],
)
def test_replacements(pattern: str, replacement: str, text: str, left: str) -> None:
    assert rewritten(pattern, replacement, text) == left


def test_without_a_replacement_a_whole_text_must_match() -> None:
    rule = read_rule("a|b", None, ())

    assert rule.template is None
    assert [text for text in ("a", "b", "ab", "ba", "") if rule.pattern.occurs_in(text)] == ["a", "b"]


@pytest.mark.parametrize("pattern", ["[a[b]]", "[a-z&&[^b]]", "[&&a]"])
def test_classes_within_classes_are_refused(pattern: str) -> None:
    path, sentence = fault(pattern, "x")
    assert path == ("init", 0)
    assert "classes cannot be nested or intersected" in sentence


@pytest.mark.parametrize("pattern", [r"[a\[b]", r"\Q[a[b]\E", "[a]&&[b]", r"[a\&&b]"])
def test_brackets_that_are_characters_are_not_classes(pattern: str) -> None:
    read_rule(pattern, "x", ())


@pytest.mark.parametrize(
    ("replacement", "said"),
    [
        ("$", "has a single $"),
        ("\\", "has a single \\"),
        ("${1}", "has a single ${1}"),
        ("$3", "has no group 3; it has 2"),
        ("${who}", "has no group who; it has 2"),
    ],
)
def test_replacements_that_cannot_be(replacement: str, said: str) -> None:
    path, sentence = fault("(a)(b)", replacement)
    assert path == ("init", 1)
    assert said in sentence
