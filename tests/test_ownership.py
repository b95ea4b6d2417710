"""Each attribute of a session is written in the file that owns it, and nowhere else. Others ask that file.

Read from the syntax tree: a write is found by the name of what is written to, or by its annotation. So a
session that hides behind another name is not found. Name a session `session`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from tests.test_imports import SOURCE

#: The file that writes each attribute of a session or of its record; `OTHERS` writes what is not named.
OWNERS = {
    "bucket": "bus/deadlines.py",
    "busy_until": "bus/subscribing.py",
    "calls": "bus/calls.py",
    "deadline": "bus/deadlines.py",
    "dirty": "bus/deliveries.py",
    "download": "bus/sessions.py",
    "held": "bus/polls.py",
    "identity_until": "bus/timetable.py",
    "interval": "bus/polls.py",
    "lazy_until": "bus/timetable.py",
    "link": "bus/links.py",
    "until": "bus/timetable.py",
    "weight": "bus/hub.py",
}
OTHERS = "bus/session.py"

#: Properties with a setter: to set one is to call session.py. For applications and extensions.
SETTERS = frozenset({"connect_only", "echo", "extensions", "max_interval", "timeout"})

#: The classes that are owned, as annotations name them.
OWNED = frozenset({"Session", "SessionRecord"})

#: What sessions are called, whatever the annotation: variables and attributes.
NAMES = frozenset({"session", "_session", "record", "_record", "former_session"})

#: What returns a session.
CALLS = frozenset({"session_of"})

#: What an application may put something into: a place for its own data.
OPEN_TABLES = frozenset({"attributes"})

#: These speak to a bus over the wire; their sessions are their own.
APART = frozenset({"load", "client"})

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def writes(root: Path) -> list[str]:
    """Return each place at which something else than its owner writes an attribute of a session."""
    found = []
    for file in sorted(root.rglob("*.py")):
        name = file.relative_to(root).as_posix()
        if name != OTHERS and name.partition("/")[0] not in APART:
            tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
            found += [
                f"{name}:{node.lineno}: {ast.unparse(node)}"
                for node in _written(tree, NAMES)
                if _attribute_of(node) not in SETTERS and OWNERS.get(_attribute_of(node), OTHERS) != name
            ]
    return found


def _attribute_of(target: ast.expr) -> str:
    """Return the name of the attribute that *target*, or the table that it is an item of, is."""
    if isinstance(target, ast.Subscript):
        target = target.value
    return target.attr if isinstance(target, ast.Attribute) else ""


def _written(node: ast.AST, names: frozenset[str]) -> Iterator[ast.expr]:
    """Give what *node* writes of sessions; *names* is what sessions are called there."""
    if isinstance(node, _Function):
        names = names | _annotated(node)
    yield from (target for target in _targets(node) if _is_of_session(target, names))
    for child in ast.iter_child_nodes(node):
        yield from _written(child, names)


def _annotated(function: _Function) -> set[str]:
    """Return the names in *function* that are annotated to be sessions."""
    arguments = function.args
    named = {
        argument.arg: argument.annotation
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    }
    for node in ast.walk(function):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            named[node.target.id] = node.annotation
    return {name for name, annotation in named.items() if annotation is not None and _is_owned(annotation)}


def _is_owned(annotation: ast.expr) -> bool:
    """Whether *annotation* says ``Session``, or ``Session | None``, or either in a string."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    if isinstance(annotation, ast.BinOp):
        return _is_owned(annotation.left) or _is_owned(annotation.right)
    return isinstance(annotation, ast.Name) and annotation.id in OWNED


def _targets(node: ast.AST) -> Iterator[ast.expr]:
    """Give what *node* assigns to, changes in place or deletes."""
    if isinstance(node, ast.Assign | ast.Delete):
        targets = node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.For | ast.AsyncFor | ast.comprehension):
        targets = [node.target]
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        targets = [node.optional_vars]
    elif (
        isinstance(node, ast.Call)
        and node.args
        and _name_of(node.func) in ("setattr", "delattr", "__setattr__")
    ):
        targets = [ast.Attribute(node.args[0], "…", ast.Store(), lineno=node.lineno)]
    else:
        return
    for target in targets:
        yield from _flat(target)


def _flat(target: ast.expr) -> Iterator[ast.expr]:
    """Give each single target of ``a, (b, *c) = …``."""
    if isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            yield from _flat(element)
    elif isinstance(target, ast.Starred):
        yield from _flat(target.value)
    else:
        yield target


def _is_of_session(target: ast.expr, names: frozenset[str]) -> bool:
    """Whether *target* is an attribute of a session, or an item of one that is not open."""
    if isinstance(target, ast.Subscript):
        target = target.value
        return isinstance(target, ast.Attribute) and (
            target.attr not in OPEN_TABLES and _is_session(target.value, names)
        )
    return isinstance(target, ast.Attribute) and _is_session(target.value, names)


def _is_session(value: ast.expr, names: frozenset[str]) -> bool:
    if isinstance(value, ast.Name):
        return value.id in names
    if isinstance(value, ast.Attribute):
        return value.attr in NAMES
    return isinstance(value, ast.Call) and _name_of(value.func) in CALLS


def _name_of(function: ast.expr) -> str | None:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else None


def test_an_owner_is_there() -> None:
    assert all((SOURCE / name).is_file() for name in {*OWNERS.values(), OTHERS})


def test_nothing_but_its_owner_writes_an_attribute_of_a_session() -> None:
    assert writes(SOURCE) == []


@pytest.mark.parametrize(
    "code",
    [
        "session.held = None",
        "session.interval += 1",
        "del session.link",
        "turn.session.state = 1",
        "self._session.link: object = None",
        "session.record.advice = None",
        "link, session.link = session.link, None",
        "[first, *session.rest] = ()",
        "session_of(turn).interval = 1",
        "setattr(session, 'held', None)",
        "object.__setattr__(session, 'held', None)",
        "session.rates['a'] = 1",
        "for session.place in (): ...",
        """
        def f(sender: Session | None):
            sender.until = 1
        """,
        """
        async def f(one, *, another: 'Session'):
            another.until = 1
        """,
        """
        def f():
            window: Session = first()
            window.crowded = True
        """,
    ],
)
def test_a_write_from_elsewhere_is_found(tmp_path: Path, code: str) -> None:
    (tmp_path / "bus").mkdir()
    (tmp_path / "bus" / "hub.py").write_text(dedent(code))
    [found] = writes(tmp_path)
    assert found.startswith("bus/hub.py:")


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("bus/polls.py", "session.held = None"),
        ("bus/session.py", "record.advice = None"),
        ("extensions/ack.py", "session.connect_only = True"),
        ("load/session.py", "session.held = None"),
        ("bus/polls.py", "session.attributes['name'] = 1"),
        ("bus/polls.py", "self.session = None"),
        ("bus/polls.py", "session = turn.session"),
        ("bus/polls.py", "session.hold(turn)"),
        ("bus/polls.py", "if session.held == 1: ..."),
        ("bus/polls.py", "def f(sender: Sender):\n    sender.until = 1"),
        ("bus/polls.py", "def f(sender: Session): ...\nsender.until = 1"),
    ],
)
def test_what_is_allowed_is_not_found(tmp_path: Path, file: str, code: str) -> None:
    path = tmp_path / file
    path.parent.mkdir()
    path.write_text(code)
    assert writes(tmp_path) == []
