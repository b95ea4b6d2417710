"""Patterns in linear time: matching, replacing, and explanations for those that cannot be."""

import pytest

from mirant.policy.filters.linear import MAX_PROGRAM, LinearPattern, PatternInvalid


def nothing() -> None:
    """Spend nothing."""


def test_a_pattern_occurs_anywhere_or_matches_the_whole() -> None:
    assert LinearPattern("b+").occurs_in("abbc")
    assert not LinearPattern("b+", whole=True).occurs_in("abbc")
    assert LinearPattern("b+", whole=True).occurs_in("bb")
    assert not LinearPattern("b", whole=True).occurs_in("b\n")


def test_matches_are_replaced_by_text_and_groups_and_each_is_counted() -> None:
    spent: list[int] = []
    pattern = LinearPattern("(a)(x)?")

    assert pattern.replace("ax-ä-a", ("<", 1, 2, ">"), lambda: spent.append(1)) == "<ax>-ä-<a>"
    assert len(spent) == 2


def test_a_text_without_a_match_is_the_same_object() -> None:
    text = "nothing here"
    assert LinearPattern("z").replace(text, ("x",), nothing) is text


def test_groups_have_numbers_and_names() -> None:
    pattern = LinearPattern("(a)(?P<who>b)")
    assert (pattern.groups, pattern.names) == (2, {"who": 2})


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("a(?=b)", "look-ahead"),
        ("a(?!b)", "look-ahead"),
        ("(?<=a)b", "look-behind"),
        ("(?>a)", "write (?:"),
        ("a++", "write +"),
        (r"(a)\1", "back-reference"),
        (r"\k<a>", "back-reference"),
        (r"a\Z", r"\z here"),
        (r"\u0041", r"\x{0041}"),
        ("a{1001}", "at most 1,000 times"),
        ("((a{1000}){1000}){1000}", "repeat less|at most 1,000|too large"),
        ("(", "missing"),
        (")(", "unexpected"),
    ],
)
def test_patterns_that_cannot_be_are_explained(pattern: str, said: str) -> None:
    with pytest.raises(PatternInvalid) as caught:
        LinearPattern(pattern)
    assert any(each in str(caught.value) for each in said.split("|")), str(caught.value)


@pytest.mark.parametrize("whole", [False, True])
def test_a_pattern_alone_must_be_one_also_where_parentheses_would_mend_it(whole: bool) -> None:  # noqa: FBT001
    with pytest.raises(PatternInvalid):
        LinearPattern("a)(b", whole=whole)


def test_a_pattern_has_a_most_size() -> None:
    LinearPattern("|".join(f"word{number}" for number in range(500)))
    with pytest.raises(PatternInvalid, match=f"of {MAX_PROGRAM:,} instructions"):
        LinearPattern("|".join(f"{number:x}word{number:o}" for number in range(1_500)))
