"""Which changes are made of a source text."""

from pathlib import Path
from textwrap import dedent

import pytest

from tests.mutants import changes as module
from tests.mutants.changes import Change
from tests.mutants.choosing import modules
from tests.mutants.finding import find_changes


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file that `changes_of` reads."""
    monkeypatch.setattr(module, "SOURCE", tmp_path)
    return tmp_path / "a.py"


def changes_of(source: Path, text: str) -> list[Change]:
    source.write_text(dedent(text), encoding="utf-8")
    return find_changes("a")


def changed(source: Path, text: str) -> list[str]:
    """Return all changed texts."""
    found = changes_of(source, text)
    return [change.apply(source.read_bytes()).decode().strip() for change in found]


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("a == b", ["a != b"]),
        ("a < b", ["a <= b"]),
        ("a is not b", ["a is b"]),
        ("a not in b", ["a in b"]),
        ("(a) < (b)", ["(a) <= (b)"]),
        ("a and b", ["True and b", "a or b", "a and True"]),
        ("a or b or c", ["False or b or c", "a or False or c", "a or b or False"]),
        ("not a", ["a"]),
        ("a + b", ["a - b"]),
        ("a // b", ["a * b"]),
        ("x = True", ["x = False"]),
        ("x = 1", ["x = 0", "x = 2"]),
        ("x = 7", ["x = 8"]),
        ("x = 'ä'; y = 2", ['x = ""; y = 2', "x = 'ä'; y = 3"]),
        ("x = b''", ['x = b"mutant"']),
        ("b'%d' % x", ['b"" % x']),
        ("x += y", ["x -= y"]),
        ("x if y else z", ["x if not y else z"]),
        ("[x for x in y if z]", ["[x for x in y if True]"]),
        ("call(x)", ["pass"]),
        ("x.y = z", ["pass"]),
        ("del x[y]", ["pass"]),
        ("raise X", ["pass"]),
    ],
)
def test_each_kind_of_expression_and_statement_is_changed(source: Path, text: str, others: list[str]) -> None:
    assert changed(source, text) == others


@pytest.mark.parametrize(
    "text",
    [
        '"""A docstring."""',
        "__slots__ = ('a',)",
        "log.info('a.b x=%s', 1)",
        "x: Literal['a']",
        "x: TypeAlias = 'Y'",
        "S = TypeVar('S')",
        "assert x == 1",
        "raise AssertionError('a')",
        "import a",
        "f'{x} {1}'",
        "x = 'three words here'",
        "if TYPE_CHECKING:\n    x = 1",
        "def __repr__(self):\n    return 'a' + 'b'",
        "x = y",
    ],
)
def test_what_is_for_people_and_type_checkers_is_left_alone(source: Path, text: str) -> None:
    assert changed(source, text) == []


def test_a_change_knows_its_line_and_the_function_that_is_in_no_other(source: Path) -> None:
    text = """
    class A:
        @property
        def b(self, x=7):
            def inner():
                return 2
            return inner
    """
    found = [
        (c.where, c.line, c.function and (c.function.name, c.function.first))
        for c in changes_of(source, text)
    ]
    assert found == [
        ("A.b", 4, None),
        ("A.b.inner", 6, ("A.b", 3)),
        ("A.b", 7, ("A.b", 3)),
    ]


def test_every_change_of_the_source_can_be_compiled() -> None:
    for name in modules(["bus/carrier", "bus/outbox", "extensions/ack", "policy/filters/regex"]):
        for change in find_changes(name):
            compile(change.apply(change.file.read_bytes()), str(change.file), "exec", dont_inherit=True)


def test_an_unknown_module_is_named() -> None:
    with pytest.raises(LookupError, match="bus/nothing"):
        modules(["bus/nothing"])
