"""Where changes can be made in a module, and where they would say nothing about its tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from tests.mutants.changes import Change, Function, file_of
from tests.mutants.operators import Text, replacements

# Names that are assigned for tools and readers, or only to save memory.
_UNTESTED_NAMES: Final = {"__slots__", "__all__", "log"}
_UNTESTED_FUNCTIONS: Final = {"__repr__"}
_TYPE_CALLS: Final = {"TypeVar", "ParamSpec", "cast", "NewType"}

_Definition = ast.FunctionDef | ast.AsyncFunctionDef


def find_changes(module: str) -> list[Change]:
    """Return all changes of *module*, in the order of its text."""
    source = file_of(module).read_bytes()
    return sorted(
        _Finder(module, source).changes(), key=lambda change: (change.start, change.end, change.after)
    )


class _Finder:
    """Walks the syntax tree; it knows around each node what it is in."""

    def __init__(self, module: str, source: bytes) -> None:
        self._module = module
        self._text = Text(source)
        self._tree = ast.parse(source)

    def changes(self) -> Iterator[Change]:
        yield from self._inside(self._tree, (), None)

    def _inside(self, node: ast.AST, names: tuple[str, ...], function: Function | None) -> Iterator[Change]:
        for child in ast.iter_child_nodes(node):
            yield from self._of(child, names, function)

    def _of(self, node: ast.AST, names: tuple[str, ...], function: Function | None) -> Iterator[Change]:
        if _is_untested(node):
            return
        if isinstance(node, _Definition):
            yield from self._definition(node, names, function)
        elif isinstance(node, ast.ClassDef):
            for statement in node.body:
                yield from self._of(statement, (*names, node.name), function)
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                yield from self._here(node, names, function)
                yield from self._of(node.value, names, function)
        else:
            yield from self._here(node, names, function)
            yield from self._inside(node, names, function)

    def _definition(
        self, node: _Definition, names: tuple[str, ...], function: Function | None
    ) -> Iterator[Change]:
        inner = (*names, node.name)
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                yield from self._of(default, inner, function)
        assert node.end_lineno is not None, "the parser gives it"
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        outermost = function or Function(".".join(inner), first, node.end_lineno)
        for statement in node.body:
            yield from self._of(statement, inner, outermost)

    def _here(self, node: ast.AST, names: tuple[str, ...], function: Function | None) -> Iterator[Change]:
        for start, end, after in replacements(node, self._text):
            before = self._text.source[start:end].decode()
            line = self._text.source[:start].count(b"\n") + 1
            yield Change(self._module, ".".join(names), line, start, end, before, after, function)


def _is_untested(node: ast.AST) -> bool:
    """Whether no test can or should notice a change in *node*."""
    return _is_for_a_person(node) or _is_for_types(node)


def _is_for_a_person(node: ast.AST) -> bool:
    match node:
        case ast.FunctionDef(name=name):
            return name in _UNTESTED_FUNCTIONS or any(map(_is_overload, node.decorator_list))
        case ast.Expr(value=ast.Constant()):
            return True  # a docstring, or `...`
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="log")))):
            return True
        case ast.Assert() | ast.JoinedStr() | ast.Import() | ast.ImportFrom():
            return True  # invariants, and texts for a person
        case ast.Raise(exc=ast.Call(func=ast.Name(id="AssertionError" | "NotImplementedError"))):
            return True
        case ast.Constant(value=str(value)):
            return _is_sentence(value)
    return False


def _is_for_types(node: ast.AST) -> bool:
    match node:
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name in _UNTESTED_NAMES
        case ast.AnnAssign(annotation=ast.Name(id="TypeAlias")):
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in _TYPE_CALLS
        case ast.Subscript(value=ast.Name(id="Literal" | "Annotated" | "Callable" | "Generic")):
            return True
    return False


def _is_overload(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Name) and decorator.id == "overload"


def _is_sentence(value: str) -> bool:
    """Whether *value* is a text for a person: two words at least, and no line end of a protocol."""
    return value.count(" ") > 1 and "\r\n" not in value
