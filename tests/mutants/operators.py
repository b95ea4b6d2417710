"""What is changed to what: each function gives the replacements for one kind of syntax node."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

#: A replacement: the bytes from the first to the second position give way to the text.
Replacement = tuple[int, int, str]

_COMPARISONS: Final = {
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Is: ("is", "is not"),
    ast.IsNot: (r"is\s+not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: (r"not\s+in", "in"),
}
_ARITHMETIC: Final = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "+"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.BitXor: ("^", "&"),
}


class Text:
    """A source text, in which syntax nodes have places."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def start(self, node: ast.expr | ast.stmt) -> int:
        """Return where *node* begins, in bytes."""
        return self._lines[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt) -> int:
        """Return where *node* ends, in bytes."""
        assert node.end_lineno is not None, "the parser gives it"
        assert node.end_col_offset is not None, "the parser gives it"
        return self._lines[node.end_lineno - 1] + node.end_col_offset

    def between(self, left: int, right: int, operator: str, other: str) -> Iterator[Replacement]:
        """Replace the *operator*, a regular expression, that stands between two positions, by *other*."""
        found = re.search(operator.encode(), self.source[left:right])
        if found is not None:
            yield left + found.start(), left + found.end(), other


def replacements(node: ast.AST, text: Text) -> Iterator[Replacement]:
    """Give all changes that are made to *node* itself, not to what it contains."""
    if isinstance(node, ast.Compare):
        yield from _comparison(node, text)
    elif isinstance(node, ast.BoolOp):
        yield from _condition(node, text)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield from text.between(text.start(node), text.end(node), r"not\s*", "")
    elif isinstance(node, ast.BinOp):
        operator, other = _ARITHMETIC.get(type(node.op), ("", ""))
        if operator and not _formats(node):
            yield from text.between(text.end(node.left), text.start(node.right), re.escape(operator), other)
    elif isinstance(node, ast.Constant):
        yield from ((text.start(node), text.end(node), other) for other in _constants(node.value))
    elif isinstance(node, ast.If | ast.While | ast.IfExp):
        yield from _negation(node.test, text)
    elif isinstance(node, ast.comprehension):
        yield from ((text.start(test), text.end(test), "True") for test in node.ifs)
    elif isinstance(node, ast.stmt):
        yield from _statement(node, text)


def _comparison(node: ast.Compare, text: Text) -> Iterator[Replacement]:
    left = node.left
    for operation, right in zip(node.ops, node.comparators, strict=True):
        operator, other = _COMPARISONS[type(operation)]
        yield from text.between(text.end(left), text.start(right), operator, other)
        left = right


def _condition(node: ast.BoolOp, text: Text) -> Iterator[Replacement]:
    """Drop each operand in turn; of two, also take the other operation."""
    word, other, neutral = ("and", "or", "True") if isinstance(node.op, ast.And) else ("or", "and", "False")
    for operand in node.values:
        yield text.start(operand), text.end(operand), neutral
    if len(node.values) == 2:
        left, right = node.values
        yield from text.between(text.end(left), text.start(right), rf"\b{word}\b", other)


def _formats(node: ast.BinOp) -> bool:
    return isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant)


def _constants(value: object) -> list[str]:
    """Return what may stand instead of *value*."""
    if isinstance(value, bool):
        return [str(not value)]
    if isinstance(value, int):
        return ["0", "2"] if value == 1 else [str(value + 1)]
    if isinstance(value, float):
        return [str(value + 1)]
    if isinstance(value, str):
        return ['""' if value else '"mutant"']
    if isinstance(value, bytes):
        return ['b""' if value else 'b"mutant"']
    return []


def _negation(test: ast.expr, text: Text) -> Iterator[Replacement]:
    if isinstance(test, ast.Compare | ast.BoolOp | ast.NamedExpr | ast.Constant):
        return  # its own changes do that
    if not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
        yield text.start(test), text.start(test), "not "


def _statement(node: ast.stmt, text: Text) -> Iterator[Replacement]:
    start, end = text.start(node), text.end(node)
    if isinstance(node, ast.Return):
        if node.value is not None and not isinstance(node.value, ast.Constant):
            yield text.start(node.value), text.end(node.value), "None"
    elif isinstance(node, ast.AugAssign):
        operator, other = _ARITHMETIC[type(node.op)]
        between = text.end(node.target), text.start(node.value)
        yield from text.between(*between, re.escape(operator) + "=", other + "=")
    elif isinstance(node, ast.Break):
        yield start, end, "continue"
    elif isinstance(node, ast.Continue):
        yield start, end, "break"
    elif _can_be_left_out(node):
        yield start, end, "pass"


def _can_be_left_out(node: ast.stmt) -> bool:
    """Whether *node* may be left out: a call, a deletion, a raise, or a change of an object."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call | ast.Await | ast.YieldFrom)
    if isinstance(node, ast.Assign):
        return all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets)
    return isinstance(node, ast.Delete | ast.Raise)
